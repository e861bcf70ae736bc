// Small operations of the checker's values and scopes.
#include <algorithm>

#include "frontend/checker.h"

namespace rnnc::checking {

Reaches Reaches::of_input(size_t input) {
  Reaches result;
  result.reach_.assign(input + 1, Reach::Nothing);
  result.reach_[input] = Reach::SameStep;
  return result;
}

bool Reaches::any() const {
  return std::any_of(reach_.begin(), reach_.end(), [](Reach r) { return r != Reach::Nothing; });
}

void Reaches::include(const Reaches& other) {
  if (reach_.size() < other.reach_.size()) reach_.resize(other.reach_.size(), Reach::Nothing);
  for (size_t i = 0; i < other.reach_.size(); ++i) reach_[i] = std::max(reach_[i], other.reach_[i]);
}

Reaches Reaches::everything() const {
  Reaches result = *this;
  for (Reach& r : result.reach_)
    if (r != Reach::Nothing) r = Reach::Later;
  return result;
}

Reaches Reaches::before() const {
  Reaches result = *this;
  for (Reach& r : result.reach_)
    if (r == Reach::SameStep) r = Reach::Before;
  return result;
}

Reaches Reaches::through(Reach inner) const {
  switch (inner) {
    case Reach::Nothing: return {};
    case Reach::Before: return before();
    case Reach::SameStep: return *this;
    case Reach::Later: return everything();
  }
  return *this;
}

Value Value::derived(ValueType new_type) const {
  Value result;
  result.type = std::move(new_type);
  result.per_row = per_row;
  result.reaches = reaches;
  return result;
}

void Scope::define(const std::string& name, Value value) {
  if (values.insert_or_assign(name, std::move(value)).second) order.push_back(name);
}

const Value* Scope::find(const std::string& name) const {
  const auto it = values.find(name);
  return it == values.end() ? nullptr : &it->second;
}

void Scope::add_dim(const std::string& dim) {
  if (!has_dim(dim)) dims.push_back(dim);
}

const Declared* Scope::state(const std::string& name) const {
  for (const Declared& s : states)
    if (s.name == name) return &s;
  return nullptr;
}

}  // namespace rnnc::checking
