// Where blanks, line breaks and comments go: see format_layout.h.
#include "frontend/format_layout.h"

#include <algorithm>
#include <array>
#include <map>

#include "frontend/token_stream.h"

namespace rnnc::formatting {
namespace {

using Kind = Token::Kind;

bool any_of(const Piece& piece, std::initializer_list<std::string_view> texts) {
  return std::any_of(texts.begin(), texts.end(), [&](std::string_view text) { return piece.is(text); });
}

/// Can a value end with it, so that a `-` behind it subtracts and a bracket belongs to it?
bool ends_value(const Piece& piece) {
  if (piece.token.kind == Kind::Sign) return piece.is(")") || piece.is("]");
  return !(piece.token.kind == Kind::Name && is_reserved(piece.text()));
}

/// The cost of a line break behind an operator: the looser it binds the better a place it is.
int operator_cost(const Piece& piece) {
  if (any_of(piece, {",", ";", "->"})) return 0;
  if (any_of(piece, {"<", ">", "<=", ">=", "==", "!="})) return 1;
  if (any_of(piece, {"+", "-"})) return 2;
  if (any_of(piece, {"*", "/"})) return 3;
  if (piece.is("@")) return 4;
  if (piece.is("^")) return 7;
  if (any_of(piece, {"(", "["})) return 8;
  return any_of(piece, {"=", "~"}) ? 25 : kNoBreak;
}

constexpr int kCostOfDepth = 10;
constexpr uint32_t kContinuation = 4;  // columns that a line goes in if nothing says where
constexpr uint32_t kLeastRoom = 30;    // columns a line below a bracket must have

/// What has been seen of a statement on the way to a piece.
struct Context {
  std::vector<char> open;    // brackets
  bool scan_head = false;    // behind `scan` or `fold`, before its `over`
  bool dimensions = false;   // behind the `over` of a reduction, before its `(`
  bool unary_minus = false;  // the piece before is one
};

bool needs_space(const Piece& before, const Piece& piece, const Context& c, bool before_is_word) {
  const bool in_square = std::find(c.open.begin(), c.open.end(), '[') != c.open.end();
  const auto tight_operator = [&](const Piece& p) {
    return p.is("^") || (in_square && any_of(p, {"*", "/"}));
  };
  if (any_of(piece, {",", ";", ")", "]", ":", "."}) || any_of(before, {"(", "[", "."})) return false;
  if (c.unary_minus || tight_operator(piece) || tight_operator(before)) return false;
  if (piece.is("(") && c.dimensions) return true;
  if (any_of(piece, {"(", "["})) return before_is_word || !ends_value(before);
  return true;
}

}  // namespace

void space_out(std::span<Piece> statement, bool word_first) {
  Context c;
  for (size_t i = 0; i < statement.size(); ++i) {
    Piece& piece = statement[i];
    const Piece* before = i > 0 ? &statement[i - 1] : nullptr;
    const bool before_is_word = word_first && i == 1;
    piece.space = before && needs_space(*before, piece, c, before_is_word);
    piece.break_cost = kNoBreak;
    if (before && before->token.kind == Kind::Sign && !c.unary_minus) {
      const int cost = operator_cost(*before);
      const int depth = static_cast<int>(c.open.size());
      const bool goes_on_there = depth > 0 || goes_on(before->text());
      if (cost != kNoBreak && goes_on_there) piece.break_cost = cost + kCostOfDepth * depth;
    }

    c.unary_minus = piece.is("-") && (!before || before_is_word || !ends_value(*before));
    if (any_of(piece, {"(", "["})) {
      c.open.push_back(piece.text().front());
      c.dimensions = false;
    }
    if (any_of(piece, {")", "]"}) && !c.open.empty()) c.open.pop_back();
    if (any_of(piece, {"scan", "fold"})) c.scan_head = true;
    if (piece.is("over")) {
      c.dimensions = !c.scan_head || !c.open.empty();
      if (c.open.empty()) c.scan_head = false;
    }
  }
}

std::optional<uint32_t> column_of(std::span<const Piece> statement, size_t index) {
  uint32_t column = 0;
  for (size_t i = 0; i <= index; ++i) {
    const Piece& piece = statement[i];
    if (i > 0 && (!piece.above.empty() || statement[i - 1].behind)) return std::nullopt;
    if (i > 0) column += static_cast<uint32_t>(piece.space) + piece.pad;
    if (i < index) column += piece.width();
  }
  return column;
}

std::vector<Line> lay_out(std::span<const Piece> statement, uint32_t indent, size_t body, uint32_t limit) {
  std::vector<Line> lines;
  std::vector<uint32_t> open;  // where lines inside a bracket begin
  uint32_t hanging = indent + kContinuation;
  uint32_t begin = indent;
  for (size_t first = 0; first < statement.size();) {
    // How far this line goes.
    size_t end = first, best = statement.size();
    for (uint32_t column = begin; end < statement.size(); ++end) {
      const Piece& piece = statement[end];
      if (end > first) {
        if (!piece.above.empty() || statement[end - 1].behind) break;
        column += static_cast<uint32_t>(piece.space) + piece.pad;
        const bool better = piece.break_cost != kNoBreak &&
                            (best == statement.size() || piece.break_cost <= statement[best].break_cost);
        if (better) best = end;
      }
      column += piece.width();
      if (column > limit && best < statement.size()) {
        end = best;
        break;
      }
    }

    std::string code(begin, ' ');
    for (size_t i = first; i < end; ++i) {
      const Piece& piece = statement[i];
      if (i > first) code.append(static_cast<size_t>(piece.space) + piece.pad, ' ');
      if (i == body && first == 0) hanging = count_code_points(code);
      code += piece.text();
      if (any_of(piece, {"(", "["})) open.push_back(count_code_points(code));
      if (any_of(piece, {")", "]"}) && !open.empty()) open.pop_back();
    }
    lines.push_back({.code = std::move(code), .comment = statement[end - 1].behind});

    begin = open.empty() ? hanging : open.back();
    if (begin + kLeastRoom > limit) begin = indent + kContinuation;
    if (end < statement.size())
      for (const Comment& comment : statement[end].above)
        lines.push_back({.code = std::string(begin, ' '), .comment = comment, .comment_only = true});
    first = end;
  }
  return lines;
}

namespace {

/// Where a comment behind code goes if nothing lines it up: where it is, if it was set apart and there is
/// room.
uint32_t own_column(const Line& line) {
  const uint32_t width = count_code_points(line.code);
  const uint32_t column = line.comment->column;
  return column == width + 1 || (column > width && line.comment->gap >= 2) ? column : width + 2;
}

/// The column that most comments behind the code of each item have.
std::map<uint32_t, uint32_t> comment_columns(const std::vector<Line>& lines) {
  std::map<uint32_t, std::map<uint32_t, int>> votes;
  for (const Line& line : lines)
    if (line.comment && !line.comment_only) ++votes[line.item][own_column(line)];
  std::map<uint32_t, uint32_t> columns;
  for (const auto& [item, of_item] : votes)
    columns[item] = std::max_element(of_item.begin(), of_item.end(), [](const auto& a, const auto& b) {
                      return a.second < b.second;
                    })->first;
  return columns;
}

}  // namespace

std::string write(std::vector<Line> lines) {
  const std::map<uint32_t, uint32_t> columns = comment_columns(lines);
  std::string out;
  std::optional<uint32_t> source_column, column;  // of the comment behind the line before
  for (const Line& line : lines) {
    if (line.blank_before && !out.empty()) out += '\n';
    if (line.comment_only) {
      // A comment right below one behind a line, in its column, goes on with it.
      const bool goes_on = !line.blank_before && source_column == line.comment->column;
      if (!goes_on) source_column = column = std::nullopt;
      out += column ? std::string(*column, ' ') : line.code;
      out += line.comment->text;
    } else {
      out += line.code;
      source_column = column = std::nullopt;
      if (line.comment) {
        const uint32_t width = count_code_points(line.code), common = columns.at(line.item);
        source_column = line.comment->column;
        column = common >= width + 2 ? common : own_column(line);
        out.append(*column - width, ' ');
        out += line.comment->text;
      }
    }
    out += '\n';
  }
  return out;
}

}  // namespace rnnc::formatting
