// Batches without data: see synthetic.h.
#include "driver/synthetic.h"

#include <algorithm>

#include "driver/chance.h"
#include "ir/chance.h"
#include "passes/training.h"
#include "runtime/random.h"

namespace rnnc {
namespace {

/// The sequence whose elements a field joins two by two, `A: [N, N]`; -1: it does not.
int linked(const Model& model, const ModelInput& input) {
  const Rows rows = input.shape.rows;
  if (rows.kind != Rows::Steps || input.shape.type != Type::F32) return -1;
  const Space& space = model.spaces.at(rows.dim);
  return space.kind == Space::Inner && space.inside == Extent{1, {space.base}} ? space.base : -1;
}

std::vector<bool> trees_of(const Model& model) {
  std::vector<bool> trees(model.dims.size());
  for (const Space& space : model.spaces)
    if (space.kind == Space::Levels) trees[size_t(space.base)] = true;
  for (const ModelInput& input : model.inputs)
    if (const int dim = linked(model, input); dim >= 0) trees[size_t(dim)] = true;
  return trees;
}

/// The root of `leaves` leaves from node `at` of the last tree on.
int32_t grow(int32_t leaves, const Random& random, TreeNodes& to) {
  int32_t left = -1, right = -1;
  if (leaves > 1) {
    const auto of_left = int32_t(1 + random.below(to.left.size(), uint64_t(leaves - 1)));
    left = grow(of_left, random, to);
    right = grow(leaves - of_left, random, to);
  }
  to.left.push_back(left);
  to.right.push_back(right);
  return int32_t(int64_t(to.left.size()) - 1 - to.offset.back());
}

/// Row-major: 1 where one of two nodes is the child of the other.
std::vector<float> links(const TreeNodes& trees, std::vector<int64_t>& first) {
  std::vector<float> values;
  first.clear();
  for (size_t slot = 0; slot + 1 < trees.offset.size(); ++slot) {
    const int64_t n = trees.offset[slot + 1] - trees.offset[slot];
    first.push_back(int64_t(values.size()));
    values.resize(values.size() + size_t(n * n));
    float* const of = values.data() + first.back();
    for (int64_t node = 0; node < n; ++node) {
      const auto at = size_t(trees.offset[slot] + node);
      for (const int32_t child : {trees.left[at], trees.right[at]})
        if (child >= 0) of[node * n + child] = of[child * n + node] = 1;
    }
  }
  return values;
}

}  // namespace

void add_random_tree(int32_t nodes, const Random& random, TreeNodes& to) {
  if (to.offset.empty()) to.offset.push_back(0);
  grow((nodes + 1) / 2, random, to);
  to.offset.push_back(int64_t(to.left.size()));
}

SyntheticBatch::SyntheticBatch(const Model& model, int64_t rows, const std::vector<int32_t>& time_steps,
                               uint64_t seed, bool ragged)
    : inputs_(model.spaces) {
  const std::vector<bool> trees = trees_of(model);
  Examples examples;
  examples.count = rows;
  examples.lengths.resize(trees.size());
  examples.trees.resize(trees.size());
  const Random shapes(seed, place_of("the trees of a batch"));
  for (size_t dim = 0; dim < trees.size(); ++dim) {
    const int64_t longest = time_steps[dim];
    const Space& space = model.spaces.at(dim);
    if (space.kind == Space::Nested) {
      for (const int32_t elements : examples.lengths.at(size_t(space.base)))
        for (int32_t e = 0; e < elements; ++e)
          examples.lengths[dim].push_back(
              int32_t(ragged ? std::max<int64_t>(1, longest - e % longest) : longest));
      continue;
    }
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t rank = dim == 0 ? row : rows - 1 - row;  // another order than that of the first
      int64_t length = ragged ? longest - rank * (longest + 1) / rows : longest;
      if (trees[dim]) {
        length = std::max<int64_t>(1, length - (length % 2 == 0));
        add_random_tree(int32_t(length), shapes, examples.trees[dim]);
      }
      examples.lengths[dim].push_back(int32_t(length));
    }
  }
  inputs_.take(std::move(examples), space_steps(model.spaces, time_steps));
  for (const ModelInput& input : model.inputs) {
    if (const int dim = linked(model, input); dim >= 0) {
      std::vector<int64_t> first;
      const std::vector<float> values = links(inputs_.examples().trees[size_t(dim)], first);
      pack_rows(inputs_.rows(), input.shape.rows, std::span<const int64_t>(first),
                std::span<const float>(values), 1, numbers_[input.name]);
    } else {
      add_field(input, seed);
    }
  }
  for (const int32_t word : chance_of_step(seed, 1)) ids_[kChanceInput].push_back(word);
  numbers_[kCorrection1Input] = {0.1f};
  numbers_[kCorrection2Input] = {0.001f};
}

void SyntheticBatch::add_field(const ModelInput& input, uint64_t seed) {
  const BatchRows& batch = inputs_.rows();
  const Rows rows = input.shape.rows;
  const Random random(seed, place_of(input.name));
  std::vector<float> numbers;
  std::vector<int32_t> ids;
  const auto row = [&] {
    for (int32_t c = 0; c < input.shape.cols; ++c) {
      if (input.shape.type == Type::I32)
        ids.push_back(int32_t(random.below(ids.size(), uint64_t(input.categories))));
      else numbers.push_back(random.normal(numbers.size()));
    }
  };
  if (rows.kind == Rows::Fixed) {
    for (int32_t r = 0; r < rows.begin; ++r) row();
  } else {
    batch.for_each(rows, [&](int32_t, int64_t) { row(); });
  }
  if (input.name.starts_with("%has.")) {
    // Every element has a next one; the last of a row in every other row: those are pieces of a longer text.
    numbers.clear();
    batch.for_each(rows, [&](int32_t slot, int64_t element) {
      numbers.push_back(slot % 2 == 0 || element + 1 < batch.length(rows.dim, slot) ? 1.0f : 0.0f);
    });
  }
  if (input.shape.type == Type::I32) ids_[input.name] = std::move(ids);
  else numbers_[input.name] = std::move(numbers);
}

void SyntheticBatch::fill(Session& session, double rate) const {
  inputs_.set(session);
  for (const auto& [name, slab] : session.program().inputs) {
    if (const auto n = numbers_.find(name); n != numbers_.end())
      session.set_input(name, std::span<const float>(n->second));
    else if (const auto i = ids_.find(name); i != ids_.end())
      session.set_input(name, std::span<const int32_t>(i->second));
  }
  const float r = float(rate);
  session.set_input(kRateInput, std::span<const float>(&r, 1));
}

Tensors SyntheticBatch::tensors(const Graph& graph, double rate) const {
  Tensors result;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph[id].op != Op::Input) continue;
    const std::string& name = graph.name(id);
    const Shape& shape = graph.shape(id);
    Tensor t = make_tensor(shape, table());
    const RowInputs::Values* values = inputs_.find(name, shape.rows, shape.cols);
    const auto take = [&](const auto& from) { t.data.assign(from.begin(), from.end()); };
    if (name == kRateInput) t.data = {rate};
    else if (values != nullptr && shape.type == Type::I32) take(values->ids);
    else if (values != nullptr) take(values->numbers);
    else if (shape.type == Type::I32 && ids_.contains(name)) take(ids_.at(name));
    else if (numbers_.contains(name)) take(numbers_.at(name));
    result[name] = std::move(t);
  }
  return result;
}

}  // namespace rnnc
