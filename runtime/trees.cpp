// Bracketed trees: see trees.h.
#include "runtime/trees.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "runtime/errors.h"
#include "runtime/text.h"

namespace rnnc {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Nodes whose bracket is still open are kept on a stack of its own: nesting may be as deep as the text is
// long.
class TreeReader {
 public:
  TreeReader(const std::string& name, std::string_view text) : name_(name), text_(text) {}

  TreeBank read() {
    for (skip_blanks(); at_ < text_.size(); skip_blanks()) {
      const char c = text_[at_];
      if (c == '(') open();
      else if (c == ')') close();
      else word();
    }
    if (!open_.empty()) refuse(open_.back().node.begin, "this bracket is never closed");
    return std::move(bank_);
  }

 private:
  struct Open {
    TreeNode node;
    bool has_word = false;
    int children = 0;
  };

  [[noreturn]] void refuse(size_t at, std::string message) const {
    const TextPlace place = place_in(text_, at);
    throw DataError({.file = name_,
                     .line = place.line,
                     .column = place.column,
                     .message = std::move(message),
                     .notes = {},
                     .help = {"a node is `(label word)` or `(label (...) (...))`"}});
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  size_t end_of_token() const {
    size_t end = at_;
    while (end < text_.size() && !is_blank(text_[end]) && text_[end] != '(' && text_[end] != ')') ++end;
    return end;
  }

  int32_t add(const TreeNode& node) {
    bank_.nodes.push_back(node);
    const size_t number = bank_.nodes.size() - 1 - bank_.first.back();
    if (number >= static_cast<size_t>(std::numeric_limits<int32_t>::max()))
      refuse(node.begin, "a tree of more than 2^31 nodes");
    return static_cast<int32_t>(number);
  }

  void open() {
    const size_t begin = at_++;
    if (!open_.empty()) {
      Open& parent = open_.back();
      if (parent.has_word) refuse(begin, "a node has a word or children, not both");
      if (parent.children == 2) {
        parent.node.left = add(parent.node);
        parent.node.right = -1;
        parent.children = 1;
      }
    }
    skip_blanks();
    Open node;
    node.node.begin = begin;
    node.node.label = at_;
    at_ = node.node.label_end = end_of_token();
    if (node.node.label == node.node.label_end) refuse(begin, "this node has no label");
    open_.push_back(node);
  }

  void word() {
    if (open_.empty()) refuse(at_, "outside of all brackets");
    Open& node = open_.back();
    if (node.has_word) refuse(at_, "a second word in one node");
    if (node.children > 0) refuse(at_, "a node has a word or children, not both");
    node.has_word = true;
    node.node.leaf = at_;
    at_ = node.node.leaf_end = end_of_token();
  }

  void close() {
    if (open_.empty()) refuse(at_, "a bracket is closed that was never opened");
    const Open node = open_.back();
    if (!node.has_word && node.children == 0)
      refuse(node.node.begin, "this node has no word and no children");
    open_.pop_back();
    const int32_t number = add(node.node);
    ++at_;
    if (open_.empty()) {
      bank_.first.push_back(bank_.nodes.size());
      return;
    }
    Open& parent = open_.back();
    (parent.children == 0 ? parent.node.left : parent.node.right) = number;
    ++parent.children;
  }

  const std::string& name_;
  std::string_view text_;
  size_t at_ = 0;
  std::vector<Open> open_;
  TreeBank bank_;
};

}  // namespace

TreeBank parse_trees(const std::string& name, std::string_view text) {
  return TreeReader(name, text).read();
}

}  // namespace rnnc
