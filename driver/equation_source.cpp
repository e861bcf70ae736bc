// See equation_source.h.
#include "driver/equation_source.h"

#include <fmt/format.h>

namespace rnnc {
namespace {

DefinitionFound named(const std::string& name, const ast::File& file, const Source& source) {
  for (const ast::Item& item : file.items) {
    const auto* definition = std::get_if<ast::Definition>(&item);
    if (definition != nullptr && definition->name == name) return {definition, &source};
  }
  return {};
}

}  // namespace

DefinitionFound definition_of(std::string path, const Checked& checked, const Source& file) {
  while (!path.empty()) {
    const size_t dot = path.rfind('.');
    std::string name = dot == std::string::npos ? path : path.substr(dot + 1);
    for (bool counted = false;; counted = true) {  // `gru2` is the second gru of its equation
      if (counted) {
        while (!name.empty() && name.back() >= '0' && name.back() <= '9') name.pop_back();
      }
      const DefinitionFound own = named(name, checked.file, file);
      if (own.definition != nullptr) return own;
      const DefinitionFound library = named(name, checked.library, checked.library_source);
      if (library.definition != nullptr) return library;
      if (counted) break;
    }
    path.resize(dot == std::string::npos ? 0 : dot);
  }
  return {};
}

std::string place_of_origin(const Origin& origin, const Checked& checked, const Source& file) {
  if (origin.line == 0) return {};
  const size_t blank = origin.equation.find(' ');
  const DefinitionFound in =
      definition_of(blank == std::string::npos ? "" : origin.equation.substr(0, blank), checked, file);
  return fmt::format("{}:{}", in.source != nullptr ? in.source->name : file.name, origin.line);
}

}  // namespace rnnc
