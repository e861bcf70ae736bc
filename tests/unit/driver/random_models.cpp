// See random_models.h.
#include "tests/unit/driver/random_models.h"

#include <fmt/format.h>

#include <random>

namespace rnnc::test {
namespace {

const char* const kStates[] = {"h", "c", "m"};

/// One cell as text; collects the parameters that its expressions need.
class Writer {
 public:
  std::string cell(const RandomCell& cell) {
    std::string states, body;
    for (int k = 0; k < cell.states; ++k) states += fmt::format("{}{}: [H]", k ? ", " : "", kStates[k]);
    for (const RandomEquation& e : cell.equations)
      body += fmt::format("  {} = {}\n", e.name, expression(e.value));
    return fmt::format("cell {}(x: [E]; {}) {{\n{}{}}}\n", cell.name, states, parameters_, body);
  }

 private:
  std::string fresh(const char* type, const char* how) {
    std::string name = fmt::format("P{}", count_++);
    parameters_ += fmt::format("  param {}: {} ~ {}\n", name, type, how);
    return name;
  }

  std::string expression(const RandomExpr& e) {
    if (e.op == "x") return fmt::format("x @ {}", fresh("[E, H]", "glorot"));
    if (e.op == "delayed x") return fmt::format("delay(x) @ {}", fresh("[E, H]", "glorot"));
    if (e.op == "window") return fmt::format("window(x, 2) @ {}", fresh("[2*E, H]", "glorot"));
    if (e.op == "bias") return fresh("[H]", "normal(0.5)");
    if (e.args.empty()) return e.op;
    std::vector<std::string> args;
    for (const RandomExpr& a : e.args) args.push_back(expression(a));
    if (e.op == "@") return fmt::format("(({}) @ {})", args[0], fresh("[H, H]", "orthogonal"));
    if (e.op == "weigh") return fmt::format("({} * ({}))", fresh("[H]", "normal(0.5)"), args[0]);
    if (e.op == "delay") return fmt::format("delay({}, {})", args[0], e.amount);
    if (e.op == "rest") return fmt::format("(1 - ({}))", args[0]);
    if (e.op == "tame") return fmt::format("(({}) / (1 + ({})^2))", args[0], args[0]);
    if (e.op == "mean") return fmt::format("(({}) * mean({}))", args[1], args[0]);
    if (e.op == "norm") return fmt::format("layer_norm({})", args[0]);
    if (e.op == "max" || e.op == "min") return fmt::format("{}({}, {})", e.op, args[0], args[1]);
    if (args.size() == 2) return fmt::format("({} {} {})", args[0], e.op, args[1]);
    return fmt::format("{}({})", e.op, args[0]);
  }

  std::string parameters_;
  int count_ = 0;
};

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  RandomModel model() {
    RandomModel m;
    const uint32_t layers = 1 + below(8) / 4 + below(8) / 7;
    for (uint32_t k = 0; k < layers; ++k) m.layers.push_back(layer(k));
    m.symbols = 3 + int(below(2)) * 2;
    m.tagger = below(3) == 0;
    m.end = pick({"final", "last", "mean", "max"});
    return m;
  }

 private:
  uint32_t below(size_t n) { return uint32_t(random_() % n); }
  std::string pick(std::initializer_list<const char*> of) { return of.begin()[below(of.size())]; }

  RandomLayer layer(uint32_t number) {
    RandomLayer l;
    l.width = std::array{3, 5, 8, 17}[below(4)];
    l.around = pick({"", "", "", "reverse", "both", "stack"});
    l.from = below(5) == 0;
    if (below(5) == 0) l.cell.name = pick({"rnn", "lstm", "gru"});
    else l.cell = cell(fmt::format("cell{}", number));
    return l;
  }

  RandomCell cell(std::string name) {
    RandomCell c;
    c.name = std::move(name);
    c.states = 1 + int(below(3));
    leaves_ = {"x", "x", "bias"};
    for (int k = 0; k < c.states; ++k) leaves_.insert(leaves_.end(), {kStates[k], kStates[k]});
    for (uint32_t k = below(3); k-- > 0;) {
      const std::string equation = fmt::format("a{}", c.equations.size());
      c.equations.push_back({equation, expression(3)});
      leaves_.insert(leaves_.end(), {equation, equation, equation});
    }
    for (int k = c.states; k-- > 0;) {
      const std::string equation = std::string(kStates[k]) + "'";
      // What goes round is kept within bounds, or a random cell explodes.
      c.equations.push_back({equation, {pick({"tanh", "sigmoid", "tame", "sin"}), 0, {expression(4)}}});
      leaves_.push_back(equation);
    }
    return c;
  }

  RandomExpr expression(int depth) {
    if (depth == 0 || below(6) == 0) {
      if (below(12) == 0) return {pick({"delayed x", "window"}), 0, {}};
      return {leaves_[below(leaves_.size())], 0, {}};
    }
    switch (below(12)) {
      case 0:
      case 1: return {pick({"+", "-", "*"}), 0, {expression(depth - 1), expression(depth - 1)}};
      case 2: return {"+", 0, {expression(depth - 1), expression(depth - 1)}};
      case 3: return {pick({"max", "min"}), 0, {expression(depth - 1), expression(depth - 1)}};
      case 4:
      case 5: return {"@", 0, {expression(depth - 1)}};
      case 6: return {"weigh", 0, {expression(depth - 1)}};
      case 7: return {pick({"rest", "tame", "norm", "softmax"}), 0, {expression(depth - 1)}};
      case 8: return {"mean", 0, {expression(depth - 1), expression(depth - 1)}};
      case 9: return {"delay", 1 + int(below(2)), {expression(depth - 1)}};
      default:
        return {pick({"tanh", "sigmoid", "relu", "softplus", "sin", "abs", "cos", "elu"}),
                0,
                {expression(depth - 1)}};
    }
  }

