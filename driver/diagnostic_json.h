// Messages for programs, editors above all: the fields of a diagnostic of the language server protocol, and
// beside them those of the text form.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ir/diagnostic.h"

namespace rnnc {

/// One object for each message. In the terms of the protocol: `range`, `severity` (as a word), `code`,
/// `source`, `message`, `relatedInformation`.
nlohmann::json to_json(const std::vector<Diagnostic>& diagnostics);

/// `file:` and the whole path of a file, as the protocol names documents.
std::string file_uri(const std::string& path);

}  // namespace rnnc
