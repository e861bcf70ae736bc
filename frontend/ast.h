// The abstract syntax of the language as plain values: one struct a rule of the grammar, each with its
// place. Nothing here is checked or resolved; that is frontend/check.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ir/source.h"

namespace rnnc::ast {

struct Arg;

/// A name and where it is written.
struct Name {
  std::string text;
  Place place;
};

// clang-format off
enum class BinaryOp {
  Add, Subtract, Multiply, Divide, MatMul, Power,
  Less, Greater, LessEqual, GreaterEqual, Equal, NotEqual,
};
// clang-format on

/// How the operator is written: `+`, `@`, `<=`, ...
const char* spelling(BinaryOp op);

/// No expression is higher than this, so that recursion over one never exhausts the stack.
inline constexpr uint32_t kMaxHeight = 256;

/// An expression. `place` is the word that messages point at: of an operator the sign, of a call,
/// index or part the first word.
struct Expr {
  enum class Kind {
    Number,  ///< number; `whole` if written without `.` and exponent
    Text,    ///< text, unescaped
    Name,    ///< text; a primed name keeps its prime: `h'`
    Negate,  ///< -operands[0]
    Binary,  ///< operands[0] op operands[1]
    Call,    ///< operands[0] ( args ; states ); operands[0] is a Name, or an Index for `lstm[H](x; h, c)`
    Index,   ///< operands[0] [ args ]: sizes if operands[0] names a cell, layer or `coin`, else indices
    Part,    ///< operands[0] . text
    Over,    ///< text over dimensions ( args ): `softmax over S (score)`
  };
  Kind kind = Kind::Number;
  Place place;
  uint32_t height = 1;  ///< levels of expressions in it; the parser keeps it below kMaxHeight
  double number = 0;
  bool whole = false;
  std::string text;
  BinaryOp op = BinaryOp::Add;
  std::vector<Expr> operands;
  std::vector<Arg> args;
  bool has_states = false;       ///< Call: a `;` was written
  std::vector<Arg> states;       ///< Call: what stands after it
  std::vector<Name> dimensions;  ///< Over
};

/// expr, or NAME = expr. Without a name, `name` is empty.
struct Arg {
  std::string name;
  Place place;
  Expr value;
};

/// NAME = expr, in `dim`, `with` and `from`.
struct Binding {
  std::string name;
  Place place;
  Expr value;
};

/// One entry of a type: `H`, `2*H`, `tree N`.
struct Size {
  Expr value;
  bool tree = false;
};

/// `[T, E]`, `C[T]`, `L`, `V[tree N]`; of numbers `vocabulary` is empty.
struct Type {
  std::string vocabulary;
  std::vector<Size> sizes;
  Place place;
};

/// lstm[H], stack(both(gru[64]), 2, dropout = 0.3)
struct CellRef {
  std::string name;  ///< a cell, layer or `let`; or the combinator
  Place place;
  std::vector<Arg> sizes;      ///< in [ ] after a name
  std::vector<CellRef> inner;  ///< one for a combinator, none for a name
  std::vector<Arg> options;    ///< of a combinator, after the cell

  bool is_combinator() const { return !inner.empty(); }
};

/// scan CELL over SEQ, ... | scan CELL for N | fold CELL over SEQ, ...
struct Scan {
  bool fold = false;
  Place place;  ///< the word `scan` or `fold`
  CellRef cell;
  std::vector<Expr> over;
  std::optional<Expr> count;       ///< after `for`
  std::vector<Binding> constants;  ///< after `with`
  std::vector<Binding> first;      ///< from h = ..., c = ...
  std::optional<Name> from_scan;   ///< from s
  bool carry = false;
};

/// param A, B: TYPE ~ HOW   |   param A, B: TYPE = NUMBER
struct Parameters {
  std::vector<Name> names;
  Type type;
  bool constant = false;  ///< `=` rather than `~`
  Expr first_value;       ///< `glorot`, `normal(0.1)`, `0`, ...
  bool frozen = false;
  Place place;  ///< the word `param`
};

/// let NAME = cellref
struct Let {
  std::string name;
  Place place;
  CellRef value;
};

/// NAME = ..., NAME' = ...
struct Equation {
  std::string name;  ///< with its prime, if it has one
  Place place;
  std::variant<Expr, Scan> value;

  bool primed() const { return name.ends_with('\''); }
};

using Statement = std::variant<Parameters, Let, Equation>;

/// NAME: TYPE in a head.
struct Port {
  std::string name;
  Place place;
  Type type;
};

/// cell, tree cell, layer, model NAME(inputs; states) with (constants) -> (results) { body }
struct Definition {
  enum class Kind { Cell, Layer, Model };
  Kind kind = Kind::Cell;
  bool tree = false;
  std::string name;
  Place place;  ///< the name
  std::vector<Port> inputs, states, constants, results;
  std::vector<Statement> body;
};

/// dim E = 200, H = 200
struct Dims {
  std::vector<Binding> bindings;
};

/// read "a", "b" as FORMAT(...): files that rows come from.
struct FileSource {
  enum class Part { Read, Train, Valid, Test };
  Part part = Part::Read;  ///< Read: to be divided by `split`
  Place place;             ///< the first word
  std::vector<std::string> files;
  std::vector<Place> file_places;
  std::optional<Expr> format;  ///< Name or Call; the checker refuses a source without one
};

/// NAME: TYPE = expr in a data block.
struct Field {
  std::string name;
  Place place;
  Type type;
  Expr value;
};

/// NAME arg, arg, ...: `split train = 0.8, valid = 0.1`, `optimizer adam(rate = 1e-3)`
struct Setting {
  std::string name;
  Place place;
  std::vector<Arg> args;
};

/// data NAME { ... }; lines of one kind are in their order.
struct DataBlock {
  std::string name;
  Place place;  ///< the name
  std::vector<FileSource> sources;
  std::vector<Field> fields;
  std::vector<Setting> settings;
};

/// train MODEL on DATA { ... }
struct Train {
  Name model, data;
  std::vector<Setting> settings;
};

/// generate MODEL { ... }, predict MODEL { ... }
struct Use {
  enum class Kind { Generate, Predict };
  Kind kind = Kind::Generate;
  Name model;
  std::vector<Setting> settings;
};

using Item = std::variant<Dims, DataBlock, Definition, Train, Use>;

/// A whole file, items in their order.
struct File {
  std::vector<Item> items;
};

}  // namespace rnnc::ast
