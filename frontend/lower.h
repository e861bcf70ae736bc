// From the checked syntax tree to a Model: every cell, layer and loss becomes nodes of a graph, with the
// sizes that the data gave. Checking is over: what is wrong in a file was found by check.h. What the language
// has but the compiler has not is refused here, with its place.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "frontend/ast.h"
#include "ir/diagnostic.h"
#include "ir/measure.h"
#include "ir/model.h"
#include "ir/source.h"

namespace rnnc {

struct LowerInput {
  const ast::File& own;
  const ast::File& library;
  const Source& own_source;
  const Source& library_source;
  std::map<std::string, int64_t> sizes;  // of vocabularies, number dimensions and `dim`
  std::vector<std::string> sequences;    // names of the sequence dimensions; the index is Rows::dim
  std::vector<int> within;  // of each of them: inside whose elements it lies, -1: it is one of the example
  /// The number of an entry of a vocabulary; -1: there is none.
  std::function<int64_t(const std::string& vocabulary, const std::string& entry)> entry;
};

struct Metric {
  std::string label;
  Measure value;
};

/// The mean over all rows of a value, one number for each of its elements.
struct Watch {
  std::string label;
  std::string sum_root, count_root;
  int dim = -1;  // of a sequence: its dimension; the roots are then the steps themselves, not their sums, and
                 // the count is empty where every row counts
};

/// One value shown by `predict`.
struct Show {
  std::string label;
  std::string root;
  std::string vocabulary;  // of a category, or of `top`
  int32_t top = 0;         // how many of the best entries; 0: the value itself
  int sequence = -1;       // the sequence dimension that it runs along
};

/// Everything that can be asked of one model. Its graph has a root `loss` (if trained), roots for the parts
/// of every measure and watch, and for every value shown; a program takes those it needs.
struct Lowered {
  Model model;
  Measure loss;
  std::vector<Metric> metrics;
  std::vector<Watch> watches;
  std::vector<Show> shows;
};

/// Lowers model `name`; `train` (with its data block) adds loss, metrics and watches, `predict` the values
/// shown. Throws UserError for what is not built yet.
Lowered lower(const LowerInput& input, std::string_view name, const ast::Train* train,
              const ast::DataBlock* data, const ast::Use* predict);

}  // namespace rnnc
