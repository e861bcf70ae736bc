// What the plan promises: its size does not depend on the number of time steps, memory is never given twice,
// and bits depend neither on the batch, nor on capacities, nor on threads.
#include "codegen/plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/driver/models.h"
#include "tests/unit/driver/taggers.h"

namespace rnnc {
namespace {

constexpr int64_t kSymbols = 11, kLabels = 5;

std::vector<std::pair<std::string, std::string>> all_models() {
  auto list = test::models();
  list.emplace_back("tagger", test::tagger("", "scan lstm[16] over embed[8](x)"));
  list.emplace_back("tagger_both", test::tagger("", "scan both(gru[16]) over embed[8](x)"));
  list.emplace_back("wide", test::classifier("", "scan lstm[70] over embed[40](x)"));
  return list;
}

Jit& jit() {
  static Jit one(target_by_name("host"));
  return one;
}

CompileOptions options_for(ProgramKind kind, int32_t steps, int64_t batch) {
  CompileOptions options;
  options.kind = kind;
  options.optimizer.kind = Optimizer::Adam;
  options.optimizer.clip_norm = 0.5;
  options.time_steps = {steps};
  options.batch_capacity = batch;
  return options;
}

class Plans : public testing::TestWithParam<std::pair<std::string, std::string>> {
 protected:
  Lowered lowered_ = test::lower_text(GetParam().second, {{"C", kSymbols}, {"L", kLabels}});

