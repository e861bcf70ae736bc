// Text to graph: a line at a time, one function a grammar rule of parse.h.
#include "ir/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace rnnc {
namespace {

constexpr int64_t kMaxNumber = std::numeric_limits<int32_t>::max() - 1;  // a step t has an end t + 1

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<Op> op_named(std::string_view name) {
  for (Op op : all_ops()) {
    if (info(op).name == name) return op;
  }
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(const Source& source) : source_(source), text_(source.text) {}

  Graph file() {
    while (at_ < text_.size()) line();
    return std::move(graph_);
  }

 private:
  [[noreturn]] void fail(size_t at, size_t length, std::string message) const {
    const Place place{uint32_t(at), uint16_t(std::min<size_t>(length, UINT16_MAX)), Place::kOwnFile};
    throw GraphParseError(at_place(source_, place, std::move(message)));
  }
  [[noreturn]] void fail_expected(std::string_view what) const {
    fail(at_, at_ < text_.size() ? 1 : 0, fmt::format("expected {}", what));
  }

  // characters and words

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_blanks() {
    while (at_ < text_.size() && (peek() == ' ' || peek() == '\t' || peek() == '\r')) ++at_;
  }
  bool accept(std::string_view token) {
    skip_blanks();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!accept(token)) fail_expected(fmt::format("`{}`", token));
  }
  std::string_view word() {
    skip_blanks();
    const size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  /// N: digits, at most `max`.
  int32_t integer(int64_t max = kMaxNumber) {
    skip_blanks();
    const size_t begin = at_;
    int64_t value = 0;
    while (at_ < text_.size() && is_digit(text_[at_])) {
      value = value * 10 + (text_[at_++] - '0');
      if (value > max) fail(begin, at_ - begin, fmt::format("the number is larger than {}", max));
    }
    if (at_ == begin) fail_expected("a whole number");
    return int32_t(value);
  }

  /// NUMBER: as printed, `inf` and `nan` too.
  double number() {
    skip_blanks();
    double value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc()) fail_expected("a number");
    at_ += size_t(end - begin);
    return value;
  }

  int hex_digit() {
    const char c = peek();
    if (is_digit(c)) return ++at_, c - '0';
    if (c >= 'a' && c <= 'f') return ++at_, c - 'a' + 10;
    fail_expected("a hexadecimal digit");
  }

  /// STRING: print.h `quoted`.
  std::string string() {
    expect("\"");
    std::string value;
    while (peek() != '"') {
      if (at_ >= text_.size() || peek() == '\n') fail_expected("`\"` at the end of the name");
      if (peek() != '\\') {
        value += text_[at_++];
        continue;
      }
      ++at_;
      if (peek() == '"' || peek() == '\\') {
        value += text_[at_++];
      } else if (peek() == 'x') {
        ++at_;
        const int high = hex_digit();
        value += char(high * 16 + hex_digit());
      } else {
        fail_expected("`\"`, `\\` or `x` after the backslash");
      }
    }
    ++at_;
    return value;
  }

  // grammar rules

  void line() {
    skip_blanks();
    if (peek() == '%') {
      node();
    } else if (is_word(peek())) {
      root();
    }
    skip_blanks();
    if (peek() == '#') at_ = std::min(text_.find('\n', at_), text_.size());
    if (at_ < text_.size() && peek() != '\n') fail_expected("the end of the line");
    if (at_ < text_.size()) ++at_;
  }

  /// The node that a `%N` names, which must stand further up.
  NodeId operand() {
    skip_blanks();
    const size_t begin = at_;
    expect("%");
    const int32_t id = integer();
    if (uint32_t(id) >= graph_.size()) {
      fail(begin, at_ - begin, fmt::format("%{} is not defined further up", id));
    }
    return NodeId(id);
  }

  void root() {
    skip_blanks();
    const size_t begin = at_;
    const std::string_view kind = word();
    if (kind != "output" && kind != "assign") {
      fail(begin, kind.size(), fmt::format("`{}` is neither a node, `output` nor `assign`", kind));
    }
    std::string name = string();
    graph_.roots.push_back({std::move(name), operand(), kind == "assign"});
  }

