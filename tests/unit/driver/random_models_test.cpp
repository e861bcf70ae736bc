// Random models through the whole compiler: interpreter, one kernel an op, fused, each pass alone disabled,
// each target, one and two threads; gradients against finite differences. A model that fails is made smaller
// and printed as a file that can be run.
//
//   RNNC_RANDOM_SEED=1000 RNNC_RANDOM_COUNT=5000 build-test/tests/test_driver --gtest_filter='RandomModels.*'
//
// tries other models than ./check does (tools/random_models says it shorter). Each model goes through some of
// the compiled ways in turn; with RNNC_RANDOM_ALL=1 through all of them.
#include "tests/unit/driver/random_models.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "ir/diagnostic.h"
#include "ir/verify.h"
#include "passes/differentiate.h"
#include "passes/passes.h"
#include "tests/unit/driver/models.h"

namespace rnnc {
namespace {

constexpr unsigned kModels = 300;
constexpr int32_t kSteps = 4;
constexpr int64_t kSymbols = 6, kLabels = 4;

using Values = std::map<std::string, std::vector<double>>;

unsigned number_from(const char* name, unsigned otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? unsigned(std::strtoul(text, nullptr, 10)) : otherwise;
}

/// Lengths of the rows: unequal, with an empty row now and then.
std::vector<int64_t> lengths_of(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<int64_t> lengths(1 + random() % 4);
  for (int64_t& n : lengths) n = int64_t(random() % (kSteps + 1));
  lengths[0] = std::max<int64_t>(lengths[0], 1);
  std::sort(lengths.rbegin(), lengths.rend());
  return lengths;
}

/// Where two results differ by more than `tolerance` of a tensor's size plus `slack` of each element, or
/// nothing.
template <typename T>
std::string difference(const Values& want, const std::map<std::string, std::vector<T>>& got, double tolerance,
                       const Values* moved = nullptr) {
  for (const auto& [name, values] : want) {
    if (name.starts_with("variable ") && name.find('%') == std::string::npos) continue;  // Adam divides by ~0
    const auto it = got.find(name);
    if (it == got.end() || it->second.size() != values.size()) return name + " has another size";
    double scale = 1e-3, rounding = 0;
    for (double v : values) scale = std::max(scale, std::abs(v));
    if (!(scale < 1e6)) continue;  // past what f32 sums can hold
    for (size_t i = 0; moved && i < values.size(); ++i)
      rounding = std::max(rounding, std::abs(moved->at(name)[i] - values[i]));
    for (size_t i = 0; i < values.size(); ++i) {
      const double d = std::abs(values[i] - double(it->second[i]));
      if (!(d <= tolerance * scale + 100 * rounding))
        return fmt::format("{} element {}: {} and {}", name, i, values[i], it->second[i]);
    }
  }
  return {};
}

class Trial {
 public:
  Trial(unsigned seed, bool all_ways) : seed_(seed), all_(all_ways) {}

  /// What is wrong with the model; empty: nothing.
  std::string wrong(const std::string& text) const {
    try {
      const Lowered lowered = test::lower_text(text, {{"C", kSymbols}, {"L", kLabels}});
      if (std::string w = wrong_gradients(lowered); !w.empty()) return w;
      for (const ProgramKind kind : {ProgramKind::Train, ProgramKind::Predict}) {
        if (kind == ProgramKind::Predict && !all_ && seed_ % 4 != 0) continue;
        if (std::string w = wrong_program(lowered, kind); !w.empty())
          return fmt::format("program {}, {}", int(kind), w);
      }
      return {};
    } catch (const UserError& error) {
      return error.what();
    } catch (const std::logic_error& error) {  // GraphError, VerifyError
      return error.what();
    }
  }

 private:
  struct Way {
    std::string name, target = "host";
    bool fused = true;
    int threads = 1;
    std::vector<std::string> disabled = {};
  };

  std::vector<Way> ways() const {
    std::vector<Way> rest;
    for (const Pass& pass : pipeline())
      if (pass.optional)
        rest.push_back({fmt::format("without {}", pass.name), "host", true, 1, {std::string(pass.name)}});
    for (const auto target : target_names()) {
      try {
        (void)target_by_name(target);
      } catch (const TargetError&) {
        continue;  // not of this machine
      }
      rest.push_back({fmt::format("target {}", target), std::string(target), true, 2});
    }
    std::vector<Way> list = {{"fused", "host", true, 1}, {"fused, two threads", "host", true, 2}};
    if (all_ || seed_ % 2) list.push_back({"unfused", "host", false, seed_ % 4 == 1 ? 1 : 2});
    for (size_t k = 0; k < rest.size(); ++k)
      if (all_ || (seed_ % 2 == 0 && k == seed_ / 2 % rest.size())) list.push_back(rest[k]);
    return list;
  }