  Graph graph(ProgramKind kind, int32_t steps) { return build_graph(lowered_, options_for(kind, steps, 1)); }
  Plan plan(ProgramKind kind, int32_t steps, int64_t batch) {
    return make_plan(run_pipeline(graph(kind, steps), {}), {jit().target(), batch, {steps}, {"T"}});
  }
  static std::vector<ProgramKind> kinds() {
    return {ProgramKind::Train, ProgramKind::Evaluate, ProgramKind::Predict};
  }
};

TEST_P(Plans, HaveTheSameSizeForAnyNumberOfSteps) {
  for (const ProgramKind kind : kinds()) {
    SCOPED_TRACE(fmt::format("program {}", int(kind)));
    const Plan short_one = plan(kind, 10, 4);
    for (const int32_t steps : {40, 160}) {
      const Plan p = plan(kind, steps, 4);
      EXPECT_EQ(p.kernels.size(), short_one.kernels.size()) << steps << " steps";
      EXPECT_EQ(p.program.loops.size(), short_one.program.loops.size()) << steps << " steps";
      EXPECT_EQ(p.program.commands.size(), short_one.program.commands.size()) << steps << " steps";
      EXPECT_EQ(p.program.slabs.size(), short_one.program.slabs.size()) << steps << " steps";
    }
  }
}

TEST_P(Plans, KernelsAreUnequal) {
  const Plan p = plan(ProgramKind::Train, 10, 4);
  std::vector<std::string> keys;
  for (const Kernel& k : p.kernels) {
    ASSERT_NO_THROW(check(k));
    keys.push_back(k.key());
  }
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());
}

/// One operand in one turn of a command: rows x cols elements from (row, col) of a slab.
struct Touch {
  int32_t slab;
  int64_t row, rows;
  int32_t col;
  int64_t cols;
  bool write;
};

/// All that a command touches in a full batch, by what its kernel does with each operand.
std::vector<Touch> touches(const Plan& plan, const Command& c, int32_t turn, const RowTables& full) {
  const Program& p = plan.program;
  auto row_of = [&](const Place2D& place, int32_t turns) {
    const RowRange& rows = p.slabs[size_t(place.slab)].rows;
    if (rows.kind != RowRange::Steps) return int64_t(place.row);
    const int32_t step = place.step + turns * place.moves;
    EXPECT_GE(step, rows.begin);
    EXPECT_LT(step, rows.end);
    const int64_t* offset = full.row_offset[rows.dim];
    return place.row + offset[step] - offset[rows.begin];
  };
  std::vector<Touch> list;
  auto add = [&](const Place2D& place, int64_t rows, int64_t cols, bool write) {
    list.push_back({place.slab, row_of(place, turn), rows, place.col, cols, write});
  };
  if (c.kernel == Command::kReshape) {
    const auto [block, blocks, split] = c.reshape;
    const int64_t rows = full.count(c.rows[0].rows, turn * c.rows[0].moves);
    add(c.operands[split ? 0 : 1], rows, block * blocks, !split);
    add(c.operands[split ? 1 : 0], rows * blocks, block, split);
    return list;
  }
  if (c.kernel == Command::kPack) {
    for (const PlacedPiece& piece : c.pieces) {
      const bool t = piece.transposed;
      add(piece.place, t ? piece.cols : piece.k, t ? piece.k : piece.cols, false);
    }
    return list;  // the packed slab is checked by its size
  }
  const Kernel& k = plan.kernels[size_t(c.kernel)];
  std::vector<int64_t> rows;
  for (const Count& count : c.rows) rows.push_back(full.count(count.rows, turn * count.moves));
  auto operand = [&](int i) -> const Place2D& { return c.operands[size_t(i)]; };
  auto visit = [&](const Instr& i) {
    if (i.code != Instr::Load && i.code != Instr::Store) return;
    if (i.access == Access::Gather || i.access == Access::GatherColumn)
      return add(operand(i.index), rows[0], 1, false);
    const int64_t limit = i.limit >= 0 ? std::min(rows[0], rows[size_t(i.limit)]) : rows[0];
    const bool all_rows = i.access == Access::Matrix || i.access == Access::ColVector;
    const bool all_cols = i.access == Access::Matrix || i.access == Access::RowVector;
    add(operand(i.operand), all_rows ? limit : 1, all_cols ? c.cols : 1, i.code == Instr::Store);
  };
  for (const Instr& i : k.body) visit(i);
  switch (k.kind) {
    case KernelKind::Rows:
      for (size_t s = 0; s < k.product.left.size(); ++s)
        add(operand(k.product.left[s]), std::min(rows[0], rows[size_t(k.product.rows_limit)]), c.depth[s],
            false);
      break;
    case KernelKind::ColumnSum: add(operand(k.sum_operand), 1, c.cols, true); break;
    case KernelKind::WeightGradient:
      add(operand(2), c.depth[0], c.cols, true);
      if (c.segments.by_step) break;
      add(operand(0), rows[0], c.depth[0], false);
      add(operand(1), rows[0], c.cols, false);
      break;
    case KernelKind::Scatter:
      if (k.body.empty()) add(operand(0), rows[0], c.cols, false);
      add(operand(1), rows[0], 1, false);
      add(operand(2), rows[1], c.cols, true);
      break;
  }
  return list;
}

TEST_P(Plans, OperandsLieInsideTheirSlabs) {
  constexpr int64_t kBatch = 6;
  constexpr int32_t kSteps = 9;
  std::vector<int64_t> offset;
  for (int32_t t = 0; t <= kSteps; ++t) offset.push_back(t * kBatch);
  const RowTables full{kBatch, {offset.data()}};
  for (const ProgramKind kind : kinds()) {
    const Plan p = plan(kind, kSteps, kBatch);
    for (const Loop& loop : p.program.loops) {
      for (int32_t turn = 0; turn < loop.count; ++turn) {
        for (int32_t i = loop.first; i < loop.first + loop.length; ++i) {
          const Command& c = p.program.commands[size_t(i)];
          for (const Touch& t : touches(p, c, turn, full)) {
            const Slab& slab = p.program.slabs[size_t(t.slab)];
            SCOPED_TRACE(fmt::format("command {} turn {} ({}), slab {} ({}), {}", i, turn, c.name, t.slab,
                                     slab.name, t.write ? "written" : "read"));
            ASSERT_GE(t.row, 0);
            ASSERT_GE(t.col, 0);
            ASSERT_LE(t.col + t.cols, slab.cols);
            ASSERT_LE(t.row + t.rows, full.count(slab.rows));
            if (slab.variable < 0) {
              ASSERT_LE(full.count(slab.rows) * slab.stride * 4, slab.bytes);
            }
          }
        }
      }
    }
  }
}

TEST_P(Plans, SlabsAliveAtTheSameTimeDoNotOverlap) {
  for (const ProgramKind kind : kinds()) {
    const Plan p = plan(kind, 9, 6);
    const auto& slabs = p.program.slabs;
    for (size_t i = 0; i < slabs.size(); ++i) {
      const Slab& a = slabs[i];
      if (a.variable >= 0) continue;
      EXPECT_EQ(a.offset % 64, 0);
      EXPECT_LE(a.offset + a.bytes + kOverread * 4, p.program.arena_bytes);
      for (size_t j = i + 1; j < slabs.size(); ++j) {
        const Slab& b = slabs[j];
        if (b.variable >= 0 || a.last < b.first || b.last < a.first) continue;
        EXPECT_TRUE(a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset)
            << "slabs " << i << " (" << a.name << ") and " << j << " (" << b.name << ")";
      }
    }
  }
}

/// In the order of execution every element is written before it is read, and once only: lengths are unequal,
/// so that a kernel with too many rows would run over the next step.
TEST_P(Plans, EveryElementIsWrittenOnceBeforeItIsRead) {
  constexpr int64_t kBatch = 5;
  constexpr int32_t kSteps = 6;
  const std::vector<int64_t> offset = {0, 4, 7, 10, 13, 14, 15};  // lengths 6, 4, 4, 1, 0
  const RowTables full{kBatch, {offset.data()}};
  for (const ProgramKind kind : kinds()) {
    const Plan p = plan(kind, kSteps, kBatch);
    std::vector<std::vector<bool>> written;  // of each slab, row by row: its elements
    for (const Slab& slab : p.program.slabs)
      written.emplace_back(size_t(full.count(slab.rows) * slab.cols), slab.variable >= 0);
    for (const auto& [name, slab] : p.program.inputs)
      written[size_t(slab)].assign(written[size_t(slab)].size(), true);
    for (const Loop& loop : p.program.loops) {
      for (int32_t turn = 0; turn < loop.count; ++turn) {
        for (int32_t i = loop.first; i < loop.first + loop.length; ++i) {
          const Command& c = p.program.commands[size_t(i)];
          const std::vector<Touch> list = touches(p, c, turn, full);
          for (const bool writes : {false, true}) {
            for (const Touch& t : list) {
              if (t.write != writes) continue;
              for (int64_t r = t.row; r < t.row + t.rows; ++r) {
                for (int64_t col = t.col; col < t.col + t.cols; ++col) {
                  auto element =
                      written[size_t(t.slab)].begin() + r * p.program.slabs[size_t(t.slab)].cols + col;
                  if (writes && p.program.slabs[size_t(t.slab)].variable < 0) {
                    ASSERT_FALSE(*element)
                        << fmt::format("program {} command {} turn {} ({}) writes slab {} at ({}, {}) again",
                                       int(kind), i, turn, c.name, t.slab, r, col);
                  }
                  if (writes) *element = true;
                  ASSERT_TRUE(*element)
                      << fmt::format("program {} command {} turn {} ({}) reads slab {} at ({}, {})",
                                     int(kind), i, turn, c.name, t.slab, r, col);
                }
              }
            }
          }
        }
      }
    }
    for (const ProgramOutput& out : p.program.outputs)
      EXPECT_TRUE(written[size_t(out.place.slab)][size_t(out.place.col)]) << out.name;
  }
}

/// Packed parameters last from run to run where the program leaves the parameters alone: nothing else ever
/// lies there.
TEST_P(Plans, PackedParametersLastWhereTheyStay) {
  for (const ProgramKind kind : kinds()) {
    const Plan p = plan(kind, 9, 6);
    int lasting = 0, passing = 0;
    for (const Command& c : p.program.commands) {
      if (c.kernel != Command::kPack) continue;
      const Slab& slab = p.program.slabs[size_t(c.operands[0].slab)];
      ++(c.once ? lasting : passing);
      if (c.once) {
        EXPECT_EQ(slab.first, 0);
        EXPECT_GE(slab.last, int32_t(p.program.commands.size()));
      }
    }
    if (kind == ProgramKind::Train) EXPECT_EQ(lasting, 0);
    else EXPECT_EQ(passing, 0);
    EXPECT_GT(lasting + passing, 0);
  }
}

// ---- Bits

using Results = std::map<std::string, std::vector<float>>;

void expect_same_bits(const Results& want, const Results& got) {
  ASSERT_EQ(want.size(), got.size());
  for (const auto& [name, values] : want) {
    ASSERT_TRUE(got.contains(name)) << name;
    const auto& others = got.at(name);
    ASSERT_EQ(values.size(), others.size()) << name;
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(std::bit_cast<uint32_t>(values[i]), std::bit_cast<uint32_t>(others[i]))
          << name << " element " << i << ": " << values[i] << " and " << others[i];
    }
  }
}

