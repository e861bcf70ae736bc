// Greedy, sampling and beam search: see search.h.
#include "driver/search.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "runtime/errors.h"
#include "runtime/random.h"

namespace rnnc {
namespace {

/// A symbol with its log probability.
struct Choice {
  int32_t symbol = -1;
  double log_p = -INFINITY;
};

/// The log probabilities of one row at a time, without what may not be written.
class Choices {
 public:
  Choices(const Stepper& stepper, const SymbolRules& rules)
      : entries_(static_cast<size_t>(stepper.entries)), allowed_(entries_, true) {
    for (const int32_t symbol : rules.never) allowed_.at(static_cast<size_t>(symbol)) = false;
  }

  /// Calls `visit` with every symbol that is possible in row `row`, in the order of the vocabulary.
  template <typename Visit>
  void each(std::span<const float> log_p, int64_t row, Visit visit) const {
    const std::span<const float> here = log_p.subspan(static_cast<size_t>(row) * entries_, entries_);
    bool any = false;
    for (size_t symbol = 0; symbol < entries_; ++symbol) {
      if (!allowed_[symbol] || here[symbol] == -INFINITY) continue;
      if (!std::isfinite(here[symbol])) throw RunError("the scores of the model are not numbers");
      any = true;
      visit(Choice{static_cast<int32_t>(symbol), here[symbol]});
    }
    if (!any) throw RunError("the model leaves nothing that could be written");
  }

 private:
  size_t entries_;
  std::vector<bool> allowed_;
};

/// The `count` best things seen, the best first; equal ones in the order in which they came.
template <typename T, typename Value>
class Best {
 public:
  Best(size_t count, Value value) : count_(count), value_(value) {}
  void see(const T& thing) {
    if (items.size() == count_ && !(value_(thing) > value_(items.back()))) return;
    const auto worse = [&](const T& other) { return value_(thing) > value_(other); };
    items.insert(std::ranges::find_if(items, worse), thing);
    if (items.size() > count_) items.pop_back();
  }
  std::vector<T> items;

