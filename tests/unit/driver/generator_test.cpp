// What a compiled step writes, against a reference that knows no steps: the interpreter runs the whole model
// on the text so far and gives the scores of its end. And BLEU of what is written.
#include "driver/generator.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "driver/bleu_figures.h"
#include "driver/parameters.h"
#include "passes/passes.h"
#include "runtime/bleu.h"
#include "tests/unit/driver/command_helpers.h"
#include "tests/unit/driver/models.h"

namespace rnnc::test {
namespace {

constexpr const char* kData = R"(
data names {
  read "names.tsv" as tsv
  y: L    = category(col(1))
  s: A[S] = chars(col(3))
  x: C[T] = chars(col(2), end = yes)
  split train = 0.5, test = 0.5
}
)";

/// Reads a symbol and predicts the next; every label has a first state of its own.
constexpr const char* kNext = R"(
model m(y: L, x: C[T]) -> (logits: [T, C]) {
  param start: [L, 10] ~ normal(1)
  param U: [10, C] ~ normal(1)
  h      = scan gru[10] over embed[6](x) from h = start[y]
  logits = h @ U
}
train m on names {
  loss      cross_entropy(logits, next(x))
  metric    bleu(x)
  metric    half = bleu(x) / 2
  optimizer sgd(0.1)
  epochs    1
}
)";

/// Its answer at a step is made of the state before it, so it begins without a symbol and may see each one
/// only after it was written. (A checked file would use `delay(x)`: of a scan over `x` the checker only knows
/// that a step may depend on the same step, so there is no generate block here.)
constexpr const char* kBefore = R"(
cell before(x: [E]; h: [H], c: [H]) with (k: [H]) -> (g: [H]) {
  param W: [E, H] ~ normal(1)
  param U: [H, H] ~ normal(1)
  g  = tanh(h + c * k)
  h' = tanh(x @ W + g @ U)
  c' = 0.5 * c + h
}
model m(y: L, x: C[T]) -> (logits: [T, C]) {
  param start, mix: [L, 10] ~ normal(1)
  param U: [10, C] ~ normal(1)
  h      = scan before[10] over embed[6](x) with k = exp(mix[y]) from h = start[y]
  logits = h @ U
}
train m on names {
  loss      cross_entropy(logits, x)
  optimizer sgd(0.1)
  epochs    1
}
)";

/// From one sequence to another, of another length.
constexpr const char* kTranslate = R"(
cell before(x: [E]; h: [H]) with (k: [H]) -> (g: [H]) {
  param W: [E, H] ~ normal(1)
  param U: [H, H] ~ normal(1)
  g  = tanh(h + k)
  h' = tanh(x @ W + g @ U)
}
model m(s: A[S], x: C[T]) -> (logits: [T, C]) {
  param M: [10, 10] ~ normal(2)
  param U: [10, C] ~ normal(1)
  code   = scan both(gru[5]) over embed[4](s)
  end    = final(code)
  h      = scan before[10] over embed[6](x) with k = 3 * max over S (code) from h = tanh(end @ M)
  logits = h @ U
}
train m on names {
  loss      cross_entropy(logits, x)
  optimizer sgd(0.1)
  epochs    1
}
)";

constexpr const char* kShow = R"(
predict m {
  show log_softmax(logits)
}
)";

constexpr const char* kGenerate = R"(
generate m {
  start  "ab"
  search greedy
  length 6
}
)";

/// A model with random parameters, and its data.
class Made {
 public:
  explicit Made(const std::string& model) {
    std::string rows;
    for (int i = 0; i < 24; ++i) {
      const std::string letters = "abcde";
      std::string word;
      for (int k = 0; k < 4 + i % 5; ++k) word += letters[size_t(i * 7 + k * k) % 5];
      rows += fmt::format("{}\t{}\t{}\n", "pqr"[i % 3], word, word.substr(size_t(i) % 4));
    }
    folder_.write("names.tsv", rows);
    experiment = make_experiment({folder_ / "m.rnn", kData + model + kShow}, Options());
    task = only_task(experiment, "m");
    dataset = load_data(experiment, *task.data);
    whole = lower_model(experiment, "m", nullptr, *task.data, find_predict(experiment, "m"), dataset);
    initialize_parameters(whole.model, 5, variables);
    generator = std::make_unique<Generator>(experiment, *task.train, *task.data, dataset, CompileOptions(),
                                            jit, variables);
  }

  TemporaryFolder folder_;
  Experiment experiment;
  Task task;
  Dataset dataset;
  Lowered whole;
  Variables variables;
  Jit jit{target_by_name("host")};
  std::unique_ptr<Generator> generator;
};

using Text = std::vector<int32_t>;

