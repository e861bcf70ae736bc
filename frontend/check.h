// The rules of the language: names, shapes, states, settings. All the user's errors that can be found
// without reading data end here.
#pragma once

#include <string>
#include <vector>

#include "frontend/ast.h"
#include "frontend/types.h"
#include "ir/diagnostic.h"
#include "ir/source.h"

namespace rnnc {

/// The standard library, frontend/std.rnn, as text in the binary.
extern const char* const kStandardLibrary;

/// What a name in a definition stands for.
enum class Role { Input, State, Constant, Parameter, Instance, Equation };

/// One name of a definition with its type. An instance (`let`) has none.
struct TypedName {
  std::string name;  ///< of the equation of a state, with its prime
  Role role = Role::Equation;
  ValueType type;
  Place place;
};

/// What was found out about one cell, layer or model.
struct CheckedDefinition {
  const ast::Definition* syntax = nullptr;  ///< in Checked::file
  std::vector<TypedName> names;             ///< head, parameters, instances and equations, in their order
  std::vector<std::string> dimensions;      ///< local to a cell or layer, in the order first written
};

/// A file that is right, with what the checker found out. It may be moved, not copied: definitions point
/// into the trees.
struct Checked {
  Checked() = default;
  Checked(Checked&&) = default;
  Checked& operator=(Checked&&) = default;

  ast::File file;
  ast::File library;
  Source library_source;
  std::vector<CheckedDefinition> definitions;  ///< of the file, in their order
  DimValues dims;                              ///< values of `dim`, those of the caller included
  std::vector<Diagnostic> warnings;
};

/// Parses and checks `source`. `overrides` replaces the values of `dim` names (`--set NAME=VALUE`).
/// Throws UserError with the errors found, at most ten, one for each cause.
Checked check(const Source& source, const DimValues& overrides = {});

/// The types of everything the file defines, for people: each cell, layer and model with a line for every
/// parameter and equation.
std::string print_types(const Checked& checked);

}  // namespace rnnc
