// Training goes back when a number was lost: the step that lost it is found, run once more with every value
// at hand (not_a_number.h), and the parameters before it are kept.
//
//   remembered                            the loss, a gradient or
//       |  step  step  step ... step      a parameter is no number
//       +-----------------------> go_back_to: the same steps again, up to the one that lost it
//
// What it costs while all is well: a copy of the variables every 64 steps, and a look at them there and at
// the end of an epoch.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "driver/not_a_number.h"
#include "driver/train_loaded.h"
#include "runtime/errors.h"

namespace rnnc {
namespace {

bool all_finite(std::span<const float> values) {
  // x * 0 is 0 for every number and NaN for everything else: a sum without branches, eight at a time.
  float sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= values.size(); i += 8)
    for (size_t k = 0; k < 8; ++k) sums[k] += values[i + k] * 0.0F;
  for (; i < values.size(); ++i) sums[0] += values[i] * 0.0F;
  return std::ranges::all_of(sums, [](float sum) { return sum == 0; });
}

}  // namespace

/// The first variable that training changes and that is not all numbers; empty if there is none.
std::string Trainer::lost_variable() const {
  for (const Parameter& p : loaded_->lowered.model.parameters) {
    if (p.frozen) continue;
    std::vector<std::string> names = state_names(settings_.optimizer, p.name);
    names.insert(names.begin(), p.name);
    for (const std::string& name : names)
      if (variables_.has(name) && !all_finite(variables_.at(name).values())) return name;
  }
  return "";
}

void Trainer::remember() {
  const Stage stage(team_.trace(), "remember");
  if (remembered_.epoch == position_.epoch && position_.step > 0) check_variables();
  remembered_.epoch = position_.epoch;
  remembered_.step = position_.step;
  remembered_.total_steps = position_.total_steps;
  for (const auto& [name, variable] : variables_.all()) {
    const auto values = variable->values();
    remembered_.values[name].assign(values.begin(), values.end());
  }
  remembered_.carried = loaded_->states.values();
}

void Trainer::check_variables() {
  const Stage stage(team_.trace(), "look for lost numbers");
  if (!lost_variable().empty()) lost(LostIn::Update);
}

/// The variables as they were before step `step` of this epoch: from the last ones remembered, over the same
/// steps again. Stops earlier, after the first step that leaves a variable that is no number; gives its name.
std::string Trainer::go_back_to(int64_t step) {
  for (const auto& [name, values] : remembered_.values)
    std::copy(values.begin(), values.end(), variables_.at(name).values().begin());
  loaded_->states.restore(remembered_.carried);
  position_.step = remembered_.step;
  position_.total_steps = remembered_.total_steps;
  std::string lost;
  while (position_.step + 1 < step && lost.empty()) {
    const Batch& batch = loaded_->ahead.batch(position_.step);
    ++position_.step;
    ++position_.total_steps;
    fill(loaded_->session, batch);
    loaded_->session.run(team_);
    loaded_->states.take(loaded_->session);
    lost = lost_variable();
  }
  if (!lost.empty()) return lost;
  ++position_.step;
  ++position_.total_steps;
  return "";
}

/// Ends training: `seen` in the step done last, where it may have come from an earlier one.
void Trainer::lost(LostIn seen) {
  write_model();  // of the epochs before
  const std::string variable = go_back_to(seen == LostIn::Update ? position_.step + 1 : position_.step);
  if (!variable.empty()) {
    seen = LostIn::Update;
    go_back_to(position_.step);
  }
  const Batch& batch = loaded_->ahead.batch(position_.step - 1);
  const auto fill_again = [&](Session& session) { fill(session, batch); };
  const LostNumber lost{
      experiment_, loaded_->lowered, loaded_->options, loaded_->binder.inputs(), variables_, fill_again,
      seen,        variable};
  std::vector<std::string> notes = first_lost_number(lost, jit_, team_);
  notes.push_back(keep_parameters());
  if (!best_.empty())
    notes.push_back(fmt::format("those after epoch {} are in {}", position_.best_epoch, settings_.save));
  const std::string what = seen == LostIn::Loss ? "the loss is not a number"
                           : seen == LostIn::Gradient
                               ? "the gradient is not a number"
                               : fmt::format("`{}` is not a number after it", variable);
  const bool clipped = settings_.optimizer.clips();
  throw TrainingFailed(
      in_file(fmt::format("step {}", position_.total_steps), 0, 0, what, std::move(notes),
              fmt::format("{}a smaller rate than {}", clipped ? "" : "`clip norm(5)`, or ", settings_.rate)));
}

/// Writes the parameters as they were before the step that failed; says where they are.
std::string Trainer::keep_parameters() {
  const std::string file = settings_.save + ".before";
  Values values;
  for (const Parameter& p : loaded_->lowered.model.parameters) {
    const auto now = variables_.at(p.name).values();
    values[p.name].assign(now.begin(), now.end());
  }
  try {
    save_parameters(file, values, position_.epoch);
  } catch (const RunError& problem) {
    return fmt::format("the parameters before this step could not be written: {}", problem.what());
  }
  return fmt::format("the parameters before this step are in {}: `load \"{}\"` begins with them", file, file);
}

}  // namespace rnnc
