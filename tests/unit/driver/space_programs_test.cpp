// Programs with rows inside rows: the compiled ones give what the interpreter gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/jit.h"
#include "codegen/plan.h"
#include "ir/interpret.h"
#include "ir/parse.h"
#include "ir/spaces.h"
#include "passes/pipeline.h"

namespace rnnc::test {
namespace {

Jit& jit() {
  static Jit one(target_by_name("host"));
  return one;
}

// Each example looks at all elements of S twice, and sums what it sees.
constexpr const char* kLook = R"(%0 = input "h" : f32[B, 5]
%1 = input "k" : f32[T1.0:3, 5]
%2 = input "%rows B2 B : 2*#1 :" : i32[B2, 1]
%3 = input "%rows B2 T1.* : 2 #1 : 1*1-1<#1" : i32[B2, 1]
%4 = gather %0 %2 : f32[B2, 5]
%5 = gather %1 %3 {value=0.5} : f32[B2, 5]
%6 = mul %4 %5 : f32[B2, 5]
%7 = sum_cols %6 : f32[B2, 1]
%8 = sigmoid %7 : f32[B2, 1]
%9 = mul %8 %5 : f32[B2, 5]
%10 = scatter_add %9 %2 : f32[B, 5]
%11 = pair_index %2 %3 {offset=9} : i32[B2, 1]
output "seen" %10
output "weight" %8
output "pair" %11
)";

std::vector<Space> spaces() {
  return {{.kind = Space::Sequence, .name = "T", .inside = {}},
          {.kind = Space::Sequence, .name = "S", .inside = {}},
          {.kind = Space::Inner, .name = "T: 2 S", .base = 0, .inside = {2, {1}}}};
}

struct Look {
  Graph graph = run_pipeline(parse_graph({"look", kLook}), {});
  std::vector<Space> all = spaces();
  std::vector<int32_t> steps = space_steps(all, std::vector<int32_t>{2, 3});
  Program program;
  Look() {
    Plan plan = make_plan(graph, {jit().target(), 4, steps, {"T", "S", "T: 2 S"}, inner_rows(all, steps)});
    plan.program.kernels = jit().compile(plan.kernels);
    program = std::move(plan.program);
  }
  RowTables tables(const BatchRows& rows) const {
    RowTables t{rows.batch(), {}};
    for (size_t s = 0; s < rows.size(); ++s) t.row_offset.push_back(rows.row_offset(s).data());
    t.batch_rows.assign(rows.batch_rows().begin(), rows.batch_rows().end());
    return t;
  }
};

TEST(SpacePrograms, AgreeWithTheInterpreter) {
  Look look;
  const std::vector<std::vector<std::vector<int32_t>>> batches{
      {{2, 1, 1, 0}, {1, 0, 3, 2}}, {{2}, {0}}, {{1, 0}, {3, 3}}};
  for (int threads : {1, 2}) {
    Team team(threads);
    for (const auto& lengths : batches) {
      const BatchRows rows(look.all, int64_t(lengths[0].size()), lengths, look.steps);
      Variables variables;
      Session session(look.program, variables);
      session.set_rows(look.tables(rows));
      Tensors given;
      for (NodeId id = 0; id < look.graph.size(); ++id) {
        if (look.graph[id].op != Op::Input) continue;
        const std::string name(look.graph.name(id));
        Tensor t = make_tensor(look.graph.shape(id), rows.table());
        if (is_row_map(name)) {
          const std::vector<int32_t> index = rows.rows_of(parse_row_map(name));
          t.data.assign(index.begin(), index.end());
          session.set_input(name, index);
        } else {
          std::vector<float> values;
          for (double& x : t.data) values.push_back(float(x = 0.25 * double(values.size() * 7 % 11) - 1));
          session.set_input(name, values);
        }
        given.emplace(name, t);
      }
      session.run(team);
      const Tensors expected = interpret_roots(look.graph, given, rows.table()).outputs;
      for (const auto& [name, value] : expected) {
        const std::vector<float> got = session.output(name);
        ASSERT_EQ(got.size(), value.data.size()) << name;
        for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], value.data[i], 1e-5) << name << " " << i;
      }
    }
  }
}

TEST(SpacePrograms, WhatHasNoRoomIsRefused) {
  Look look;
  const std::vector<std::vector<int32_t>> lengths{{1, 1, 1, 1}, {9, 9, 9, 9}};
  const BatchRows rows(look.all, 4, lengths, std::vector<int32_t>{2, 9, 2});
  Variables variables;
  Session session(look.program, variables);
  EXPECT_THROW(session.set_rows(look.tables(rows)), std::logic_error);
}

}  // namespace
}  // namespace rnnc::test
