// See vectors.h.
#include "tests/unit/driver/vectors/vectors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <memory>
#include <numeric>
#include <stdexcept>

#include "passes/differentiate.h"
#include "passes/passes.h"
#include "tests/unit/driver/models.h"

namespace rnnc::test {
namespace {

using Values = std::map<std::string, std::vector<double>>;

/// The programs of one text; cases that differ in numbers only share them.
class Ways {
 public:
  Ways(const VectorCase& c, int64_t rows) : lowered(lower_text(c.text, c.sizes)) {
    options_.time_steps = {c.steps};
    options_.batch_capacity = rows;
    options_.verify = true;
  }

  struct Way {
    Graph graph;
    Compiled compiled;
  };
  /// What `predict` shows, and the states that are carried on.
  const Way& shows() {
    return made(shows_, [&](const std::string& root) {
      return root.starts_with("show.") || root.starts_with(kCarryOutputPrefix);
    });
  }
  /// The loss, and `d NAME` for each parameter.
  const Way& training() {
    return made(training_, [](const std::string& root) { return root == "loss"; });
  }

  Lowered lowered;

 private:
  const Way& made(std::optional<Way>& way, const std::function<bool(const std::string&)>& wanted) {
    if (way) return *way;
    Graph graph = unroll(lowered.model, capacity_of(lowered.model.spaces, options_));
    std::erase_if(graph.roots, [&](const Root& root) { return !wanted(root.name); });
    graph = dce(graph);
    if (&way == &training_) {
      std::vector<NodeId> weights;
      for (const Parameter& p : lowered.model.parameters)
        weights.push_back(graph.variable(p.name, p.rows, p.cols));
      const std::vector<NodeId> gradients = differentiate(graph, graph.roots.at(0).node, weights);
      for (size_t i = 0; i < weights.size(); ++i)
        graph.roots.push_back({"d " + lowered.model.parameters[i].name, gradients[i]});
    }
    Compiled compiled = compile(graph, options_, lowered.model.spaces, jit_);
    way = Way{std::move(graph), std::move(compiled)};
    return *way;
  }

