// Which file an equation of the graph stands in, and which cell or layer of it: the path of an instance
// (`h.lstm.1.forward`) ends in a definition of the user's file or of the library.
#pragma once
#include <string>

#include "frontend/check.h"
#include "ir/graph.h"

namespace rnnc {

struct DefinitionFound {
  const ast::Definition* definition = nullptr;  // null: a model's own equation
  const Source* source = nullptr;
};

/// The cell or layer that an instance's path ends in. `file` is the user's file, checked.
DefinitionFound definition_of(std::string path, const Checked& checked, const Source& file);

/// `std.rnn:42`, or empty where there is no line.
std::string place_of_origin(const Origin& origin, const Checked& checked, const Source& file);

}  // namespace rnnc
