// Names of what a data block is made of, and encoder expressions as text.
#include "runtime/data_spec.h"

#include <fmt/format.h>

namespace rnnc {
namespace {

// How an operation is written: the name of a call, or the sign between two operands.
struct Spelling {
  const char* text;
  bool sign = false;
};

Spelling spelling(EncodeOp op) {
  switch (op) {
    case EncodeOp::Line: return {"line"};
    case EncodeOp::File: return {"file"};
    case EncodeOp::Row: return {"row"};
    case EncodeOp::Column: return {"col"};
    case EncodeOp::Rest: return {"rest"};
    case EncodeOp::WholeText: return {"text"};
    case EncodeOp::Leaf: return {"leaf"};
    case EncodeOp::Label: return {"label"};
    case EncodeOp::Links: return {"links"};
    case EncodeOp::Text:
    case EncodeOp::Number: return {""};
    case EncodeOp::Lower: return {"lower"};
    case EncodeOp::Chars: return {"chars"};
    case EncodeOp::Words: return {"words"};
    case EncodeOp::Bytes: return {"bytes"};
    case EncodeOp::Category: return {"category"};
    case EncodeOp::ToNumber: return {"number"};
    case EncodeOp::Numbers: return {"numbers"};
    case EncodeOp::Standardize: return {"standardize"};
    case EncodeOp::Equals: return {"equals"};
    case EncodeOp::Add: return {"+", true};
    case EncodeOp::Subtract: return {"-", true};
    case EncodeOp::Multiply: return {"*", true};
    case EncodeOp::Divide: return {"/", true};
    case EncodeOp::Power: return {"^", true};
    case EncodeOp::Negate: return {"-"};
    case EncodeOp::Sin: return {"sin"};
    case EncodeOp::Cos: return {"cos"};
    case EncodeOp::Log: return {"log"};
    case EncodeOp::Sqrt: return {"sqrt"};
    case EncodeOp::Abs: return {"abs"};
  }
  return {""};
}

}  // namespace

std::string_view part_name(Part part) {
  switch (part) {
    case Part::Train: return "train";
    case Part::Valid: return "valid";
    case Part::Test: return "test";
    case Part::All: return "read";
  }
  return "";
}

std::string_view format_name(DataFormat format) {
  switch (format) {
    case DataFormat::Lines: return "lines";
    case DataFormat::Csv: return "csv";
    case DataFormat::Tsv: return "tsv";
    case DataFormat::Columns: return "columns";
    case DataFormat::Blocks: return "blocks";
    case DataFormat::Stream: return "stream";
    case DataFormat::Trees: return "trees";
    case DataFormat::Idx: return "idx";
    case DataFormat::Npy: return "npy";
  }
  return "";
}

std::string to_text(const EncodeExpr& expr) {
  const Spelling how = spelling(expr.op);
  switch (expr.op) {
    case EncodeOp::Line:
    case EncodeOp::File:
    case EncodeOp::Row:
    case EncodeOp::WholeText:
    case EncodeOp::Leaf:
    case EncodeOp::Label:
    case EncodeOp::Links: return how.text;
    case EncodeOp::Text: return fmt::format("\"{}\"", expr.text);
    case EncodeOp::Number: return fmt::format("{}", expr.number);
    case EncodeOp::Column:
    case EncodeOp::Rest:
      if (expr.number == 0) return fmt::format("{}(\"{}\")", how.text, expr.text);
      return fmt::format("{}({})", how.text, expr.number);
    default: break;
  }
  if (how.sign)
    return fmt::format("{} {} {}", to_text(expr.operands[0]), how.text, to_text(expr.operands[1]));
  std::string arguments;
  for (const EncodeExpr& operand : expr.operands)
    arguments += (arguments.empty() ? "" : ", ") + to_text(operand);
  if (expr.marks) arguments += ", marks = yes";
  if (!expr.list.empty()) arguments += fmt::format(", list = \"{}\"", expr.list);
  if (expr.end) arguments += ", end = yes";
  return fmt::format("{}({})", how.text, arguments);
}

}  // namespace rnnc
