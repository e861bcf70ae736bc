// Bracketed trees, as treebanks write them: `(3 (2 a) (2 b))`.
//
// A node is a label, then a word or children. Blanks and line ends may stand anywhere between; each outermost
// bracket is a row. Trees become binary, from the left: of children a b c, (a b) becomes a node with the
// label of their parent, and its brother is c. A node with one child has it on the left. Nodes stand in the
// order in which they end: left subtree, right subtree, node; so children come before their parent, and the
// root is the last.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rnnc {

struct TreeNode {
  int32_t left = -1, right = -1;  // counted within the tree; -1: none
  size_t begin = 0;               // of its bracket in the text
  size_t label = 0, label_end = 0;
  size_t leaf = 0, leaf_end = 0;  // of its word; equal: it has none
};

/// The trees of a text; places are byte offsets into it.
struct TreeBank {
  std::vector<TreeNode> nodes;
  std::vector<size_t> first = {0};  // tree r has the nodes first[r] .. first[r + 1] - 1

  size_t rows() const { return first.size() - 1; }
};

/// Throws DataError with the place of what is malformed.
TreeBank parse_trees(const std::string& name, std::string_view text);

}  // namespace rnnc