  void node() {
    const size_t begin = at_;
    expect("%");
    const int32_t written = integer();
    if (uint32_t(written) != graph_.size()) {
      fail(begin, at_ - begin,
           fmt::format("this is node %{}: nodes are numbered without gaps", graph_.size()));
    }
    expect("=");
    skip_blanks();
    const size_t op_begin = at_;
    const std::string_view op_name = word();
    const std::optional<Op> op = op_named(op_name);
    if (!op) fail(op_begin, op_name.size(), fmt::format("there is no op `{}`", op_name));

    Attr attr;
    skip_blanks();
    if (peek() == '"') attr.name = graph_.name_id(string());
    if (*op == Op::Constant) attr.value = number();
    args_.clear();
    for (skip_blanks(); peek() == '%'; skip_blanks()) args_.push_back(operand());
    if (accept("{")) attributes(attr);
    expect(":");
    skip_blanks();
    const size_t shape_begin = at_;
    const Shape shape = this->shape();
    const size_t shape_end = at_;
    graph_.set_phase(accept("~") ? integer() : 0);
    const int32_t island = accept("@") ? integer() : -1;
    read_origin();

    if ((*op == Op::Variable || *op == Op::Input) != (attr.name >= 0)) {
      fail(op_begin, op_name.size(), "a variable or an input has a name in quotes, and nothing else has");
    }
    try {
      const NodeId id = graph_.add(*op, args_, attr, shape);
      if (id != NodeId(written)) {
        fail(begin, at_ - begin, fmt::format("this node stands there already: it is %{}", id));
      }
      if (island >= 0) graph_.set_island(id, island);
      if (graph_.shape(id) != shape) {
        fail(shape_begin, shape_end - shape_begin,
             fmt::format("its operands make the shape {}", to_string(graph_.shape(id))));
      }
    } catch (const GraphError& error) {
      fail(op_begin, op_name.size(), error.what());
    }
  }

  void attributes(Attr& attr) {
    do {
      skip_blanks();
      const size_t begin = at_;
      const std::string_view key = word();
      if (key == "value") {
        expect("=");
        attr.value = number();
      } else if (key == "offset") {
        expect("=");
        attr.offset = integer();
      } else if (key == "left") {
        expect("^T");
        attr.flags |= kTransposeLeft;
      } else if (key == "right") {
        expect("^T");
        attr.flags |= kTransposeRight;
      } else {
        fail(begin, key.size(), "expected an attribute: value, offset, left^T or right^T");
      }
    } while (accept(","));
    expect("}");
  }

  Shape shape() {
    Shape shape;
    if (accept("i32")) {
      shape.type = Type::I32;
    } else if (!accept("f32")) {
      fail_expected("`f32` or `i32`");
    }
    expect("[");
    shape.rows = rows();
    expect(",");
    shape.cols = integer();
    expect("]");
    return shape;
  }

  Rows rows() {
    if (accept("B")) return Rows::batch(is_digit(peek()) ? integer(UINT8_MAX) : 0);
    if (!accept("T")) return Rows::fixed(integer());
    const int dim = integer(UINT8_MAX);
    expect(".");
    if (accept("*")) return Rows::all(dim);
    if (accept("t")) return Rows::here(dim);
    const int32_t begin = integer();
    if (!accept(":")) return Rows::step(dim, begin);
    return Rows::steps(dim, begin, accept("*") ? Rows::kAll : integer());
  }

  /// `# EQUATION, line N, backward`, each part or none, becomes the node's origin.
  void read_origin() {
    graph_.set_backward(false);
    graph_.set_origin(0);
    skip_blanks();
    if (peek() != '#') return;
    std::string text(text_.substr(at_ + 1, text_.find('\n', at_) - at_ - 1));
    std::ranges::replace_if(
        text, [](unsigned char c) { return c < ' '; }, ' ');  // as it is printed
    std::string_view comment = trimmed(text);
    if (take_last(comment, "backward")) graph_.set_backward(true);
    Origin origin;
    const size_t comma = comment.rfind(", ");
    const std::string_view last = comma == std::string_view::npos ? comment : comment.substr(comma + 2);
    if (last.starts_with("line ")) {
      const auto [end, error] = std::from_chars(last.data() + 5, last.data() + last.size(), origin.line);
      if (error == std::errc() && end == last.data() + last.size()) take_last(comment, last);
    }
    origin.equation = trimmed(comment);
    if (origin != Origin{}) graph_.set_origin(graph_.add_origin(std::move(origin)));
  }

  static std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
  }

  /// Cuts `, part` from the end of the list, if it stands there.
  static bool take_last(std::string_view& list, std::string_view part) {
    if (!list.ends_with(part)) return false;
    const std::string_view rest = list.substr(0, list.size() - part.size());
    if (!rest.empty() && !rest.ends_with(", ")) return false;
    list = rest.substr(0, rest.size() - std::min<size_t>(2, rest.size()));
    return true;
  }

  const Source& source_;
  std::string_view text_;
  size_t at_ = 0;
  Graph graph_;
  std::vector<NodeId> args_;
};

}  // namespace

Graph parse_graph(const Source& source) {
  return Reader(source).file();
}

}  // namespace rnnc
