// See row_inputs.h.
#include "driver/row_inputs.h"

#include <charconv>
#include <optional>

#include "ir/chance.h"
#include "ir/model.h"

namespace rnnc {
namespace {

/// `.3` after a prefix, or `.3.0`.
bool read_spaces(std::string_view text, std::initializer_list<int*> to) {
  for (int* space : to) {
    if (!text.starts_with('.')) return false;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), *space);
    if (error != std::errc()) return false;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
  }
  return text.empty();
}

}  // namespace

Rows rows_of_range(const RowRange& range) {
  switch (range.kind) {
    case RowRange::Fixed: return Rows::fixed(range.begin);
    case RowRange::Batch: return Rows::batch(range.dim);
    case RowRange::Steps: break;
  }
  return Rows::steps(range.dim, range.begin, range.end);
}

RowTables row_tables(const BatchRows& rows) {
  RowTables tables{rows.batch(), {}};
  for (size_t space = 0; space < rows.size(); ++space)
    tables.row_offset.push_back(rows.row_offset(space).data());
  tables.batch_rows.assign(rows.batch_rows().begin(), rows.batch_rows().end());
  return tables;
}

void RowInputs::take(Examples examples, std::span<const int32_t> capacity) {
  examples_ = std::move(examples);
  rows_ = std::make_unique<BatchRows>(spaces_, examples_.count, examples_.lengths, capacity, examples_.trees);
  ++batch_;
}

RowInputs::Input RowInputs::parse(const std::string& name) {
  Input input;
  if (is_row_map(name)) {
    input.kind = Input::Map;
    input.map = parse_row_map(name);
    return input;
  }
  const auto is = [&](std::string_view prefix, Input::Kind kind, std::initializer_list<int*> spaces) {
    if (!name.starts_with(prefix) || !read_spaces(std::string_view(name).substr(prefix.size()), spaces))
      return false;
    input.kind = kind;
    return true;
  };
  if (is("%last", Input::Last, {&input.space}) || is("%length", Input::Length, {&input.space}) ||
      is("%order", Input::Order, {&input.space, &input.to}) || is("%left", Input::Left, {&input.space}) ||
      is("%right", Input::Right, {&input.space}) || is("%row", Input::Number, {&input.space}) ||
      is("%row", Input::Number, {&input.space, &input.to}) || is("%row", Input::Number, {}))
    return input;
  return input;
}

const RowInputs::Values* RowInputs::find(const std::string& name, Rows rows, int32_t cols) {
  auto found = inputs_.find(name);
  if (found == inputs_.end()) {
    found = inputs_.emplace(name, parse(name)).first;
    Input& input = found->second;
    input.constant = input.kind == Input::Map && same_for_all(input.map, spaces_);
  }
  Input& input = found->second;
  if (input.kind == Input::None) return nullptr;
  const bool there = input.constant ? input.made_for == examples_.count : input.batch == batch_;
  if (!there) fill(input, rows, cols);
  input.made_for = examples_.count;
  input.batch = batch_;
  return &input.values;
}

void RowInputs::fill(Input& input, Rows rows, int32_t cols) {
  const auto space = static_cast<size_t>(input.space), to = static_cast<size_t>(input.to);
  Values& values = input.values;
  values = {};
  switch (input.kind) {
    case Input::None: return;
    case Input::Map: values.ids = rows_->rows_of(input.map); return;
    case Input::Number: fill_numbers(input, rows, cols); return;
    case Input::Left: values.ids = rows_->child(space, false); return;
    case Input::Right: values.ids = rows_->child(space, true); return;
    case Input::Last:
      for (const int32_t slot : rows_->order(space)) {
        const int32_t length = rows_->length(space, slot);
        const int64_t last = length > 0 ? rows_->row(Rows::all(input.space), slot, length - 1) : -1;
        values.ids.push_back(static_cast<int32_t>(last));
      }
      return;
    case Input::Length:
      for (const int32_t slot : rows_->order(space))
        values.numbers.push_back(static_cast<float>(rows_->length(space, slot)));
      return;
    case Input::Order: break;
  }
  std::vector<int32_t> place(rows_->order(space).size());
  for (size_t p = 0; p < place.size(); ++p)
    place[static_cast<size_t>(rows_->order(space)[p])] = static_cast<int32_t>(p);
  for (const int32_t slot : rows_->order(to)) values.ids.push_back(place[static_cast<size_t>(slot)]);
}

void RowInputs::fill_numbers(Input& input, Rows rows, int32_t cols) const {
  rows_->for_each(rows, [&](int32_t slot, int64_t element) {
    input.values.ids.push_back(number(slot));
    if (cols > 1) input.values.ids.push_back(static_cast<int32_t>(element));
  });
}

void RowInputs::set(Session& session) {
  session.set_rows(row_tables(*rows_));
  for (const auto& [name, number] : session.program().inputs) {
    const Slab& slab = session.program().slabs[static_cast<size_t>(number)];
    const Values* values = find(name, rows_of_range(slab.rows), slab.cols);
    if (values == nullptr) continue;
    if (slab.integer) session.set_input(name, std::span<const int32_t>(values->ids));
    else session.set_input(name, std::span<const float>(values->numbers));
  }
}

}  // namespace rnnc
