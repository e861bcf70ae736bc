// Inputs of a program beside the fields: see piece_inputs.h.
#include "driver/piece_inputs.h"

#include <charconv>
#include <stdexcept>

#include "ir/model.h"

namespace rnnc {
namespace {

constexpr std::string_view kNext = "%next.", kHas = "%has.";

}  // namespace

std::optional<NextInput> read_next_input(std::string_view input) {
  NextInput result;
  result.has = input.starts_with(kHas);
  if (!result.has && !input.starts_with(kNext)) return std::nullopt;
  input.remove_prefix(result.has ? kHas.size() : kNext.size());
  const auto [end, error] = std::from_chars(input.data(), input.data() + input.size(), result.distance);
  if (error != std::errc() || end == input.data() + input.size() || *end != '.') return std::nullopt;
  result.field = input.substr(static_cast<size_t>(end - input.data()) + 1);
  return result;
}

CarriedStates::CarriedStates(const Session& session) {
  const Program& program = session.program();
  for (const auto& [input, slab] : program.inputs)
    if (input.starts_with(kCarryInputPrefix))
      names_.push_back({input, input.substr(1), program.slabs.at(static_cast<size_t>(slab)).cols});
}

void CarriedStates::set(Session& session, const Batch& batch) {
  for (const Name& name : names_) {
    std::vector<float>& values = values_[name.input];
    const auto count = static_cast<size_t>(batch.rows * name.cols);
    if (batch.fresh) values.assign(count, 0.0F);
    if (values.size() != count) throw std::logic_error("states of other rows for " + name.input);
    session.set_input(name.input, std::span<const float>(values));
  }
}

void CarriedStates::take(const Session& session) {
  for (const Name& name : names_) values_[name.input] = session.output(name.output);
}

}  // namespace rnnc
