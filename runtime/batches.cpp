// Batches: rows sorted by length and packed, time first.
#include "runtime/batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "runtime/random.h"

namespace rnnc {
namespace {

// The first field along a dimension: all others along it have the same lengths.
size_t field_along(const Dataset& dataset, const std::string& dimension) {
  for (size_t i = 0; i < dataset.fields.size(); ++i)
    if (dataset.fields[i].dimension == dimension || dataset.fields[i].inside == dimension) return i;
  throw std::invalid_argument("no field along " + dimension);
}

int64_t length_of(const Dataset& dataset, size_t field, const Piece& piece) {
  return piece.length >= 0 ? piece.length : dataset.length(field, piece.row);
}

// The place of its first element among those of all rows.
int64_t begin_of(const FieldData& data, const Piece& piece) {
  return data.offsets[static_cast<size_t>(piece.row)] + piece.begin;
}

// A stable order of `count` rows by their lengths, longest first. std::stable_sort takes memory for every
// call; position breaks ties instead.
template <class Length>
void sort_by_length(size_t count, const Length& length, Batch& batch, std::vector<int64_t>& order) {
  batch.keys.clear();
  for (size_t i = 0; i < count; ++i) batch.keys.emplace_back(-length(i), i);
  std::ranges::sort(batch.keys);
  order.resize(count);
  for (size_t b = 0; b < count; ++b) order[b] = static_cast<int64_t>(batch.keys[b].second);
}

// The rows in the order of dimension 0.
void sort_rows(const Dataset& dataset, std::span<const Piece> pieces, Batch& batch) {
  for (const Piece& piece : pieces)
    if (piece.row < 0 || piece.row >= dataset.rows)
      throw std::invalid_argument(fmt::format("no row {}", piece.row));
  batch.pieces.assign(pieces.begin(), pieces.end());
  batch.order.resize(pieces.size());
  if (!dataset.dimensions.empty()) {
    const size_t field = field_along(dataset, dataset.dimensions[0]);
    sort_by_length(
        pieces.size(), [&](size_t i) { return length_of(dataset, field, pieces[i]); }, batch, batch.order);
    for (size_t b = 0; b < pieces.size(); ++b) batch.pieces[b] = pieces[static_cast<size_t>(batch.order[b])];
  }
  for (size_t b = 0; b < pieces.size(); ++b) batch.order[b] = batch.pieces[b].row;
}

// The elements of all rows of a batch, row after row, as they are numbered in the data.
void list_words(const Dataset& dataset, size_t field, bool nested, const Batch& batch,
                std::vector<int64_t>& words) {
  words.clear();
  if (!nested) return;
  for (const Piece& piece : batch.pieces) {
    const int64_t first = begin_of(dataset.data[field], piece);
    for (int64_t i = 0; i < length_of(dataset, field, piece); ++i) words.push_back(first + i);
  }
}

void fill_dimension(const Dataset& dataset, size_t number, int64_t capacity, Batch& batch,
                    BatchDimension& dimension) {
  const size_t field = field_along(dataset, dataset.dimensions[number]);
  const bool nested = dataset.around(number) >= 0;
  list_words(dataset, field, nested, batch, dimension.words);
  const size_t rows = nested ? dimension.words.size() : batch.order.size();
  const std::vector<int64_t>& inner = dataset.data[field].inner;
  const auto length_at = [&](size_t i) {
    if (!nested) return length_of(dataset, field, batch.pieces[i]);
    const auto word = static_cast<size_t>(dimension.words[i]);
    return inner[word + 1] - inner[word];
  };
  if (number == 0) {
    dimension.order.resize(rows);
    std::iota(dimension.order.begin(), dimension.order.end(), int64_t{0});
  } else {
    sort_by_length(rows, length_at, batch, dimension.order);
  }
  const auto length = [&](size_t b) { return length_at(static_cast<size_t>(dimension.order[b])); };
  dimension.length.resize(rows);
  dimension.last_index.resize(rows);
  dimension.row_offset.assign(static_cast<size_t>(capacity) + 1, 0);
  dimension.steps = rows == 0 ? 0 : length(0);
  if (dimension.steps > capacity)
    throw std::invalid_argument(
        fmt::format("a row of {} steps, there is room for {}", dimension.steps, capacity));
  // Rows are sorted: as t grows, the number of rows longer than t falls.
  size_t active = rows;
  int64_t offset = 0;
  for (size_t t = 0; t < static_cast<size_t>(capacity); ++t) {
    while (active > 0 && length(active - 1) <= static_cast<int64_t>(t)) --active;
    offset += static_cast<int64_t>(active);
    dimension.row_offset[t + 1] = offset;
  }
  if (offset > std::numeric_limits<int32_t>::max())
    throw std::invalid_argument("a batch of more than 2^31 elements");
  for (size_t b = 0; b < rows; ++b) {
    const int64_t n = length(b);
    dimension.length[b] = static_cast<float>(n);
    dimension.last_index[b] = n == 0
                                  ? -1
                                  : static_cast<int32_t>(dimension.row_offset[static_cast<size_t>(n) - 1]) +
                                        static_cast<int32_t>(b);
  }
}

const BatchDimension& dimension_of(const Dataset& dataset, const Batch& batch, const DataField& field) {
  const auto at = std::ranges::find(dataset.dimensions, field.dimension) - dataset.dimensions.begin();
  return batch.dimensions.at(static_cast<size_t>(at));
}

// The rows of a dimension in its order, as f(place in it, piece).
template <class F>
void for_each_row(const BatchDimension& dimension, const Batch& batch, const F& f) {
  for (size_t b = 0; b < dimension.order.size(); ++b)
    f(b, batch.pieces[static_cast<size_t>(dimension.order[b])]);
}

// 1 where one of two nodes is the child of the other.
void fill_links(const Dataset& dataset, size_t field, const Batch& batch, BatchField& to) {
  const FieldData& data = dataset.data[field];
  to.numbers.clear();
  for_each_row(dimension_of(dataset, batch, dataset.fields[field]), batch, [&](size_t, const Piece& piece) {
    const auto n = static_cast<size_t>(length_of(dataset, field, piece));
    const auto first = static_cast<size_t>(begin_of(data, piece));
    const size_t at = to.numbers.size();
    to.numbers.resize(at + n * n, 0.0F);
    for (size_t node = 0; node < n; ++node)
      for (const int32_t child : {data.left[first + node], data.right[first + node]})
        if (child >= 0) {
          to.numbers[at + node * n + static_cast<size_t>(child)] = 1;
          to.numbers[at + static_cast<size_t>(child) * n + node] = 1;
        }
  });
}

void fill_rows(const Dataset& dataset, size_t field, const Batch& batch, BatchField& to) {
  const DataField& spec = dataset.fields[field];
  const FieldData& data = dataset.data[field];
  const size_t rows = batch.order.size();
  if (spec.kind != FieldKind::Numbers) {
    to.ids.resize(rows);
    for (size_t b = 0; b < rows; ++b) to.ids[b] = data.ids[static_cast<size_t>(batch.order[b])];
    return;
  }
  const auto width = static_cast<size_t>(spec.width);
  to.numbers.resize(rows * width);
  for (size_t b = 0; b < rows; ++b)
    std::copy_n(data.numbers.data() + static_cast<size_t>(batch.order[b]) * width, width,
                to.numbers.data() + b * width);
}

// Symbols of words, packed in the order of the dimension inside.
void fill_nested(const Dataset& dataset, size_t field, const Batch& batch, BatchField& to) {
  const auto at = std::ranges::find(dataset.dimensions, dataset.fields[field].inside);
  const BatchDimension& dimension = batch.dimensions.at(static_cast<size_t>(at - dataset.dimensions.begin()));
  const FieldData& data = dataset.data[field];
  to.ids.resize(static_cast<size_t>(dimension.row_offset.back()));
  for (size_t b = 0; b < dimension.order.size(); ++b) {
    const auto word = static_cast<size_t>(dimension.words[static_cast<size_t>(dimension.order[b])]);
    const int64_t first = data.inner[word];
    for (int64_t t = 0; t < data.inner[word + 1] - first; ++t)
      to.ids[static_cast<size_t>(dimension.row_offset[static_cast<size_t>(t)]) + b] =
          data.ids[static_cast<size_t>(first + t)];
  }
}

void fill_field(const Dataset& dataset, size_t field, const Batch& batch, BatchField& to) {
  const DataField& spec = dataset.fields[field];
  const FieldData& data = dataset.data[field];
  if (spec.dimension.empty()) return fill_rows(dataset, field, batch, to);
  if (spec.kind == FieldKind::Links) return fill_links(dataset, field, batch, to);
  if (spec.kind == FieldKind::Nested) return fill_nested(dataset, field, batch, to);
  const BatchDimension& dimension = dimension_of(dataset, batch, spec);
  const auto elements = static_cast<size_t>(dimension.row_offset.back());
  const auto place = [&](int64_t t, size_t b) {
    return static_cast<size_t>(dimension.row_offset[static_cast<size_t>(t)]) + b;
  };
  if (spec.kind == FieldKind::Numbers) {
    const auto width = static_cast<size_t>(spec.width);
    to.numbers.resize(elements * width);
    for_each_row(dimension, batch, [&](size_t b, const Piece& piece) {
      const float* from = data.numbers.data() + static_cast<size_t>(begin_of(data, piece)) * width;
      const int64_t length = length_of(dataset, field, piece);
      for (int64_t t = 0; t < length; ++t, from += width)
        std::copy_n(from, width, to.numbers.data() + place(t, b) * width);
    });
    return;
  }
  to.ids.resize(elements);
  for_each_row(dimension, batch, [&](size_t b, const Piece& piece) {
    const auto first = static_cast<size_t>(begin_of(data, piece));
    const int64_t length = length_of(dataset, field, piece);
    for (int64_t t = 0; t < length; ++t) to.ids[place(t, b)] = data.ids[first + static_cast<size_t>(t)];
  });
}

// The elements of a part that is cut into pieces.
int64_t elements_of(const Dataset& dataset, const std::vector<int64_t>& part) {
  return part.empty() || dataset.data.empty() ? 0 : dataset.length(0, part[0]);
}

// Elements of the training part behind the largest offset there is.
int64_t usable_elements(const Dataset& dataset, const std::vector<int64_t>& part) {
  const PieceSetting& pieces = dataset.pieces;
  const int64_t offset = pieces.random_offset ? pieces.length - 1 : pieces.offset;
  return std::max<int64_t>(elements_of(dataset, part) - offset, 0);
}

}  // namespace

void fill_pieces(const Dataset& dataset, std::span<const Piece> pieces, int64_t capacity, Batch& batch) {
  batch.rows = static_cast<int64_t>(pieces.size());
  sort_rows(dataset, pieces, batch);
  batch.dimensions.resize(dataset.dimensions.size());
  for (size_t i = 0; i < batch.dimensions.size(); ++i)
    fill_dimension(dataset, i, capacity, batch, batch.dimensions[i]);
  batch.fields.resize(dataset.fields.size());
  for (size_t i = 0; i < batch.fields.size(); ++i) fill_field(dataset, i, batch, batch.fields[i]);
}

void fill_batch(const Dataset& dataset, std::span<const int64_t> rows, int64_t capacity, Batch& batch) {
  std::vector<Piece> pieces;
  for (const int64_t row : rows) pieces.push_back({.row = row, .number = row});
  fill_pieces(dataset, pieces, capacity, batch);
}

void fill_next(const Dataset& dataset, const Batch& batch, size_t field, int64_t n, BatchField& next,
               std::vector<float>& has) {
  const DataField& spec = dataset.fields[field];
  const FieldData& data = dataset.data[field];
  const BatchDimension& dimension = dimension_of(dataset, batch, spec);
  const auto elements = static_cast<size_t>(dimension.row_offset.back());
  const bool numbers = spec.kind == FieldKind::Numbers;
  const auto width = static_cast<size_t>(spec.width);
  has.assign(elements, 0.0F);
  if (numbers) next.numbers.assign(elements * width, 0.0F);
  else next.ids.assign(elements, -1);
  for_each_row(dimension, batch, [&](size_t b, const Piece& piece) {
    const int64_t length = length_of(dataset, field, piece);
    const int64_t end = data.offsets[static_cast<size_t>(piece.row) + 1];
    const int64_t first = data.offsets[static_cast<size_t>(piece.row)];
    for (int64_t t = 0; t < length; ++t) {
      const int64_t from = begin_of(data, piece) + t + n;
      if (from < first || from >= end) continue;
      const size_t to = static_cast<size_t>(dimension.row_offset[static_cast<size_t>(t)]) + b;
      has[to] = 1;
      if (numbers)
        std::copy_n(data.numbers.data() + static_cast<size_t>(from) * width, width,
                    next.numbers.data() + to * width);
      else next.ids[to] = data.ids[static_cast<size_t>(from)];
    }
  });
}

int64_t longest_row(const Dataset& dataset) {
  if (dataset.pieces) return dataset.pieces.length;
  int64_t longest = 0;
  for (const std::string& dimension : dataset.dimensions)
    longest = std::max(longest, dataset.longest(dimension));
  return longest;
}

int64_t rows_to_batch(const Dataset& dataset) {
  if (!dataset.pieces) return static_cast<int64_t>(dataset.train.size());
  return usable_elements(dataset, dataset.train) / dataset.pieces.length;
}

Batches::Batches(const Dataset& dataset, Part part, int64_t batch_size, int64_t capacity, Purpose purpose)
    : dataset_(dataset),
      part_(dataset.part(part)),
      purpose_(purpose),
      batch_size_(batch_size),
      capacity_(capacity > 0 ? capacity : longest_row(dataset)) {
  if (batch_size < 0) throw std::invalid_argument("a negative batch size");
  if (dataset.pieces) {
    count_pieces();
    return;
  }
  order_ = part_;
  rows_ = static_cast<int64_t>(order_.size());
  if (batch_size_ == 0 || batch_size_ > rows_) batch_size_ = std::max<int64_t>(rows_, 1);
  steps_ = (rows_ + batch_size_ - 1) / batch_size_;
}

void Batches::count_pieces() {
  const PieceSetting& pieces = dataset_.pieces;
  const bool training = purpose_ == Purpose::Training;
  const int64_t elements = training ? usable_elements(dataset_, part_) : elements_of(dataset_, part_);
  const int64_t whole = elements / pieces.length;
  rows_ = training ? whole : (elements + pieces.length - 1) / pieces.length;
  if (!training && !pieces.sample) batch_size_ = 1;
  if (batch_size_ == 0 || batch_size_ > rows_) batch_size_ = std::max<int64_t>(rows_, 1);
  if (pieces.sample) {
    order_.resize(static_cast<size_t>(rows_));
    std::iota(order_.begin(), order_.end(), int64_t{0});
  }
  if (training) {
    row_length_ = elements / batch_size_;
    steps_ = pieces.sample ? (rows_ + batch_size_ - 1) / batch_size_ : row_length_ / pieces.length;
    if (!pieces.sample) rows_ = steps_ * batch_size_;
    offset_ = pieces.random_offset ? 0 : pieces.offset;
  } else {
    row_length_ = elements;
    steps_ = (rows_ + batch_size_ - 1) / batch_size_;
  }
}

// What row `row` of the batch of a step reads.
Piece Batches::piece(int64_t step, int64_t row) const {
  const int64_t n = dataset_.pieces.length;
  if (!dataset_.pieces.sample)
    return {.row = part_[0],
            .begin = offset_ + row * row_length_ + step * n,
            .length = std::min(n, row_length_ - step * n),
            .number = row};
  const int64_t number = order_[static_cast<size_t>(step * batch_size_ + row)];
  const int64_t begin = offset_ + number * n;
  return {.row = part_[0],
          .begin = begin,
          .length = std::min(n, elements_of(dataset_, part_) - begin),
          .number = number};
}

void Batches::shuffle(uint64_t seed, uint32_t epoch) {
  if (!dataset_.pieces || dataset_.pieces.sample) {
    const auto count = static_cast<int64_t>(order_.size());
    const std::vector<int64_t> positions = permutation(count, seed, epoch);
    for (size_t i = 0; i < order_.size(); ++i)
      order_[i] = dataset_.pieces ? positions[i] : part_[static_cast<size_t>(positions[i])];
  }
  if (buckets_ > 1 && !dataset_.pieces && !dataset_.dimensions.empty()) sort_buckets(seed, epoch);
  if (dataset_.pieces.random_offset && purpose_ == Purpose::Training)
    offset_ = static_cast<int64_t>(
        Random(seed, place_of("offset"), epoch).below(0, static_cast<uint64_t>(dataset_.pieces.length)));
}

void Batches::sort_buckets(uint64_t seed, uint32_t epoch) {
  const size_t field = field_along(dataset_, dataset_.dimensions[0]);
  const auto bucket = static_cast<size_t>(buckets_ * batch_size_), batch = static_cast<size_t>(batch_size_);
  for (size_t begin = 0; begin < order_.size(); begin += bucket) {
    const auto first = order_.begin() + static_cast<long>(begin);
    const auto last = order_.begin() + static_cast<long>(std::min(begin + bucket, order_.size()));
    std::stable_sort(first, last, [&](int64_t a, int64_t b) {
      return dataset_.length(field, a) > dataset_.length(field, b);
    });
  }
  // The last batch stays where it is if it is smaller than the others.
  const size_t whole = order_.size() / batch;
  const std::vector<int64_t> sorted = order_;
  Random random(seed, place_of("buckets"), epoch);
  std::vector<size_t> places(whole);
  std::iota(places.begin(), places.end(), size_t{0});
  for (size_t i = whole; i > 1; --i) std::swap(places[i - 1], places[random.below(i, i)]);
  for (size_t b = 0; b < whole; ++b)
    std::copy_n(sorted.begin() + static_cast<long>(places[b] * batch), batch,
                order_.begin() + static_cast<long>(b * batch));
}

void Batches::in_order() {
  if (!dataset_.pieces) order_ = part_;
  else std::iota(order_.begin(), order_.end(), int64_t{0});
}

const Batch& Batches::batch(int64_t step) {
  fill(step, batch_);
  return batch_;
}

void Batches::fill(int64_t step, Batch& to) const {
  if (step < 0 || step >= steps())
    throw std::invalid_argument(fmt::format("no batch {} of {}", step, steps()));
  const int64_t begin = step * batch_size_;
  // In `chunk` all rows of the batch take part in every step.
  const bool side_by_side = dataset_.pieces && !dataset_.pieces.sample;
  const int64_t count = side_by_side ? batch_size_ : std::min(batch_size_, rows_ - begin);
  to.chosen.clear();
  for (int64_t b = 0; b < count; ++b) {
    const int64_t row = dataset_.pieces ? 0 : order_[static_cast<size_t>(begin + b)];
    to.chosen.push_back(dataset_.pieces ? piece(step, b) : Piece{.row = row, .number = row});
  }
  fill_pieces(dataset_, to.chosen, capacity_, to);
  to.fresh = !side_by_side || step == 0;
}

}  // namespace rnnc