 private:
  size_t count_;
  Value value_;
};

/// One of them by chance, in proportion to p^(1/temperature) among the `top` best.
Choice draw(std::vector<Choice> choices, const SearchSettings& settings, float chance) {
  std::ranges::stable_sort(choices, std::ranges::greater(), &Choice::log_p);
  if (settings.top > 0) choices.resize(std::min(choices.size(), static_cast<size_t>(settings.top)));
  std::vector<double> sums;
  double sum = 0;
  for (const Choice& choice : choices) {
    sum += std::exp((choice.log_p - choices[0].log_p) / settings.temperature);
    sums.push_back(sum);
  }
  const auto at = std::ranges::upper_bound(sums, double{chance} * sum) - sums.begin();
  return choices[std::min(static_cast<size_t>(at), choices.size() - 1)];
}

/// The next symbol of sequence `number`, without a look ahead.
Choice choose(const Choices& choices, std::span<const float> log_p, int64_t row, int64_t number, int64_t t,
              const SearchSettings& settings) {
  if (settings.kind != SearchSettings::Sample) {
    Choice best;
    choices.each(log_p, row, [&](const Choice& choice) {
      if (choice.log_p > best.log_p) best = choice;
    });
    return best;
  }
  std::vector<Choice> all;
  choices.each(log_p, row, [&](const Choice& choice) { all.push_back(choice); });
  const Random random(settings.seed, place_of("generate"), static_cast<uint32_t>(number));
  return draw(std::move(all), settings, random.uniform(static_cast<uint64_t>(t)));
}

std::vector<Written> one_by_one(const Stepper& stepper, const SearchSettings& settings,
                                const SymbolRules& rules, const OnSymbol& on_symbol,
                                std::span<const int64_t> numbers) {
  const Choices choices(stepper, rules);
  const auto rows = static_cast<size_t>(stepper.rows);
  std::vector<Written> written(rows);
  std::vector<bool> done(rows);
  std::vector<int32_t> symbols(rows);
  std::vector<float> log_p = stepper.begin();
  for (int64_t t = 0; t < settings.length; ++t) {
    for (size_t r = 0; r < rows; ++r) {
      if (done[r]) continue;
      const auto row = static_cast<int64_t>(r);
      const Choice choice = choose(choices, log_p, row, numbers.empty() ? row : numbers[r], t, settings);
      symbols[r] = choice.symbol;
      written[r].log_probability += choice.log_p;
      written[r].ended = done[r] = choice.symbol == rules.end;
      if (done[r]) continue;
      written[r].symbols.push_back(choice.symbol);
      if (on_symbol) on_symbol(row, choice.symbol);
    }
    if (t + 1 == settings.length || std::ranges::find(done, false) == done.end()) break;
    log_p = stepper.next(symbols);
  }
  return written;
}

struct Hypothesis {
  Written text;
  int64_t row = 0;  // where the model stands that wrote it
};

/// One step of one beam: the best of those that ended and of all that the others can become.
std::vector<Hypothesis> extend(const std::vector<Hypothesis>& beam, std::span<const float> log_p,
                               const Choices& choices, const SearchSettings& settings,
                               const SymbolRules& rules) {
  struct Candidate {
    double log_probability;
    const Hypothesis* from;
    int32_t symbol;  // -1: it ended before
  };
  // Equal ones in the order of the beam, then of the vocabulary.
  Best<Candidate, double (*)(const Candidate&)> best(static_cast<size_t>(settings.beam),
                                                     [](const Candidate& c) { return c.log_probability; });
  for (const Hypothesis& h : beam) {
    if (h.text.ended) {
      best.see({h.text.log_probability, &h, -1});
      continue;
    }
    choices.each(log_p, h.row, [&](const Choice& choice) {
      best.see({h.text.log_probability + choice.log_p, &h, choice.symbol});
    });
  }
  std::vector<Hypothesis> next;
  for (const Candidate& c : best.items) {
    Hypothesis h = *c.from;
    h.text.log_probability = c.log_probability;
    h.text.ended = c.symbol < 0 || c.symbol == rules.end;
    if (!h.text.ended) h.text.symbols.push_back(c.symbol);
    next.push_back(std::move(h));
  }
  return next;
}

std::vector<Written> beams(const Stepper& stepper, const SearchSettings& settings, const SymbolRules& rules,
                           const OnSymbol& on_symbol) {
  const int64_t width = settings.beam, count = stepper.rows / width;
  if (count * width != stepper.rows) throw std::invalid_argument("rows are no multiple of the beam");
  std::vector<std::vector<Hypothesis>> all(static_cast<size_t>(count));
  for (int64_t e = 0; e < count; ++e) all[static_cast<size_t>(e)] = {{{}, e * width}};
  const Choices choices(stepper, rules);
  std::vector<float> log_p = stepper.begin();
  std::vector<int64_t> order(static_cast<size_t>(stepper.rows));
  std::vector<int32_t> symbols(order.size());
  for (int64_t t = 0; t < settings.length; ++t) {
    std::iota(order.begin(), order.end(), int64_t{0});
    bool going = false;
    for (int64_t e = 0; e < count; ++e) {
      std::vector<Hypothesis>& beam = all[static_cast<size_t>(e)];
      // Probabilities only fall: once the best has ended, nothing can overtake it.
      if (beam[0].text.ended) continue;
      beam = extend(beam, log_p, choices, settings, rules);
      going = going || !beam[0].text.ended;
      for (size_t i = 0; i < beam.size(); ++i) {
        const int64_t row = e * width + static_cast<int64_t>(i);
        order[static_cast<size_t>(row)] = beam[i].row;
        beam[i].row = row;
        if (!beam[i].text.ended) symbols[static_cast<size_t>(row)] = beam[i].text.symbols.back();
      }
    }
    if (!going || t + 1 == settings.length) break;
    stepper.reorder(order);
    log_p = stepper.next(symbols);
  }
  std::vector<Written> best;
  for (int64_t e = 0; e < count; ++e) {
    best.push_back(std::move(all[static_cast<size_t>(e)][0].text));
    for (const int32_t symbol : best.back().symbols)
      if (on_symbol) on_symbol(e, symbol);
  }
  return best;
}

}  // namespace

std::vector<Written> search(const Stepper& stepper, const SearchSettings& settings, const SymbolRules& rules,
                            const OnSymbol& on_symbol, std::span<const int64_t> numbers) {
  if (stepper.rows == 0) return {};
  if (settings.kind == SearchSettings::Beam) return beams(stepper, settings, rules, on_symbol);
  return one_by_one(stepper, settings, rules, on_symbol, numbers);
}

}  // namespace rnnc
