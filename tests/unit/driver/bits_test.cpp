// Every promise of equal bits, in one matrix: for each target of this machine and each program, the numbers
// do not depend on the threads, the capacity of the batch, what ran before, who compiled it, whether products
// of all steps are done at once or with the steps, whether the forward pass is kept or computed again, or,
// for what is shown of a row, on the rows beside it. Between targets bits may differ (vectors of other widths
// sum in another order); that is not promised, and agree_test holds them together within rounding.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/driver/cells.h"
#include "tests/unit/driver/models.h"
#include "tests/unit/driver/taggers.h"

namespace rnnc {
namespace {

constexpr int64_t kSymbols = 9, kLabels = 5, kRows = 9;
constexpr int32_t kSteps = 6;

using test::Results;

struct Setting {
  int threads;
  int64_t capacity;
  bool another_compiler;  // a fresh Jit
  bool hoisted = true;    // what does not recur leaves the time loop
  int32_t segment = 0;    // steps after which the forward pass is cut, to be computed again; 0: it is kept
};
const Setting kSettings[] = {{1, kRows, false},        {2, kRows, false},     {3, kRows, false},
                             {1, 40, false},           {2, 40, true},         {1, kRows, true},
                             {1, kRows, false, false}, {2, 40, false, false}, {1, kRows, false, true, 2},
                             {2, 40, false, false, 3}};

std::vector<std::pair<std::string, std::string>> cases() {
  return {{"lstm", test::classifier("", "scan stack(both(lstm[17]), 2) over embed[8](x)")},
          {"gru", test::tagger("", "scan reverse(gru[33]) over embed[6](x)")},
          {"ln_lstm", test::tagger(test::cell_text("ln_lstm"), "scan ln_lstm[20] over embed[8](x)")},
          {"qrnn", test::classifier(test::cell_text("qrnn"), "scan qrnn[40] over embed[8](x)")}};
}

std::vector<Target> targets() {
  std::vector<Target> list;
  for (const auto name : target_names()) {
    try {
      list.push_back(target_by_name(name));
    } catch (const TargetError&) {  // not of this machine
    }
  }
  return list;
}

/// The rows `chosen` of a batch whose rows are all kSteps long.
test::TestBatch rows_of(const Graph& graph, const test::TestBatch& from, const std::vector<size_t>& chosen) {
  test::TestBatch b =
      test::make_batch(graph, std::vector<int64_t>(chosen.size(), kSteps), kSteps, kLabels);  // of this size
  for (auto& [name, tensor] : b.values) {
    const Tensor& all = from.values.at(name);
    const Rows rows = tensor.shape.rows;
    if (rows.kind == Rows::Fixed) tensor = all;
    if (rows.kind == Rows::Fixed || name == last_index_input(0)) continue;
    const auto cols = size_t(tensor.cols);
    const size_t steps = rows.kind == Rows::Steps ? size_t(rows.end - rows.begin) : 1;
    for (size_t t = 0; t < steps; ++t)
      for (size_t r = 0; r < chosen.size(); ++r)
        for (size_t c = 0; c < cols; ++c)
          tensor.data[(t * chosen.size() + r) * cols + c] =
              all.data[(t * size_t(kRows) + chosen[r]) * cols + c];
  }
  return b;
}

/// Of every value shown what belongs to place `place` of a batch of `rows`.
Results shown_of(const Lowered& lowered, const Results& all, size_t place, size_t rows) {
  Results result;
  for (const Show& show : lowered.shows) {
    const std::vector<float>& values = all.at(show.root);
    const size_t steps = show.sequence >= 0 ? size_t(kSteps) : 1, cols = values.size() / (steps * rows);
    for (size_t t = 0; t < steps; ++t)
      for (size_t c = 0; c < cols; ++c) result[show.root].push_back(values[(t * rows + place) * cols + c]);
  }
  return result;
}

class Bits : public testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(Bits, DependOnNothingButTargetDataAndModel) {
  const Lowered lowered = test::lower_text(GetParam().second, {{"C", kSymbols}, {"L", kLabels}});
  for (const Target& target : targets()) {
    Jit shared(target);
    for (const ProgramKind kind : {ProgramKind::Train, ProgramKind::Evaluate, ProgramKind::Predict}) {
      SCOPED_TRACE(fmt::format("target {}, program {}", target.name, int(kind)));
      CompileOptions options;
      options.kind = kind;
      options.optimizer.kind = Optimizer::Adam;
      options.optimizer.clip_norm = 0.5;
      options.time_steps = {kSteps};
      const Graph graph = build_graph(lowered, options);
      const test::TestBatch uneven = test::make_batch(graph, {6, 6, 5, 4, 4, 2, 1, 1, 0}, kSteps, kLabels);
      const test::TestBatch even =
          test::make_batch(graph, std::vector<int64_t>(size_t(kRows), kSteps), kSteps, kLabels);
      Results want;
      for (const Setting& s : kSettings) {
        SCOPED_TRACE(fmt::format("{} threads, room for {} rows{}{}, segments of {}", s.threads, s.capacity,
                                 s.another_compiler ? ", compiled anew" : "",
                                 s.hoisted ? "" : ", products with the steps", s.segment));
        options.segments = s.segment > 0 ? Segments{0, s.segment} : Segments{};
        options.batch_capacity = s.capacity;
        options.disabled_passes.assign(s.hoisted ? 0 : 1, "batch_over_time");
        Jit fresh(target);
        const Compiled compiled =
            compile(graph, options, lowered.model.spaces, s.another_compiler ? fresh : shared);
        const Results got = test::run_compiled(compiled, uneven, s.threads);
        if (want.empty()) want = got;
        EXPECT_EQ(test::first_difference(want, got), "");
        (void)test::run_compiled(compiled, even, s.threads);  // what ran before leaves nothing behind
        EXPECT_EQ(test::first_difference(want, test::run_compiled(compiled, uneven, s.threads)), "")
            << "run again";
        if (kind != ProgramKind::Predict) continue;
        const Results all = test::run_compiled(compiled, even, s.threads);
        for (const std::vector<size_t>& chosen :
             {std::vector<size_t>{0}, {8}, {3, 5}, {1, 2, 4, 6, 7}, {0, 1, 2, 3, 4, 5, 6}}) {
          const Results few = test::run_compiled(compiled, rows_of(graph, even, chosen), s.threads);
          for (size_t place = 0; place < chosen.size(); ++place)
            EXPECT_EQ(test::first_difference(shown_of(lowered, all, chosen[place], size_t(kRows)),
                                             shown_of(lowered, few, place, chosen.size())),
                      "")
                << "row " << chosen[place] << " among " << chosen.size();
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Bits, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.first; });

}  // namespace
}  // namespace rnnc