  CompileOptions options_;
  Jit jit_{target_by_name("host")};
  std::optional<Way> shows_, training_;
};

Ways& ways_of(const VectorCase& c) {
  static std::map<std::string, std::unique_ptr<Ways>> all;
  const auto rows = int64_t(c.lengths.size());
  const std::string key = fmt::format("{} {} {} {}", c.text, c.sizes, c.steps, rows);
  std::unique_ptr<Ways>& ways = all[key];
  if (!ways) ways = std::make_unique<Ways>(c, rows);
  return *ways;
}

double relative(double got, double wanted) {
  const double off = std::abs(got - wanted) / std::max(1.0, std::abs(wanted));
  return std::isnan(off) ? INFINITY : off;
}

/// The numbers of a case through its programs, with the batch in the order that they want: longest row first.
class Runner {
 public:
  explicit Runner(const VectorCase& c) : case_(c), ways_(ways_of(c)), lowered_(ways_.lowered) {
    order_.resize(c.lengths.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::ranges::stable_sort(order_, std::greater{}, [&](size_t row) { return c.lengths[row]; });
  }

  /// Errors of the interpreter and of the fused program.
  void forward(Outcome& outcome) {
    const Graph& graph = ways_.shows().graph;  // a structured binding cannot be captured by clang 14
    const Compiled& compiled = ways_.shows().compiled;
    TestBatch batch = batch_of(graph);
    outcome.interpreter = worst(graph, in_pieces(batch, [&] { return run_interpreter(graph, batch); }));
    outcome.compiled = worst(graph, in_pieces(batch, [&] { return run_program(compiled, batch); }));
  }

  /// The loss, where the file has it, and the gradient by every parameter.
  void backward(Outcome& outcome) {
    const auto& [graph, compiled] = ways_.training();
    const TestBatch batch = batch_of(graph);
    const Values exact = run_interpreter(graph, batch), got = run_program(compiled, batch);
    if (case_.wanted.empty()) {
      const double loss = exact.at("loss").at(0);
      outcome.interpreter = relative(loss, case_.loss.value_or(loss));
      outcome.compiled = relative(got.at("loss").at(0), case_.loss.value_or(loss));
    }
    auto worst_slope = [&](const std::function<const std::vector<double>&(const std::string&)>& gradient,
                           const Values& other) {
      double size = 1e-12, difference = 0;
      for (const Parameter& p : lowered_.model.parameters) {
        const std::vector<double>&d = gradient(p.name), &e = other.at("d " + p.name);
        if (d.size() != e.size()) throw std::runtime_error("a gradient of other size than " + p.name);
        for (size_t i = 0; i < d.size(); ++i) {
          size = std::max(size, std::abs(d[i]));
          difference = std::max(difference, std::isnan(e[i]) ? INFINITY : std::abs(d[i] - e[i]));
        }
      }
      return difference / size;
    };
    outcome.slope = worst_slope(
        [&](const std::string& p) -> auto& { return exact.at("d " + p); }, got);
    if (case_.gradient.empty()) return;
    outcome.slope_wanted = worst_slope(
        [&](const std::string& p) -> auto& { return case_.gradient.at(p); }, exact);
  }

 private:
  Values run_program(const Compiled& compiled, const TestBatch& batch) const {
    Values values;
    for (auto& [name, numbers] : run_compiled(compiled, batch, 1))
      values[name].assign(numbers.begin(), numbers.end());
    return values;
  }

  /// Fields and parameters of the case; what every batch brings is there already.
  TestBatch batch_of(const Graph& graph) const {
    std::vector<int64_t> lengths;
    for (const size_t row : order_) lengths.push_back(case_.lengths[row]);
    TestBatch batch = make_batch(graph, lengths, case_.steps, 1);
    for (const ModelInput& input : lowered_.model.inputs) {
      const auto place = batch.values.find(input.name);
      if (place == batch.values.end() || input.name.starts_with('%')) continue;
      place->second.data = packed(case_.fields.at(input.name), input.shape);
    }
    for (const Parameter& p : lowered_.model.parameters) {
      const auto place = batch.values.find(p.name);
      if (place == batch.values.end()) continue;
      std::vector<double> weight = case_.weight(p);
      if (weight.size() != place->second.data.size())
        throw std::runtime_error(fmt::format("{} numbers for {}", weight.size(), p.name));
      place->second.data = std::move(weight);
    }
    return batch;
  }

  bool along_time(const Shape& shape) const { return shape.rows.kind == Rows::Steps; }

  /// [T, rows, columns] with every row, to the rows that run at each step, longest first.
  std::vector<double> packed(const std::vector<double>& all, const Shape& shape) const {
    const size_t rows = order_.size(), cols = size_t(shape.cols);
    const size_t steps = along_time(shape) ? size_t(case_.steps) : 1;
    if (all.size() != steps * rows * cols)
      throw std::runtime_error(
          fmt::format("a field of {} x {} x {} has {} numbers", steps, rows, cols, all.size()));
    std::vector<double> result;
    for (size_t t = 0; t < steps; ++t) {
      for (const size_t row : order_) {
        if (along_time(shape) && case_.lengths[row] <= int64_t(t)) continue;
        const auto first = all.begin() + int64_t((t * rows + row) * cols);
        result.insert(result.end(), first, first + int64_t(cols));
      }
    }
    return result;
  }

  /// The way back; what no row fills is 0.
  std::vector<double> padded(const std::vector<double>& some, const Shape& shape) const {
    const size_t rows = order_.size(), cols = size_t(shape.cols);
    const size_t steps = along_time(shape) ? size_t(case_.steps) : 1;
    std::vector<double> result(steps * rows * cols);
    auto next = some.begin();
    for (size_t t = 0; t < steps; ++t) {
      for (const size_t row : order_) {
        if (along_time(shape) && case_.lengths[row] <= int64_t(t)) continue;
        std::copy(next, next + int64_t(cols), result.begin() + int64_t((t * rows + row) * cols));
        next += int64_t(cols);
      }
    }
    if (next != some.end()) throw std::runtime_error("a value has more rows than the batch");
    return result;
  }

  /// Runs every piece; states go from the outputs of one to the inputs of the next.
  Values in_pieces(TestBatch& batch, const std::function<Values()>& run) const {
    Values values;
    for (int piece = 0; piece < case_.pieces; ++piece) {
      for (auto& [name, tensor] : batch.values) {
        if (name == kFreshInput) tensor.data = {piece == 0 ? 1.0 : 0.0};
        if (!name.starts_with(kCarryInputPrefix)) continue;
        const std::string output = name.substr(1);  // `%carry.0` is fed by `carry.0`
        if (piece == 0) std::ranges::fill(tensor.data, 0.0);
        else tensor.data = values.at(output);
      }
      values = run();
    }
    return values;
  }

  double worst(const Graph& graph, const Values& values) const {
    double error = 0;
    if (case_.wanted.size() != lowered_.shows.size())
      throw std::runtime_error("one value for each one shown");
    for (size_t number = 0; number < case_.wanted.size(); ++number) {
      const Wanted& w = case_.wanted[number];
      const std::string& name = lowered_.shows[number].root;
      const auto root = std::ranges::find(graph.roots, name, &Root::name);
      std::vector<double> got = padded(values.at(name), graph.shape(root->node));
      if (w.row >= 0) got = row_of(got, size_t(w.row), w.values.size());
      if (got.size() != w.values.size())
        throw std::runtime_error(fmt::format("{} has {} numbers, not {}", lowered_.shows[number].label,
                                             got.size(), w.values.size()));
      for (size_t i = 0; i < got.size(); ++i) {
        error = std::max(error, relative(got[i], w.values[i]));
      }
    }
    return error;
  }

  /// One row of [T, rows, columns], as [T, columns].
  std::vector<double> row_of(const std::vector<double>& all, size_t row, size_t size) const {
    const size_t rows = order_.size(), cols = size / size_t(case_.steps);
    std::vector<double> result;
    for (size_t t = 0; t < size_t(case_.steps); ++t) {
      const auto first = all.begin() + int64_t((t * rows + row) * cols);
      result.insert(result.end(), first, first + int64_t(cols));
    }
    return result;
  }

  const VectorCase& case_;
  Ways& ways_;
  const Lowered& lowered_;
  std::vector<size_t> order_;  // place in the batch to row of the case
};

}  // namespace

Outcome run_case(const VectorCase& c, double in_double, double tolerance) {
  Outcome outcome;
  outcome.in_double = in_double;
  outcome.tolerance = tolerance;
  try {
    Runner runner(c);
    if (!c.wanted.empty()) runner.forward(outcome);
    if (c.pieces == 1) runner.backward(outcome);
  } catch (const std::exception& error) {
    outcome.refused = error.what();
  }
  return outcome;
}

void expect_passes(const Outcome& outcome) {
  EXPECT_EQ(outcome.refused, "");
  EXPECT_LE(outcome.interpreter, outcome.in_double) << "the interpreter";
  EXPECT_LE(outcome.compiled, outcome.tolerance) << "the compiled program";
  EXPECT_LE(outcome.slope.value_or(0), Outcome::kSlope) << "the compiled gradient";
}

std::filesystem::path VectorFile::path() const {
  return std::filesystem::path(RNNC_SOURCE_DIR "/../shared/data/testvectors") / name_;
}

std::string VectorFile::missing() const {
  return std::filesystem::exists(path()) ? "" : path().string() + " is not there";
}

const Outcome& VectorFile::outcome(int number) {
  std::optional<Outcome>& outcome = outcomes_.at(size_t(number));
  if (!outcome) outcome = run_(path(), number);
  return *outcome;
}

const nlohmann::json& cases_of(const std::filesystem::path& path, size_t count) {
  static std::map<std::filesystem::path, nlohmann::json> files;
  auto it = files.find(path);
  if (it == files.end()) it = files.emplace(path, nlohmann::json::parse(std::ifstream(path))).first;
  const nlohmann::json& cases = it->second.at("cases");
  if (cases.size() != count)
    throw std::runtime_error(fmt::format("{} has {} cases", path.string(), cases.size()));
  return cases;
}

std::string blocks_of(const std::string& loss, std::span<const std::string> shows) {
  return fmt::format(R"(
train m on d {{
  loss      {}
  optimizer sgd(rate = 1)
  epochs    1
}}
predict m {{
  show {}
}}
)",
                     loss, fmt::join(shows, ", "));
}

}  // namespace rnnc::test
