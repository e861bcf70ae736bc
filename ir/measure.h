// Figures over a whole part of the data: means and sums are collected batch by batch, what stands around them
// is computed afterwards (language.md section 7): `sqrt(squared_error(p, y))` is the root of the part's mean.
#pragma once
#include <string>
#include <vector>

#include "ir/graph.h"

namespace rnnc {

struct Measure {
  enum Kind : uint8_t {
    Number,  // `number`
    Mean,    // of all values of all rows: root `sum` over root `count`
    Sum,     // of all values of all rows: root `sum`
    Max,     // the largest / smallest of all values of all rows: root `sum`
    Min,
    Once,   // the same for all rows: root `sum` of any batch
    Apply,  // `function` of the arguments: + - * / ^ and the element-wise functions
    Ngram,  // no nodes: the cross entropy of `field` by counts of `length`-tuples, `number` added to each
    Bleu,   // no nodes: BLEU-4 of what a search writes for `field`
  };
  Kind kind = Number;
  double number = 0;
  NodeId sum = kNoNode, count = kNoNode;  // nodes of the graph it was lowered to
  bool may_count_none = false;            // Mean: `count` may be 0 in a batch
  std::string sum_root, count_root;       // their names as roots
  std::string function;
  std::vector<Measure> args;
  std::string field;
  int64_t length = 0;
};

}  // namespace rnnc
