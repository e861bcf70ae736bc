// Random graphs as programs: one kernel an op and fused, one and two threads, against the interpreter. What
// no model has (two sequences, values in several joins, products read padded and unpadded) comes up here.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/driver/models.h"
#include "tests/unit/passes/graphs.h"

namespace rnnc {
namespace {

constexpr unsigned kGraphs = 80;

void set_values(Session& session, Variables& variables, const Tensors& values) {
  for (const auto& [name, t] : values) {
    if (variables.has(name)) {
      std::copy(t.data.begin(), t.data.end(), variables.at(name).data.begin());
    } else if (session.has_input(name)) {
      if (t.shape.type == Type::I32) {
        session.set_input(name, std::vector<int32_t>(t.data.begin(), t.data.end()));
      } else {
        session.set_input(name, std::vector<float>(t.data.begin(), t.data.end()));
      }
    }
  }
}

TEST(RandomPrograms, AgreeWithTheInterpreter) {
  Jit jit(target_by_name("host"));
  for (unsigned seed = 0; seed < kGraphs; ++seed) {
    const Graph g = test::random_graph(seed);
    const test::Sample s = test::sample(g, {4, 3, 3, 1, 0}, {4, 2, 2, 1, 1}, seed);
    test::Sample near = s;  // how much rounding can do to these values: deep random graphs multiply it
    for (auto& [name, t] : near.values) {
      for (double& v : t.data) {
        if (t.shape.type == Type::F32) v *= 1 + 2e-7;
      }
    }
    const Tensors want = interpret_roots(g, s.values, s.table()).outputs;
    const Tensors moved = interpret_roots(g, near.values, near.table()).outputs;
    for (const bool fused : {false, true}) {
      CompileOptions options;
      options.time_steps = {test::kSteps, test::kSteps};
      options.batch_capacity = s.batch;
      options.fused = fused;
      options.verify = true;
      const Compiled compiled = compile(g, options, sequence_spaces({"T", "S"}), jit);
      for (const int threads : {1, 2}) {
        Variables variables;
        Session session(compiled.plan.program, variables);
        Team team(threads);
        session.set_rows({s.batch, s.list});
        set_values(session, variables, s.values);
        session.run(team);
        for (const auto& [name, t] : want) {
          SCOPED_TRACE(
              fmt::format("seed {}, {}, {} threads, {}", seed, fused ? "fused" : "unfused", threads, name));
          const std::vector<float> got = session.output(name);
          ASSERT_EQ(got.size(), t.data.size());
          double scale = 1;
          for (double v : t.data) scale = std::max(scale, std::abs(v));
          if (!(scale < 1e6)) continue;  // past what f32 sums can hold
          for (size_t i = 0; i < got.size(); ++i) {
            const double rounding = std::abs(moved.find(name)->second.data[i] - t.data[i]);
            ASSERT_NEAR(got[i], t.data[i], 1e-3 * scale + 1000 * rounding) << "element " << i;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace rnnc