/// The reference: its only state is the texts.
class WholeModel {
 public:
  WholeModel(const Made& made, std::vector<int64_t> rows, Text start)
      : made_(made), rows_(std::move(rows)), start_(std::move(start)), texts_(rows_.size()) {}

  Stepper stepper() {
    Stepper s;
    s.rows = int64_t(texts_.size());
    s.entries = made_.dataset.learned.vocabularies.at(made_.generator->field().vocabulary).size();
    s.begin = [this] {
      for (Text& text : texts_) text = start_;
      return scores();
    };
    s.next = [this](std::span<const int32_t> symbols) {
      for (size_t r = 0; r < texts_.size(); ++r) texts_[r].push_back(symbols[r]);
      return scores();
    };
    s.reorder = [this](std::span<const int64_t> order) {
      const auto before = texts_;
      for (size_t r = 0; r < texts_.size(); ++r) texts_[r] = before[size_t(order[r])];
    };
    return s;
  }

 private:
  std::vector<float> scores() const {
    std::vector<float> all;
    for (size_t r = 0; r < rows_.size(); ++r) {
      const std::vector<double> one = scores_of(size_t(rows_[r]), texts_[r]);
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  }

  /// The last step of the whole model in a batch of one row.
  std::vector<double> scores_of(size_t row, Text text) const {
    if (!made_.generator->needs_start())
      text.push_back(0);  // whatever stands there, they do not depend on it
    const Dataset& dataset = made_.dataset;
    std::map<std::string, std::vector<double>> inputs;
    std::vector<int32_t> steps(dataset.dimensions.size());
    for (size_t i = 0; i < dataset.fields.size(); ++i) {
      const DataField& field = dataset.fields[i];
      const FieldData& data = dataset.data[i];
      std::vector<double>& ids = inputs[field.name];
      if (field.name == made_.generator->field().name) ids.assign(text.begin(), text.end());
      else if (field.dimension.empty()) ids = {double(data.ids[row])};
      else
        for (auto e = size_t(data.offsets[row]); e < size_t(data.offsets[row + 1]); ++e)
          ids.push_back(data.ids[e]);
      for (size_t d = 0; d < steps.size(); ++d) {
        if (dataset.dimensions[d] != field.dimension) continue;
        steps[d] = int32_t(ids.size());
        inputs[last_index_input(int(d))] = {double(ids.size()) - 1};
        inputs[length_input(int(d))] = {double(ids.size())};
      }
    }
    std::vector<std::vector<int64_t>> offsets(steps.size());
    std::vector<const int64_t*> pointers;
    for (size_t d = 0; d < steps.size(); ++d) {
      for (int64_t t = 0; t <= steps[d]; ++t) offsets[d].push_back(t);
      pointers.push_back(offsets[d].data());
    }
    RowTable table;
    table.batch = 1;
    table.row_offset = pointers.data();
    table.capacity = steps.data();
    for (int d = 1; d < int(steps.size()); ++d)  // there is one order of one row
      inputs[order_input(0, d)] = inputs[order_input(d, 0)] = {0};
    const Graph graph = dce(unroll(made_.whole.model, steps));
    Tensors given;
    for (NodeId id = 0; id < graph.size(); ++id) {
      if (graph[id].op != Op::Input && graph[id].op != Op::Variable) continue;
      Tensor tensor = make_tensor(graph[id].shape, table);
      const std::string& name = graph.name(id);
      if (graph[id].op == Op::Input) {
        tensor.data = inputs.at(name);
      } else {
        const auto values = made_.variables.at(name).values();
        tensor.data.assign(values.begin(), values.end());
      }
      given[name] = std::move(tensor);
    }
    const std::vector<double> all = interpret_roots(graph, given, table).outputs.at("show.0").data;
    return {all.end() - long(all.size() / text.size()), all.end()};
  }

  const Made& made_;
  std::vector<int64_t> rows_;
  Text start_;
  std::vector<Text> texts_;
};

class Generators : public testing::TestWithParam<const char*> {
 protected:
  static std::vector<SearchSettings> searches() {
    return {{.kind = SearchSettings::Greedy, .length = 9},
            {.kind = SearchSettings::Sample, .length = 9, .seed = 4},
            {.kind = SearchSettings::Sample, .temperature = 0.7, .top = 3, .length = 5, .seed = 9},
            {.kind = SearchSettings::Beam, .beam = 3, .length = 7},
            {.kind = SearchSettings::Beam, .beam = 4, .length = 3}};
  }
};

TEST_P(Generators, WriteWhatTheWholeModelWrites) {
  Made made(GetParam());
  const std::vector<int64_t> rows = {3, 1, 0, 7, 4};
  for (const int threads : {1, 3}) {
    Team team(threads);
    for (const SearchSettings& settings : searches()) {
      for (const Text& start : {Text{2, 3}, Text{4}, Text{}}) {
        if (start.empty() && made.generator->needs_start()) continue;
        const int64_t beam = settings.kind == SearchSettings::Beam ? settings.beam : 1;
        std::vector<int64_t> repeated;
        for (const int64_t row : rows) repeated.insert(repeated.end(), size_t(beam), row);
        WholeModel reference(made, repeated, start);
        const auto want = search(reference.stepper(), settings, made.generator->rules());
        const auto got = made.generator->write(made.dataset, rows, start, settings, team);
        ASSERT_EQ(got.size(), want.size());
        for (size_t i = 0; i < got.size(); ++i) {
          SCOPED_TRACE(testing::Message()
                       << "search " << settings.kind << ", start " << start.size() << ", row " << i);
          EXPECT_EQ(got[i].symbols, want[i].symbols);
          EXPECT_EQ(got[i].ended, want[i].ended);
          EXPECT_NEAR(got[i].log_probability, want[i].log_probability, 1e-4);
        }
      }
    }
  }
}

TEST_P(Generators, ARowDependsOnNothingElse) {
  Made made(GetParam());
  Team team(2);
  std::vector<int64_t> all;
  for (int64_t row = 0; row < made.dataset.rows; ++row) all.push_back(row);
  const Text start = {2};
  for (const SearchSettings& settings : searches()) {
    const auto together = made.generator->write(made.dataset, all, start, settings, team);
    for (const int64_t row : {0, 5, 23}) {
      const auto alone = made.generator->write(made.dataset, std::array{row}, start, settings, team, {}, row);
      EXPECT_EQ(alone.at(0).symbols, together[size_t(row)].symbols);
      EXPECT_EQ(alone[0].log_probability, together[size_t(row)].log_probability) << "to the bit";
    }
  }
}

TEST_P(Generators, TellEachSymbolOnce) {
  Made made(GetParam());
  Team team(1);
  for (const SearchSettings& settings : searches()) {
    std::vector<Text> told(3);
    const auto written =
        made.generator->write(made.dataset, std::array<int64_t, 3>{6, 2, 9}, Text{2}, settings, team,
                              [&](int64_t row, int32_t symbol) { told.at(size_t(row)).push_back(symbol); });
    for (size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i], written[i].symbols);
  }
}

