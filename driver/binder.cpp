// See binder.h.
#include "driver/binder.h"

#include <algorithm>
#include <optional>

#include "driver/piece_inputs.h"

namespace rnnc {
namespace {

/// The trees of the rows, in the order of the batch.
TreeNodes trees_of(const FieldData& data, const Batch& batch) {
  TreeNodes nodes;
  nodes.offset.push_back(0);
  for (const Piece& piece : batch.pieces) {
    const int64_t first = data.offsets[static_cast<size_t>(piece.row)];
    const int64_t end = data.offsets[static_cast<size_t>(piece.row) + 1];
    nodes.left.insert(nodes.left.end(), data.left.begin() + first, data.left.begin() + end);
    nodes.right.insert(nodes.right.end(), data.right.begin() + first, data.right.begin() + end);
    nodes.offset.push_back(static_cast<int64_t>(nodes.left.size()));
  }
  return nodes;
}

/// Where the n * n numbers of each row begin: they stand in the order of the dimension.
std::vector<int64_t> first_of_links(const BatchDimension& dimension) {
  std::vector<int64_t> first(dimension.order.size());
  int64_t at = 0;
  for (size_t place = 0; place < first.size(); ++place) {
    first[static_cast<size_t>(dimension.order[place])] = at;
    const auto n = static_cast<int64_t>(dimension.length[place]);
    at += n * n;
  }
  return first;
}

}  // namespace

Examples examples_of(const Dataset& dataset, const Batch& batch, std::span<const Space> spaces) {
  Examples examples;
  examples.count = batch.rows;
  for (const BatchDimension& dimension : batch.dimensions) {
    std::vector<int32_t>& lengths = examples.lengths.emplace_back(dimension.order.size());
    for (size_t place = 0; place < lengths.size(); ++place)
      lengths[static_cast<size_t>(dimension.order[place])] = static_cast<int32_t>(dimension.length[place]);
  }
  for (const Piece& piece : batch.pieces) examples.numbers.push_back(static_cast<int32_t>(piece.number));
  examples.trees.resize(batch.dimensions.size());
  for (const Space& space : spaces) {
    if (space.kind != Space::Levels) continue;
    const FieldData* tree = dataset.tree(dataset.dimensions.at(static_cast<size_t>(space.base)));
    if (tree != nullptr) examples.trees[static_cast<size_t>(space.base)] = trees_of(*tree, batch);
  }
  return examples;
}

void Binder::set_field(Session& session, const std::string& input, const Dataset& dataset, size_t field,
                       const BatchField& values) {
  const DataField& spec = dataset.fields[field];
  if (spec.kind == FieldKind::Numbers) session.set_input(input, std::span<const float>(values.numbers));
  else session.set_input(input, std::span<const int32_t>(values.ids));
}

/// `%next.n.FIELD` and `%has.n.FIELD`, those that the program reads.
void Binder::set_next(Session& session, const Dataset& dataset, const Batch& batch) {
  BatchField next;
  for (const auto& [input, slab] : session.program().inputs) {
    const std::optional<NextInput> wanted = read_next_input(input);
    const int field = wanted ? dataset.find(wanted->field) : -1;
    if (field < 0) continue;
    fill_next(dataset, batch, static_cast<size_t>(field), wanted->distance, next, numbers_);
    if (wanted->has) session.set_input(input, std::span<const float>(numbers_));
    else set_field(session, input, dataset, static_cast<size_t>(field), next);
  }
}

void Binder::bind(Session& session, const Dataset& dataset, const Batch& batch, std::string_view except) {
  inputs_.take(examples_of(dataset, batch, inputs_.spaces()), session.program().capacity);
  bind_again(session, dataset, batch, except);
}

void Binder::bind_again(Session& session, const Dataset& dataset, const Batch& batch,
                        std::string_view except) {
  inputs_.set(session);
  for (size_t i = 0; i < batch.fields.size(); ++i) {
    const DataField& field = dataset.fields[i];
    const auto input = session.program().inputs.find(field.name);
    if (field.name == except || input == session.program().inputs.end()) continue;
    if (field.kind != FieldKind::Links) {
      set_field(session, field.name, dataset, i, batch.fields[i]);
      continue;
    }
    const auto dimension =
        std::ranges::find(dataset.dimensions, field.dimension) - dataset.dimensions.begin();
    const std::vector<int64_t> first = first_of_links(batch.dimensions.at(static_cast<size_t>(dimension)));
    const Rows range = rows_of_range(session.program().slabs[static_cast<size_t>(input->second)].rows);
    pack_rows(rows(), range, std::span<const int64_t>(first), std::span<const float>(batch.fields[i].numbers),
              1, numbers_);
    session.set_input(field.name, std::span<const float>(numbers_));
  }
  set_next(session, dataset, batch);
  const float fresh = batch.fresh ? 1 : 0;
  session.set_input(kFreshInput, std::span<const float>(&fresh, 1));
}

}  // namespace rnnc