  std::mt19937 random_;
  std::vector<std::string> leaves_;
};

// ---- Smaller ones

/// Every expression that has one node of `e` replaced by one of its operands, or by `x`.
void smaller(const RandomExpr& e, const std::function<void(RandomExpr)>& give) {
  for (const RandomExpr& a : e.args) give(a);
  if (e.op != "x") give({"x", 0, {}});
  for (size_t i = 0; i < e.args.size(); ++i) {
    smaller(e.args[i], [&](RandomExpr part) {
      RandomExpr whole = e;
      whole.args[i] = std::move(part);
      give(std::move(whole));
    });
  }
}

bool mentions(const RandomExpr& e, const std::string& name) {
  if (e.op == name) return true;
  for (const RandomExpr& a : e.args)
    if (mentions(a, name)) return true;
  return false;
}

/// Every model that is one step smaller.
std::vector<RandomModel> smaller(const RandomModel& m) {
  std::vector<RandomModel> list;
  auto with = [&](auto&& change) {
    RandomModel copy = m;
    change(copy);
    list.push_back(std::move(copy));
  };
  for (size_t k = 0; k < m.layers.size(); ++k) {
    if (m.layers.size() > 1) with([&](RandomModel& c) { c.layers.erase(c.layers.begin() + long(k)); });
    if (!m.layers[k].around.empty()) with([&](RandomModel& c) { c.layers[k].around.clear(); });
    if (m.layers[k].from) with([&](RandomModel& c) { c.layers[k].from = false; });
    if (m.layers[k].width > 3) with([&](RandomModel& c) { c.layers[k].width = 3; });
  }
  if (m.tagger) with([](RandomModel& c) { c.tagger = false; });
  if (m.end != "last") with([](RandomModel& c) { c.end = "last"; });
  for (size_t k = 0; k < m.layers.size(); ++k) {
    const RandomCell& cell = m.layers[k].cell;
    auto used = [&](const std::string& name) {
      for (const RandomEquation& e : cell.equations)
        if (mentions(e.value, name)) return true;
      return false;
    };
    for (size_t i = 0; i < cell.equations.size(); ++i) {
      const std::string& name = cell.equations[i].name;
      const bool last_state = cell.states > 1 && name == std::string(kStates[cell.states - 1]) + "'" &&
                              !used(name) && !used(kStates[cell.states - 1]);
      if (last_state || (name[0] == 'a' && !used(name))) {
        with([&](RandomModel& c) {
          c.layers[k].cell.equations.erase(c.layers[k].cell.equations.begin() + long(i));
          c.layers[k].cell.states -= last_state;
        });
      }
      smaller(cell.equations[i].value, [&](RandomExpr e) {
        with([&](RandomModel& c) { c.layers[k].cell.equations[i].value = std::move(e); });
      });
    }
  }
  return list;
}

}  // namespace

std::string RandomModel::text() const {
  std::string cells, scans, value = fmt::format("embed[{}](x)", symbols);
  for (size_t k = 0; k < layers.size(); ++k) {
    const RandomLayer& l = layers[k];
    if (!l.cell.equations.empty()) cells += Writer().cell(l.cell);
    std::string cell = fmt::format("{}[{}]", l.cell.name, l.width);
    if (l.around == "stack") cell = fmt::format("stack({}, 2)", cell);
    else if (!l.around.empty()) cell = fmt::format("{}({})", l.around, cell);
    scans += fmt::format("  h{} = scan {} over {}{}\n", k, cell, value, l.from ? " from h = 0.5" : "");
    value = fmt::format("h{}", k);
  }
  const std::string row = tagger                          ? value
                          : end == "mean" || end == "max" ? fmt::format("{} over T ({})", end, value)
                                                          : fmt::format("{}({})", end, value);
  return fmt::format(R"({}data d {{
  read "t.tsv" as tsv
  x: C[T] = chars(col(1))
  y: {} = {}(col(2))
}}
model m(x: C[T]) -> (logits: [{}L]) {{
{}  logits = linear[L]({})
}}
train m on d {{
  loss      cross_entropy(logits, y)
  metric    accuracy(logits, y)
  optimizer adam(rate = 1e-3)
  epochs    1
}}
predict m {{
  show log_softmax(logits)
}}
)",
                     cells, tagger ? "L[T]" : "L", tagger ? "chars" : "category", tagger ? "T, " : "", scans,
                     row);
}

RandomModel random_model(unsigned seed) {
  return Maker(seed).model();
}

RandomModel shrink(RandomModel model, const std::function<bool(const RandomModel&)>& fails, int tries) {
  for (bool smaller_found = true; smaller_found && tries > 0;) {
    smaller_found = false;
    for (RandomModel& candidate : smaller(model)) {
      if (tries-- <= 0) break;
      if (!fails(candidate)) continue;
      model = std::move(candidate);
      smaller_found = true;
      break;
    }
  }
  return model;
}

}  // namespace rnnc::test