TEST(GeneratorBleu, IsThatOfWhatIsWritten) {
  Made made(std::string(kNext) + kGenerate);
  Team team(1);
  BleuFigures figures(made.experiment, *made.task.train, *made.task.data, made.dataset, Options(),
                      CompileOptions(), made.jit, made.variables);
  const Vocabulary& letters = made.dataset.learned.vocabularies.at("C");
  const Text start = {letters.find("a"), letters.find("b")};
  WholeModel reference(made, made.dataset.test, start);
  const auto written = search(reference.stepper(), {.length = 6}, made.generator->rules());
  const FieldData& x = made.dataset.data[size_t(made.dataset.find("x"))];
  Bleu bleu;
  for (size_t i = 0; i < written.size(); ++i) {
    const auto row = size_t(made.dataset.test[i]);
    Text text = start;
    text.insert(text.end(), written[i].symbols.begin(), written[i].symbols.end());
    // Every name ends with <eos>, which is no word of it.
    bleu.add(text, x.ids.slice(size_t(x.offsets[row]), size_t(x.offsets[row + 1] - x.offsets[row] - 1)));
  }
  const auto found = figures.of(Part::Test, team);
  EXPECT_DOUBLE_EQ(found.at("bleu x"), bleu.value());
  EXPECT_DOUBLE_EQ(found.at("bleu "), bleu.value());
}

TEST(GeneratorBleu, IsRefusedWithoutASearchAndForOtherFields) {
  const auto refusal = [](const std::string& model) {
    Made made(model);
    try {
      BleuFigures(made.experiment, *made.task.train, *made.task.data, made.dataset, Options(),
                  CompileOptions(), made.jit, made.variables);
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal(kNext), testing::HasSubstr("`bleu` needs a `generate m`"));
  std::string other = std::string(kNext) + kGenerate;
  other.replace(other.find("bleu(x)"), 7, "bleu(y)");
  EXPECT_THAT(refusal(other), testing::HasSubstr("`generate m` writes `x`"));
}

std::string model_name(const testing::TestParamInfo<const char*>& info) {
  constexpr std::array kNames = {"next", "before", "translate"};
  return kNames.at(info.index);
}

INSTANTIATE_TEST_SUITE_P(All, Generators, testing::Values(kNext, kBefore, kTranslate), model_name);

}  // namespace
}  // namespace rnnc::test
