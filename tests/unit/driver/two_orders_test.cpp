// Two sequences in one model, each sorted by its own lengths: what a row gives and what it learns from do not
// depend on the rows beside it.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "driver/binder.h"
#include "driver/experiment.h"
#include "driver/parameters.h"
#include "passes/training.h"
#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

constexpr const char* kModel = R"(
data d {
  read "pairs.tsv" as tsv
  s: A[S] = chars(col(1))
  x: C[T] = chars(col(2))
  y: L    = category(col(3))
}
model m(s: A[S], x: C[T]) -> (logits: [L]) {
  a      = scan both(gru[6]) over embed[4](s)
  b      = scan reverse(rnn[12]) over embed[4](x) from h = final(a)
  c      = scan rnn[5] over embed[4](x) from h = linear[5](mean over S (a))
  logits = linear[L](concat(last(b), last(c), mean over T (b), first(b), exp(0.2 * T) * final(a)))
}
train m on d {
  loss      cross_entropy(logits, y)
  optimizer sgd(rate = 0.5)
  epochs    1
}
predict m {
  show logits
}
)";

/// The model with its data and random parameters, made anew.
struct World {
  explicit World(const test::TemporaryFolder& folder) {
    experiment = make_experiment({folder / "m.rnn", kModel}, Options());
    const Task task = only_task(experiment, "m");
    dataset = load_data(experiment, *task.data);
    lowered = lower_model(experiment, "m", task.train, *task.data, find_predict(experiment, "m"), dataset);
    initialize_parameters(lowered.model, 3, variables);
  }

  /// Runs the rows together; the learning rate is 0.5.
  Session run(ProgramKind kind, const std::vector<int64_t>& rows) {
    fill_batch(dataset, rows, batch_steps(longest_rows(dataset)), batch);
    CompileOptions options;
    options.kind = kind;
    options.batch_capacity = batch.rows;
    options.time_steps = longest_rows(dataset);
    Session session(compile(lowered, options, jit).plan.program, variables);
    binder.emplace(lowered.model).bind(session, dataset, batch);
    session.set_input(kRateInput, std::vector<float>{0.5F});
    session.run(team);
    return session;
  }

  Experiment experiment;
  Dataset dataset;
  Lowered lowered;
  Variables variables;
  Batch batch;
  std::optional<Binder> binder;
  Jit jit{target_by_name("host")};
  Team team{1};
};

/// Rows whose order by s is not that by x, one without x.
class TwoOrders : public testing::Test {
 protected:
  TwoOrders() {
    folder_.write("pairs.tsv", "a\tbaab\tp\ncabba\tb\tq\nbac\tab\tr\nbb\t\tp\nabca\tabcba\tr\n");
  }

  test::TemporaryFolder folder_;
  const std::vector<int64_t> rows_{0, 1, 2, 3, 4};
};

TEST_F(TwoOrders, AreUnequalHere) {
  World world(folder_);
  world.run(ProgramKind::Predict, rows_);
  EXPECT_NE(world.batch.dimensions.at(0).order, world.batch.dimensions.at(1).order);
}

TEST_F(TwoOrders, GiveEachRowWhatItGivesAlone) {
  World world(folder_);
  const std::vector<float> together = world.run(ProgramKind::Predict, rows_).output("show.0");
  const std::vector<int64_t> order = world.batch.order;
  const size_t labels = together.size() / rows_.size();
  for (size_t place = 0; place < order.size(); ++place) {
    const std::vector<float> alone = world.run(ProgramKind::Predict, {order[place]}).output("show.0");
    for (size_t k = 0; k < labels; ++k)
      EXPECT_EQ(together[place * labels + k], alone[k]) << "row " << order[place];
  }
}

TEST_F(TwoOrders, LearnFromEachRowWhatItTeachesAlone) {
  // The loss is the mean over the rows, so the step together is the mean of the steps of each alone.
  World together(folder_), before(folder_);
  together.run(ProgramKind::Train, rows_);
  std::map<std::string, std::vector<double>> alone;
  for (const int64_t row : rows_) {
    World one(folder_);
    one.run(ProgramKind::Train, {row});
    for (const auto& [name, variable] : one.variables.all()) {
      std::vector<double>& sum = alone[name];
      sum.resize(variable->values().size());
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += variable->values()[i];
    }
  }
  double moved = 0;
  for (const auto& [name, variable] : together.variables.all()) {
    for (size_t i = 0; i < variable->values().size(); ++i) {
      EXPECT_NEAR(variable->values()[i], alone[name][i] / double(rows_.size()), 2e-6) << name << " " << i;
      moved += std::abs(variable->values()[i] - before.variables.at(name).values()[i]);
    }
  }
  EXPECT_GT(moved, 0.1);
}

}  // namespace
}  // namespace rnnc
