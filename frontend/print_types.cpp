// The types of a file's cells, layers and models as text: what `rnnc check` shows.
//
//   cell gru
//     x  : [E]   input
//     Wz : [E, H]
//     h' : [H]
#include <fmt/format.h>

#include <algorithm>

#include "frontend/check.h"

namespace rnnc {
namespace {

const char* word(const ast::Definition& definition) {
  switch (definition.kind) {
    case ast::Definition::Kind::Cell: return definition.tree ? "tree cell" : "cell";
    case ast::Definition::Kind::Layer: return "layer";
    case ast::Definition::Kind::Model: return "model";
  }
  return "";
}

const char* remark(Role role) {
  switch (role) {
    case Role::Input: return "input";
    case Role::State: return "state";
    case Role::Constant: return "constant";
    case Role::Parameter: return "parameter";
    case Role::Instance: return "instance";
    case Role::Equation: return "";
  }
  return "";
}

}  // namespace

std::string print_types(const Checked& checked) {
  std::string out;
  for (const CheckedDefinition& definition : checked.definitions) {
    if (!out.empty()) out += '\n';
    out += fmt::format("{} {}\n", word(*definition.syntax), definition.syntax->name);
    size_t names = 0, types = 0;
    const auto shown = [](const TypedName& n) {
      return n.role == Role::Instance ? std::string() : n.type.str();
    };
    for (const TypedName& name : definition.names) {
      names = std::max<size_t>(names, count_code_points(name.name));
      types = std::max<size_t>(types, count_code_points(shown(name)));
    }
    for (const TypedName& name : definition.names) {
      const std::string type = shown(name);
      std::string line =
          fmt::format("  {}{} : {}", name.name, std::string(names - count_code_points(name.name), ' '), type);
      if (name.role != Role::Equation)
        line += std::string(types - count_code_points(type) + 3, ' ') + remark(name.role);
      out += line + '\n';
    }
  }
  return out;
}

}  // namespace rnnc