/// Lengths of a batch that is worth two threads.
std::vector<int64_t> many_lengths(int64_t rows, int64_t longest) {
  std::vector<int64_t> lengths;
  for (int64_t r = 0; r < rows; ++r) lengths.push_back(longest - r * (longest + 1) / rows);
  return lengths;
}

TEST_P(Plans, BitsDoNotDependOnThreads) {
  constexpr int32_t kSteps = 7;
  for (const ProgramKind kind : kinds()) {
    SCOPED_TRACE(fmt::format("program {}", int(kind)));
    const Compiled compiled = compile(lowered_, options_for(kind, kSteps, 130), jit());
    for (const auto& lengths : {many_lengths(130, kSteps), std::vector<int64_t>{7, 3, 0}}) {
      const test::TestBatch batch = test::make_batch(graph(kind, kSteps), lengths, kSteps, kLabels);
      const Results one = test::run_compiled(compiled, batch, 1);
      for (const int threads : {2, 3}) expect_same_bits(one, test::run_compiled(compiled, batch, threads));
    }
  }
}

TEST_P(Plans, BitsDoNotDependOnTheBatchCapacity) {
  constexpr int32_t kSteps = 6;
  for (const ProgramKind kind : kinds()) {
    SCOPED_TRACE(fmt::format("program {}", int(kind)));
    const test::TestBatch batch = test::make_batch(graph(kind, kSteps), {6, 4, 4, 1, 0}, kSteps, kLabels);
    const Results want = test::run_compiled(compile(lowered_, options_for(kind, kSteps, 5), jit()), batch, 1);
    for (const int64_t capacity : {6, 64})
      expect_same_bits(
          want, test::run_compiled(compile(lowered_, options_for(kind, kSteps, capacity), jit()), batch, 1));
  }
}