  /// Compiled programs against the interpreter, and in double every pass alone disabled.
  std::string wrong_program(const Lowered& lowered, ProgramKind kind) const {
    CompileOptions options;
    options.kind = kind;
    options.optimizer.kind = Optimizer::Adam;
    options.optimizer.clip_norm = 0.5;
    options.batch_capacity = 5;
    options.time_steps = {kSteps};
    options.verify = true;
    const Graph graph = build_graph(lowered, options);
    const test::TestBatch batch = test::make_batch(graph, lengths_of(seed_), kSteps, kLabels, seed_);
    const Values want = test::run_interpreter(graph, batch);
    for (const Pass& left_out : pipeline()) {
      if (!left_out.optional) continue;
      PipelineOptions without;
      without.disabled = {std::string(left_out.name)};
      without.after = [](const Pass& pass, const Graph& g) { verify(g, pass.stage); };
      const std::string w =
          difference(want, test::run_interpreter(run_pipeline(graph, without), batch), 1e-9);
      if (!w.empty()) return fmt::format("in double, without {}: {}", left_out.name, w);
    }
    test::TestBatch near = batch;  // how much rounding can do to these values
    for (auto& [name, t] : near.values)
      for (double& v : t.data)
        if (t.shape.type == Type::F32) v *= 1 + 1e-6;
    const Values moved = test::run_interpreter(graph, near);
    Compiled compiled;
    for (const Way& way : ways()) {
      if (way.name != "fused, two threads") {  // that one runs what `fused` compiled
        CompileOptions o = options;
        o.fused = way.fused;
        o.disabled_passes = way.disabled;
        compiled = compile(graph, o, lowered.model.spaces, jit_for(way.target));
      }
      const std::string w = difference(want, test::run_compiled(compiled, batch, way.threads), 3e-4, &moved);
      if (!w.empty()) return fmt::format("{}: {}", way.name, w);
    }
    return all_ || seed_ % 3 == 0 ? wrong_bits(graph, options, lowered, batch) : std::string();
  }

  /// A forward pass that is computed again, segment by segment, changes no bit.
  std::string wrong_bits(const Graph& graph, CompileOptions options, const Lowered& lowered,
                         const test::TestBatch& batch) const {
    Jit& jit = jit_for("host");
    const test::Results want =
        test::run_compiled(compile(graph, options, lowered.model.spaces, jit), batch, 1);
    options.segments = {0, int32_t(1 + seed_ / 3 % (kSteps - 1))};
    const std::string w = test::first_difference(
        want, test::run_compiled(compile(graph, options, lowered.model.spaces, jit), batch, 2));
    return w.empty() ? w : fmt::format("segments of {} steps: {}", options.segments.steps, w);
  }

  static Jit& jit_for(const std::string& name) {
    static std::map<std::string, std::unique_ptr<Jit>> jits;
    auto& jit = jits[name];
    if (!jit) jit = std::make_unique<Jit>(target_by_name(name));
    return *jit;
  }

  /// The gradient by each parameter along a random direction, against central differences of two widths:
  /// where those disagree there is a corner (relu, max) in between, and nothing is said.
  std::string wrong_gradients(const Lowered& lowered) const {
    Graph g = unroll(lowered.model, std::array{kSteps});
    std::erase_if(g.roots, [](const Root& root) { return root.name != "loss"; });
    const Graph forward = dce(g);
    g = forward;
    std::vector<NodeId> weights;
    for (const Parameter& p : lowered.model.parameters) weights.push_back(g.variable(p.name, p.rows, p.cols));
    const std::vector<NodeId> gradients = differentiate(g, g.roots[0].node, weights);
    for (size_t i = 0; i < weights.size(); ++i) g.roots.push_back({g.name(weights[i]), gradients[i]});
    const test::TestBatch batch = test::make_batch(g, lengths_of(seed_), kSteps, kLabels, seed_);
    const Values exact = test::run_interpreter(g, batch);
    std::mt19937 random(seed_);
    std::normal_distribution<double> normal;
    for (const Parameter& p : lowered.model.parameters) {
      std::vector<double> direction(exact.at(p.name).size());
      double along = 0, size = 0;
      for (size_t i = 0; i < direction.size(); ++i) {
        direction[i] = normal(random);
        along += direction[i] * exact.at(p.name)[i];
        size += direction[i] * direction[i] * exact.at(p.name)[i] * exact.at(p.name)[i];
      }
      auto slope = [&](double h) {
        double s = 0;
        for (const double at : {-2 * h, -h, h, 2 * h}) {
          test::TestBatch moved = batch;
          std::vector<double>& values = moved.values.at(p.name).data;
          for (size_t i = 0; i < values.size(); ++i) values[i] += at * direction[i];
          const double loss = test::run_interpreter(forward, moved).at("loss").at(0);
          s += loss * (at == h ? 8 : at == -h ? -8 : at > 0 ? -1 : 1);
        }
        return s / (12 * h);
      };
      const double wide = slope(1e-4), narrow = slope(2e-5);
      const double scale = std::max({std::sqrt(size), std::abs(along), 1e-3});
      if (std::abs(wide - narrow) > 1e-7 * scale) continue;  // a corner
      if (!(std::abs(along - narrow) <= 1e-6 * scale))
        return fmt::format("gradient by {}: {}, by differences {}", p.name, along, narrow);
    }
    return {};
  }

