// Batches without data: see synthetic.h.
#include "driver/synthetic.h"

#include <algorithm>

#include "driver/chance.h"
#include "ir/chance.h"
#include "passes/training.h"
#include "runtime/random.h"

namespace rnnc {

SyntheticBatch::SyntheticBatch(const Model& model, int64_t rows, const std::vector<int32_t>& time_steps,
                               uint64_t seed, bool ragged)
    : batch_(rows), time_steps_(time_steps) {
  for (size_t dim = 0; dim < time_steps.size(); ++dim) {
    const int64_t longest = time_steps[dim];
    auto length = [&](int64_t row) { return ragged ? longest - row * (longest + 1) / rows : longest; };
    std::vector<int64_t> offset{0};
    for (int64_t t = 0; t < longest; ++t) {
      int64_t running = 0;
      while (running < rows && length(running) > t) ++running;
      offset.push_back(offset.back() + running);
    }
    std::vector<int32_t> last;
    std::vector<float> lengths;
    for (int64_t b = 0; b < rows; ++b) {
      lengths.push_back(float(length(b)));
      last.push_back(length(b) > 0 ? int32_t(offset[size_t(length(b) - 1)] + b) : -1);
    }
    std::vector<int32_t>& numbers = ids_[row_input(int(dim))];
    for (int64_t t = 0; t < longest; ++t) {
      for (int64_t b = 0; b < offset[size_t(t) + 1] - offset[size_t(t)]; ++b) {
        numbers.push_back(int32_t(b));
        numbers.push_back(int32_t(t));
      }
    }
    row_offset_.push_back(std::move(offset));
    numbers_[length_input(int(dim))] = std::move(lengths);
    ids_[last_index_input(int(dim))] = std::move(last);
  }
  for (const auto& offset : row_offset_) offsets_.push_back(offset.data());
  for (const ModelInput& input : model.inputs) {
    const Rows r = input.shape.rows;
    const int64_t n = r.kind == Rows::Steps   ? row_offset_[r.dim].back()
                      : r.kind == Rows::Batch ? rows
                                              : r.begin;
    const Random random(seed, place_of(input.name));
    for (int64_t i = 0; i < n * input.shape.cols; ++i) {
      if (input.shape.type == Type::I32)
        ids_[input.name].push_back(int32_t(random.below(uint64_t(i), uint64_t(input.categories))));
      else numbers_[input.name].push_back(random.normal(uint64_t(i)));
    }
    if (input.name.starts_with("%has.")) {  // every element has a next one but the last of its row
      std::vector<float>& has = numbers_[input.name];
      std::fill(has.begin(), has.end(), 1.0f);
      for (const int32_t last : ids_.at(last_index_input(r.dim)))
        if (last >= 0) has[size_t(last)] = 0;
    }
  }
  for (int dim = 1; dim < int(model.dims.size()); ++dim) {  // another order than that of the first
    for (const std::string& input : {order_input(0, dim), order_input(dim, 0)})
      for (int64_t b = rows; b-- > 0;) ids_[input].push_back(int32_t(b));
  }
  for (int64_t b = 0; b < rows; ++b) ids_[kRowInput].push_back(int32_t(b));
  for (const int32_t word : chance_of_step(seed, 1)) ids_[kChanceInput].push_back(word);
  numbers_[kCorrection1Input] = {0.1f};
  numbers_[kCorrection2Input] = {0.001f};
}

RowTables SyntheticBatch::rows() const {
  return {batch_, offsets_};
}

RowTable SyntheticBatch::table() const {
  RowTable table;
  table.batch = batch_;
  table.row_offset = offsets_.data();
  table.capacity = time_steps_.data();
  return table;
}

void SyntheticBatch::fill(Session& session, double rate) const {
  session.set_rows(rows());
  for (const auto& [name, values] : numbers_) session.set_input(name, std::span<const float>(values));
  for (const auto& [name, values] : ids_) session.set_input(name, std::span<const int32_t>(values));
  const float r = float(rate);
  session.set_input(kRateInput, std::span<const float>(&r, 1));
}

Tensors SyntheticBatch::tensors(const Graph& graph, double rate) const {
  Tensors result;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph[id].op != Op::Input) continue;
    const std::string& name = graph.name(id);
    Tensor t = make_tensor(graph.shape(id), table());
    if (name == kRateInput) t.data = {rate};
    else if (const auto n = numbers_.find(name); n != numbers_.end())
      t.data.assign(n->second.begin(), n->second.end());
    else if (const auto i = ids_.find(name); i != ids_.end())
      t.data.assign(i->second.begin(), i->second.end());
    result[name] = std::move(t);
  }
  return result;
}

}  // namespace rnnc
