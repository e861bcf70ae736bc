// Text to tokens, in one pass over the bytes.
#include "frontend/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "frontend/utf8.h"
#include "ir/diagnostic.h"

namespace rnnc {
namespace {

constexpr size_t kMaxSourceBytes = size_t{1} << 28;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Lexer {
 public:
  Lexer(const Source& source, uint16_t source_number)
      : source_(source), text_(source.text), source_number_(source_number) {}

  std::vector<Token> run() {
    if (text_.size() > kMaxSourceBytes) fail(0, 0, "this file is too large");
    check_utf8();
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a byte order mark says nothing
    while (at_ < text_.size()) next();
    if (!open_.empty()) fail_open();
    add(Token::Kind::LineEnd, at_, 0);
    add(Token::Kind::End, at_, 0);
    return std::move(tokens_);
  }

 private:
  Place place(size_t begin, size_t length) const {
    return {static_cast<uint32_t>(begin), static_cast<uint16_t>(std::min<size_t>(length, 65535)),
            source_number_};
  }
  [[noreturn]] void fail(size_t begin, size_t length, std::string message, std::string help = {}) const {
    fail(Code::Syntax, begin, length, std::move(message), std::move(help));
  }
  [[noreturn]] void fail(Code code, size_t begin, size_t length, std::string message,
                         std::string help = {}) const {
    Diagnostic error =
        with_code(code, at_place(source_, place(begin, length), std::move(message), {}, std::move(help)));
    error.source_line = printable_utf8(error.source_line);
    throw UserError(std::move(error));
  }
  [[noreturn]] void fail_open() const {
    fail(Code::OpenBracket, open_.back(), 1, fmt::format("this `{}` is never closed", text_[open_.back()]));
  }
  void add(Token::Kind kind, size_t begin, size_t length) {
    tokens_.push_back({kind, text_.substr(begin, length), place(begin, length)});
    at_ = begin + length;
  }
  /// The code point at `i`; the file is known to be UTF-8. Beyond the end: NUL of length 0.
  CodePoint point(size_t i) const { return i < text_.size() ? decode_at(text_, i) : CodePoint{}; }

  void check_utf8() const {
    for (size_t i = 0; i < text_.size();) {
      const size_t length = decode_at(text_, i).length;
      if (length == 0)
        fail(i, 1, fmt::format("not UTF-8 (byte 0x{:02X})", static_cast<unsigned char>(text_[i])),
             "save the file as UTF-8");
      i += length;
    }
  }

  void next() {
    const char c = text_[at_];
    if (c == ' ' || c == '\t' || c == '\r') {
      ++at_;
    } else if (c == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == '\n') {
      line_end();
    } else if (c == '"') {
      text();
    } else if (is_digit(c)) {
      number();
    } else if (is_letter(point(at_).value)) {
      name();
    } else {
      sign();
    }
  }

  void line_end() {
    const bool inside = !open_.empty() || (!tokens_.empty() && tokens_.back().kind == Token::Kind::Sign &&
                                           goes_on(tokens_.back().text));
    if (inside) {
      ++at_;
    } else {
      add(Token::Kind::LineEnd, at_, 1);
    }
  }

  void text() {
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != '"' && text_[end] != '\n') {
      if (text_[end] == '\\') {
        const char escaped = end + 1 < text_.size() ? text_[end + 1] : '\n';
        if (escaped == '\n' || escaped == '\r') break;
        if (std::string_view("nt\"\\").find(escaped) == std::string_view::npos)
          fail(end, 1 + point(end + 1).length,
               fmt::format("`\\{}` is no sign in a text", text_.substr(end + 1, point(end + 1).length)),
               "there are `\\n`, `\\t`, `\\\"` and `\\\\`");
        ++end;
      }
      ++end;
    }
    if (end >= text_.size() || text_[end] != '"')
      fail(Code::TextEnd, at_, 1, "this text does not end on its line");
    add(Token::Kind::Text, at_, end + 1 - at_);
  }

  void number() {
    size_t end = at_;
    const auto digits = [&](size_t from) {
      while (from < text_.size() && is_digit(text_[from])) ++from;
      return from;
    };
    const auto digit_at = [&](size_t i) { return i < text_.size() && is_digit(text_[i]); };
    while (end < text_.size() && (is_digit(text_[end]) || text_[end] == '_')) ++end;
    if (end < text_.size() && text_[end] == '.' && digit_at(end + 1)) end = digits(end + 1);
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      const bool signed_exponent = end + 1 < text_.size() && (text_[end + 1] == '+' || text_[end + 1] == '-');
      const size_t exponent = end + 1 + signed_exponent;
      if (digit_at(exponent)) end = digits(exponent);
    }
    add(Token::Kind::Number, at_, end - at_);
  }

  void name() {
    size_t end = at_;
    while (end < text_.size()) {
      const CodePoint c = point(end);
      if (!is_letter(c.value) && !(c.value < 0x80 && is_digit(static_cast<char>(c.value))) && c.value != '_')
        break;
      end += c.length;
    }
    if (end < text_.size() && text_[end] == '\'') ++end;
    add(Token::Kind::Name, at_, end - at_);
  }

  void sign() {
    static constexpr std::array<std::string_view, 5> two = {"->", "<=", ">=", "==", "!="};
    static constexpr std::string_view one = "+-*/@^=~:;,.(){}[]<>";
    for (std::string_view s : two)
      if (text_.substr(at_).starts_with(s)) return add(Token::Kind::Sign, at_, 2);
    const char c = text_[at_];
    if (c == '\'') fail(Code::DoublePrime, at_, 1, "`'` stands right after the name of a state, once");
    if (one.find(c) == std::string_view::npos) {
      const CodePoint p = point(at_);
      const bool control = p.value < 0x20 || (p.value >= 0x7F && p.value < 0xA0);
      fail(at_, p.length,
           fmt::format("this character means nothing here: `{}`",
                       control ? fmt::format("U+{:04X}", static_cast<uint32_t>(p.value))
                               : std::string(text_.substr(at_, p.length))));
    }
    bracket(c);
    add(Token::Kind::Sign, at_, 1);
  }

  void bracket(char c) {
    if (c == '(' || c == '[') open_.push_back(at_);
    if (c == ')' || c == ']') {
      if (open_.empty() || (text_[open_.back()] == '(') != (c == ')'))
        fail(at_, 1, fmt::format("`{}` closes nothing", c));
      open_.pop_back();
    }
    if ((c == '{' || c == '}') && !open_.empty()) fail_open();
  }

  const Source& source_;
  std::string_view text_;
  uint16_t source_number_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
  std::vector<size_t> open_;  // where the open `(` and `[` stand
};

}  // namespace

bool goes_on(std::string_view text) {
  static constexpr std::array<std::string_view, 16> signs = {"+", "-",  "*", "/", "@",  "^",  "=",  ",",
                                                             "~", "->", "<", ">", "<=", ">=", "==", "!="};
  return std::find(signs.begin(), signs.end(), text) != signs.end();
}

std::vector<Token> lex(const Source& source, uint16_t source_number) {
  return Lexer(source, source_number).run();
}

}  // namespace rnnc