  unsigned seed_;
  bool all_;
};

TEST(RandomModels, AgreeInEveryWay) {
  const unsigned first = number_from("RNNC_RANDOM_SEED", 1),
                 count = number_from("RNNC_RANDOM_COUNT", kModels);
  const bool all = number_from("RNNC_RANDOM_ALL", 0) != 0;
  for (unsigned seed = first; seed < first + count; ++seed) {
    const Trial trial(seed, all);
    const test::RandomModel model = test::random_model(seed);
    std::string why = trial.wrong(model.text());
    if (why.empty()) continue;
    const test::RandomModel small =
        test::shrink(model, [&](const test::RandomModel& m) { return !trial.wrong(m.text()).empty(); });
    why = trial.wrong(small.text());
    FAIL() << "seed " << seed << ": " << why << "\nthe smallest model that fails (lengths "
           << testing::PrintToString(lengths_of(seed)) << "):\n\n"
           << small.text();
  }
}

TEST(RandomModels, CoverTheLanguageOfCells) {
  std::map<std::string, int> seen;
  for (unsigned seed = 1; seed <= kModels; ++seed) {
    const test::RandomModel m = test::random_model(seed);
    ++seen[fmt::format("{} layers", m.layers.size())];
    ++seen[m.tagger ? "tagger" : m.end];
    for (const test::RandomLayer& l : m.layers) {
      ++seen[l.around.empty() ? "forward" : l.around];
      ++seen[l.cell.equations.empty() ? "library" : fmt::format("{} states", l.cell.states)];
      if (l.from) ++seen["from"];
    }
    const std::string text = m.text();
    for (const char* word :
         {"delay(h", "delay(x", "window(", "layer_norm(", "softmax(", "max(", "mean(", "relu("})
      seen[word] += text.find(word) != std::string::npos;
  }
  for (const char* what : {"1 layers", "2 layers", "3 layers", "tagger",  "final",   "last",    "mean",
                           "max",      "forward",  "reverse",  "both",    "stack",   "library", "1 states",
                           "2 states", "3 states", "from",     "delay(h", "delay(x", "window(", "layer_norm(",
                           "softmax(", "max(",     "mean(",    "relu("})
    EXPECT_GE(seen[what], 5) << what;
}

TEST(RandomModels, AreTheSameForTheSameSeed) {
  EXPECT_EQ(test::random_model(7).text(), test::random_model(7).text());
  EXPECT_NE(test::random_model(7).text(), test::random_model(8).text());
}

/// As if every model with a delay of a sum failed.
TEST(RandomModels, AFailureIsMadeSmall) {
  int shrunk = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    auto fails = [](const test::RandomModel& m) { return m.text().find("softplus(") != std::string::npos; };
    const test::RandomModel model = test::random_model(seed);
    if (!fails(model)) continue;
    ++shrunk;
    const test::RandomModel small = test::shrink(model, fails);
    EXPECT_TRUE(fails(small));
    EXPECT_EQ(small.layers.size(), 1u) << small.text();
    EXPECT_LE(small.layers[0].cell.equations.size(), size_t(small.layers[0].cell.states) + 1) << small.text();
    EXPECT_LE(small.text().size(), model.text().size());
  }
  EXPECT_GE(shrunk, 5);
}

}  // namespace
}  // namespace rnnc
