// The values that a data block is made of, from syntax to what the readers understand: constants, text and
// numbers of a row. What is none is refused at its place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "frontend/ast.h"
#include "frontend/check.h"
#include "ir/diagnostic.h"
#include "runtime/data_spec.h"

namespace rnnc {

class DataValues {
 public:
  /// Both must outlive this.
  DataValues(const Source& source, const DimValues& dims) : source_(source), dims_(dims) {}

  [[noreturn]] void refuse(Place where, std::string message, std::string help = {}) const;
  SpecPlace place(Place where) const;
  const std::string& file() const { return source_.name; }

  // ---- constants

  bool yes(const ast::Expr& expr) const;
  /// A number written in the file, or the value of a `dim`.
  double constant(const ast::Expr& expr) const;
  int64_t count(const ast::Expr& expr) const;
  /// A fixed dimension, if its value is known without data.
  std::optional<int64_t> known_size(const ast::Expr& size) const;

  // ---- of a row

  /// The function of data blocks that is called, if it is a call of one.
  static std::optional<EncodeOp> called(const ast::Expr& expr);
  EncodeExpr node(const ast::Expr& expr, EncodeOp op) const;
  const ast::Expr& unnamed(const ast::Arg& arg) const;
  /// The one argument without a name.
  const ast::Expr& only_argument(const ast::Expr& call) const;
  EncodeExpr text(const ast::Expr& expr) const;
  EncodeExpr number(const ast::Expr& expr) const;
  /// Text or a number.
  EncodeExpr value(const ast::Expr& expr) const;

 private:
  EncodeExpr column(const ast::Expr& expr, EncodeOp op) const;
  std::optional<EncodeExpr> maybe_text(const ast::Expr& expr) const;
  EncodeExpr arithmetic(const ast::Expr& expr) const;
  EncodeExpr call(const ast::Expr& expr) const;

  const Source& source_;
  const DimValues& dims_;
};

}  // namespace rnnc
