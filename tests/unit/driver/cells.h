// Cells that no library ships, as text: what a test gives to `tagger` or `classifier` before a scan of them.
#pragma once
#include <string>

namespace rnnc::test {

/// The definition of the cell `name`; throws std::out_of_range if there is none.
const std::string& cell_text(const std::string& name);

}  // namespace rnnc::test
