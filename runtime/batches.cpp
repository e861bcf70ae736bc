// Batches: rows sorted by length and packed, time first.
#include "runtime/batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "runtime/random.h"

namespace rnnc {
namespace {

// The first field that is a sequence along a dimension: all others along it have the same lengths.
size_t field_along(const Dataset& dataset, const std::string& dimension) {
  for (size_t i = 0; i < dataset.fields.size(); ++i)
    if (dataset.fields[i].kind == FieldKind::Sequence && dataset.fields[i].dimension == dimension) return i;
  throw std::invalid_argument("no field along " + dimension);
}

// The rows in a stable order, longest first. Row numbers and lengths are kept in buffers of the batch.
void sort_rows(const Dataset& dataset, std::span<const int64_t> rows, Batch& batch) {
  batch.order.assign(rows.begin(), rows.end());
  for (const int64_t row : rows)
    if (row < 0 || row >= dataset.rows) throw std::invalid_argument(fmt::format("no row {}", row));
  if (dataset.dimensions.empty()) return;
  // std::stable_sort takes memory for every call; position breaks ties instead.
  const size_t field = field_along(dataset, dataset.dimensions[0]);
  batch.keys.clear();
  for (size_t i = 0; i < rows.size(); ++i) batch.keys.emplace_back(-dataset.length(field, rows[i]), i);
  std::ranges::sort(batch.keys);
  for (size_t b = 0; b < rows.size(); ++b) batch.order[b] = rows[batch.keys[b].second];
}

void fill_dimension(const Dataset& dataset, size_t field, int64_t capacity, const Batch& batch,
                    BatchDimension& dimension) {
  const size_t rows = batch.order.size();
  dimension.length.resize(rows);
  dimension.last_index.resize(rows);
  dimension.row_offset.assign(static_cast<size_t>(capacity) + 1, 0);
  dimension.steps = rows == 0 ? 0 : dataset.length(field, batch.order[0]);
  if (dimension.steps > capacity)
    throw std::invalid_argument(
        fmt::format("a row of {} steps, there is room for {}", dimension.steps, capacity));
  // Rows are sorted: as t grows, the number of rows longer than t falls.
  size_t active = rows;
  int64_t offset = 0;
  for (size_t t = 0; t < static_cast<size_t>(capacity); ++t) {
    while (active > 0 && dataset.length(field, batch.order[active - 1]) <= static_cast<int64_t>(t)) --active;
    offset += static_cast<int64_t>(active);
    dimension.row_offset[t + 1] = offset;
  }
  if (offset > std::numeric_limits<int32_t>::max())
    throw std::invalid_argument("a batch of more than 2^31 elements");
  for (size_t b = 0; b < rows; ++b) {
    const int64_t length = dataset.length(field, batch.order[b]);
    dimension.length[b] = static_cast<float>(length);
    dimension.last_index[b] =
        length == 0 ? -1
                    : static_cast<int32_t>(dimension.row_offset[static_cast<size_t>(length) - 1]) +
                          static_cast<int32_t>(b);
  }
}

void fill_field(const Dataset& dataset, size_t field, const Batch& batch, BatchField& to) {
  const DataField& spec = dataset.fields[field];
  const FieldData& data = dataset.data[field];
  const size_t rows = batch.order.size();
  switch (spec.kind) {
    case FieldKind::Numbers: {
      const auto width = static_cast<size_t>(spec.width);
      to.numbers.resize(rows * width);
      for (size_t b = 0; b < rows; ++b)
        std::copy_n(data.numbers.data() + static_cast<size_t>(batch.order[b]) * width, width,
                    to.numbers.data() + b * width);
      return;
    }
    case FieldKind::Category:
      to.ids.resize(rows);
      for (size_t b = 0; b < rows; ++b) to.ids[b] = data.ids[static_cast<size_t>(batch.order[b])];
      return;
    case FieldKind::Sequence: {
      const auto at = std::ranges::find(dataset.dimensions, spec.dimension) - dataset.dimensions.begin();
      const std::vector<int64_t>& row_offset = batch.dimensions[static_cast<size_t>(at)].row_offset;
      to.ids.resize(static_cast<size_t>(row_offset.back()));
      for (size_t b = 0; b < rows; ++b) {
        const int32_t* from = data.ids.data() + data.offsets[static_cast<size_t>(batch.order[b])];
        const int64_t length = dataset.length(field, batch.order[b]);
        for (int64_t t = 0; t < length; ++t)
          to.ids[static_cast<size_t>(row_offset[static_cast<size_t>(t)]) + b] = from[t];
      }
      return;
    }
  }
}

}  // namespace

void fill_batch(const Dataset& dataset, std::span<const int64_t> rows, int64_t capacity, Batch& batch) {
  batch.rows = static_cast<int64_t>(rows.size());
  sort_rows(dataset, rows, batch);
  batch.dimensions.resize(dataset.dimensions.size());
  for (size_t i = 0; i < batch.dimensions.size(); ++i)
    fill_dimension(dataset, field_along(dataset, dataset.dimensions[i]), capacity, batch,
                   batch.dimensions[i]);
  batch.fields.resize(dataset.fields.size());
  for (size_t i = 0; i < batch.fields.size(); ++i) fill_field(dataset, i, batch, batch.fields[i]);
}

int64_t longest_row(const Dataset& dataset) {
  int64_t longest = 0;
  for (const std::string& dimension : dataset.dimensions) {
    const size_t field = field_along(dataset, dimension);
    for (int64_t row = 0; row < dataset.rows; ++row) longest = std::max(longest, dataset.length(field, row));
  }
  return longest;
}

Batches::Batches(const Dataset& dataset, Part part, int64_t batch_size, int64_t capacity)
    : dataset_(dataset),
      part_(dataset.part(part)),
      order_(part_),
      batch_size_(batch_size),
      capacity_(capacity > 0 ? capacity : longest_row(dataset)) {
  if (batch_size < 0) throw std::invalid_argument("a negative batch size");
  if (batch_size_ == 0 || batch_size_ > rows()) batch_size_ = std::max<int64_t>(rows(), 1);
}

void Batches::shuffle(uint64_t seed, uint32_t epoch) {
  const std::vector<int64_t> positions = permutation(rows(), seed, epoch);
  for (size_t i = 0; i < order_.size(); ++i) order_[i] = part_[static_cast<size_t>(positions[i])];
}

void Batches::in_order() {
  order_ = part_;
}

int64_t Batches::steps() const {
  return (rows() + batch_size_ - 1) / batch_size_;
}

const Batch& Batches::batch(int64_t step) {
  if (step < 0 || step >= steps())
    throw std::invalid_argument(fmt::format("no batch {} of {}", step, steps()));
  const int64_t begin = step * batch_size_;
  const int64_t count = std::min(batch_size_, rows() - begin);
  fill_batch(dataset_, std::span(order_).subspan(static_cast<size_t>(begin), static_cast<size_t>(count)),
             capacity_, batch_);
  return batch_;
}

}  // namespace rnnc
