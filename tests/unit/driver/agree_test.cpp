// One model, many ways: interpreter, one kernel an op, all passes, each pass alone disabled, every target of
// this machine, one and two threads. All must give the same numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/driver/models.h"

namespace rnnc {
namespace {

using test::TestBatch;

constexpr int64_t kSymbols = 11, kLabels = 5;
constexpr int32_t kSteps = 7;

/// Largest difference, relative to the size of each tensor.
template <typename A, typename B>
double difference(const std::map<std::string, std::vector<A>>& want,
                  const std::map<std::string, std::vector<B>>& got, std::string* where) {
  double worst = 0;
  for (const auto& [name, values] : want) {
    const auto it = got.find(name);
    if (it == got.end() || it->second.size() != values.size()) {
      *where = name + " is missing or has another size";
      return INFINITY;
    }
    double scale = 1e-3;
    for (A v : values) scale = std::max(scale, std::abs(double(v)));
    for (size_t i = 0; i < values.size(); ++i) {
      const double d = std::abs(double(values[i]) - double(it->second[i])) / scale;
      if (!(d <= worst)) {
        worst = std::isnan(d) ? INFINITY : d;
        *where = name;
      }
    }
  }
  return worst;
}

/// What the optimizer writes depends on rounding when a gradient is tiny: Adam divides by its size. Compare
/// what it is made of: the moments.
template <typename T>
std::map<std::string, std::vector<T>> without_updates(std::map<std::string, std::vector<T>> values) {
  std::erase_if(values, [](const auto& entry) {
    return entry.first.starts_with("variable ") && entry.first.find('%') == std::string::npos;
  });
  return values;
}

struct Way {
  std::string name;
  std::string target = "host";
  bool fused = true;
  int threads = 1;
  std::vector<std::string> disabled;
};

std::vector<Way> ways() {
  std::vector<Way> list = {{"unfused", "host", false, 1, {}},
                           {"fused", "host", true, 1, {}},
                           {"two threads", "host", true, 2, {}},
                           {"unfused, two threads", "host", false, 2, {}}};
  for (const Pass& pass : pipeline()) {
    if (pass.optional)
      list.push_back({"without " + std::string(pass.name), "host", true, 1, {std::string(pass.name)}});
  }
  for (const auto name : target_names())
    list.push_back({"target " + std::string(name), std::string(name), true, 1, {}});
  return list;
}

/// One compiler a target: what the programs share is compiled once.
Jit& jit_for(const Target& target) {
  static std::map<std::string, std::unique_ptr<Jit>> jits;
  auto& jit = jits[target.name];
  if (!jit) jit = std::make_unique<Jit>(target);
  return *jit;
}

class Agree : public testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(Agree, InEveryWay) {
  const Lowered lowered = test::lower_text(GetParam().second, {{"C", kSymbols}, {"L", kLabels}});
  for (const ProgramKind kind : {ProgramKind::Train, ProgramKind::Evaluate, ProgramKind::Predict}) {
    CompileOptions options;
    options.kind = kind;
    options.optimizer.kind = Optimizer::Adam;
    options.optimizer.clip_norm = 0.5;
    options.batch_capacity = 9;
    options.time_steps = {kSteps};
    options.verify = true;
    const Graph graph = build_graph(lowered, options);
    for (const std::vector<int64_t>& lengths :
         {std::vector<int64_t>{7, 7, 7}, {7, 5, 5, 4, 2, 1, 1, 0}, {3}, {1, 1}}) {
      const TestBatch batch = test::make_batch(graph, lengths, kSteps, kLabels);
      const auto want = without_updates(test::run_interpreter(graph, batch));
      for (const Way& way : ways()) {
        Target target;
        try {
          target = target_by_name(way.target);
        } catch (const TargetError& e) {
          RecordProperty("skipped", e.what());
          continue;
        }
        Jit& jit = jit_for(target);
        CompileOptions o = options;
        o.fused = way.fused;
        o.disabled_passes = way.disabled;
        const auto got = without_updates(
            test::run_compiled(compile(graph, o, sequence_spaces({"T"}), jit), batch, way.threads));
        std::string where;
        EXPECT_LT(difference(want, got, &where), 2e-4)
            << way.name << ": " << where << ", program " << int(kind) << ", " << lengths.size() << " rows";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Agree, testing::ValuesIn(test::models()),
                         [](const auto& info) { return info.param.first; });

}  // namespace
}  // namespace rnnc