/// While variables are held the runs give the same bits; afterwards new values count.
TEST_P(Plans, HeldVariablesArePackedOnceAndAgainWhenReleased) {
  constexpr int32_t kSteps = 6;
  const test::TestBatch batch =
      test::make_batch(graph(ProgramKind::Evaluate, kSteps), {6, 4, 4, 1, 0}, kSteps, kLabels);
  test::TestBatch other = batch;
  const Compiled compiled = compile(lowered_, options_for(ProgramKind::Evaluate, kSteps, 5), jit());
  Variables variables;
  Session session(compiled.plan.program, variables);
  const auto results = [&](const test::TestBatch& b, int threads) {
    Team team(threads);
    session.set_rows(b.rows());
    for (const auto& [name, tensor] : b.values) {
      if (tensor.shape.type == Type::I32)
        session.set_input(name, std::vector<int32_t>(tensor.data.begin(), tensor.data.end()));
      else session.set_input(name, std::vector<float>(tensor.data.begin(), tensor.data.end()));
    }
    session.run(team);
    Results all;
    for (const ProgramOutput& output : compiled.plan.program.outputs)
      all[output.name] = session.output(output.name);
    return all;
  };
  const auto set_variables = [&](const test::TestBatch& b) {
    for (const auto& [name, tensor] : b.values) {
      if (variables.has(name))
        std::copy(tensor.data.begin(), tensor.data.end(), variables.at(name).data.begin());
    }
  };
  for (auto& [name, tensor] : other.values) {
    if (variables.has(name))
      for (double& x : tensor.data) x = 0.5 * x + 0.1;
  }
  set_variables(batch);
  const Results want = results(batch, 1);
  {
    const HeldVariables held(session);
    for (const int threads : {1, 2, 1}) expect_same_bits(want, results(batch, threads));
  }
  set_variables(other);
  const Results changed = results(other, 1);
  EXPECT_NE(changed, want);
  const HeldVariables held(session);
  for (const int threads : {2, 1}) expect_same_bits(changed, results(other, threads));
}

/// The rows `chosen` of `from`, alone. Rows keep their order, so the longest is still the first.
test::TestBatch rows_of(const test::TestBatch& from, const std::vector<size_t>& chosen) {
  test::TestBatch b;
  b.capacity = from.capacity;
  for (size_t r : chosen) b.lengths.push_back(from.lengths[r]);
  b.row_offset.assign(1, 0);
  for (int32_t t = 0; t < b.capacity; ++t)
    b.row_offset.push_back(b.row_offset.back() + std::count_if(b.lengths.begin(), b.lengths.end(),
                                                               [&](int64_t n) { return n > t; }));
  for (const auto& entry : from.values) {
    const Tensor& tensor = entry.second;
    Tensor t = tensor;
    const size_t cols = size_t(t.cols);
    auto copy_row = [&](size_t row) {
      t.data.insert(t.data.end(), tensor.data.begin() + int64_t(row * cols),
                    tensor.data.begin() + int64_t((row + 1) * cols));
    };
    if (t.shape.rows.kind != Rows::Fixed) t.data.clear();
    if (t.shape.rows.kind == Rows::Batch) {
      for (size_t r : chosen) copy_row(r);
    } else if (t.shape.rows.kind == Rows::Steps) {
      for (int32_t step = t.shape.rows.begin; step < t.shape.rows.end; ++step) {
        for (size_t r : chosen) {
          if (from.lengths[r] > step) copy_row(size_t(from.row_offset[size_t(step)]) + r);
        }
      }
    }
    t.rows = int64_t(t.data.size() / cols);
    if (entry.first == last_index_input(0)) {
      for (size_t r = 0; r < chosen.size(); ++r)
        t.data[r] = b.lengths[r] ? double(b.row_offset[size_t(b.lengths[r] - 1)] + int64_t(r)) : -1;
    }
    b.values[entry.first] = std::move(t);
  }
  return b;
}

/// What an output has of one row: of a sequence, the row's elements one after the other.
std::vector<float> row_of(const test::TestBatch& batch, size_t row, const Show& show,
                          const std::vector<float>& values) {
  const bool sequence = show.sequence >= 0;
  const auto all = size_t(sequence ? batch.row_offset.back() : int64_t(batch.lengths.size()));
  if (all == 0) return {};
  const size_t cols = values.size() / all;
  std::vector<float> result;
  for (int64_t t = 0; t < (sequence ? batch.lengths[row] : 1); ++t) {
    const size_t at = (size_t(sequence ? batch.row_offset[size_t(t)] : 0) + row) * cols;
    result.insert(result.end(), values.begin() + long(at), values.begin() + long(at + cols));
  }
  return result;
}

TEST_P(Plans, ARowsBitsDoNotDependOnItsNeighbours) {
  constexpr int32_t kSteps = 8;
  const Compiled compiled = compile(lowered_, options_for(ProgramKind::Predict, kSteps, 9), jit());
  const test::TestBatch nine =
      test::make_batch(graph(ProgramKind::Predict, kSteps), {8, 8, 7, 5, 5, 3, 2, 1, 0}, kSteps, kSymbols);
  for (const int threads : {1, 2}) {
    const Results all = test::run_compiled(compiled, nine, threads);
    std::vector<std::vector<size_t>> choices = {{0, 8}, {3, 4}, {2, 5}, {1, 7}};
    for (size_t r = 0; r < nine.lengths.size(); ++r) choices.push_back({r});
    for (const auto& chosen : choices) {
      test::TestBatch few = rows_of(nine, chosen);
      few.offsets_list = {few.row_offset.data()};
      const Results got = test::run_compiled(compiled, few, threads);
      ASSERT_FALSE(lowered_.shows.empty());
      for (const Show& show : lowered_.shows) {
        for (size_t i = 0; i < chosen.size(); ++i) {
          SCOPED_TRACE(fmt::format("row {} among {}", chosen[i], chosen.size()));
          expect_same_bits({{show.root, row_of(nine, chosen[i], show, all.at(show.root))}},
                           {{show.root, row_of(few, i, show, got.at(show.root))}});
        }
      }
    }
  }
}

TEST_P(Plans, ARowsBitsDoNotDependOnTheStepsThereCouldBe) {
  const std::vector<int64_t> lengths = {6, 5, 5, 2, 1, 0};
  const test::TestBatch batch = test::make_batch(graph(ProgramKind::Predict, 6), lengths, 6, kSymbols);
  const Results want =
      test::run_compiled(compile(lowered_, options_for(ProgramKind::Predict, 6, 6), jit()), batch, 1);
  for (const int32_t steps : {7, 20}) {
    test::TestBatch longer = batch;  // the same rows, in a table with more steps
    longer.capacity = steps;
    longer.row_offset.resize(size_t(steps) + 1, batch.row_offset.back());
    longer.offsets_list = {longer.row_offset.data()};
    const Compiled compiled = compile(lowered_, options_for(ProgramKind::Predict, steps, 6), jit());
    expect_same_bits(want, test::run_compiled(compiled, longer, 1));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Plans, testing::ValuesIn(all_models()),
                         [](const auto& info) { return info.param.first; });

}  // namespace
}  // namespace rnnc
