// Programs with rows inside rows: the compiled ones give what the interpreter gives.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "codegen/jit.h"
#include "codegen/plan.h"
#include "ir/interpret.h"
#include "ir/parse.h"
#include "ir/spaces.h"
#include "ir/verify.h"
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

// Examples in pieces: a row of B or of a step of T is three rows of space 3, numbers and whole numbers alike.
// Each piece of an example is at home in the element of S that "home" names, some in none.
constexpr const char* kPieces = R"(%0 = input "x" : f32[B, 12]
%1 = input "k" : i32[B, 3]
%2 = input "home" : i32[B3, 1]
%3 = input "y" : f32[T0.0:4, 48]
%4 = split_cols %0 : f32[B3, 4]
%5 = split_cols %1 : i32[B3, 1]
%6 = sum_cols %4 : f32[B3, 1]
%7 = join_rows %6 : f32[B, 3]
%8 = one_hot %5 : f32[B3, 4]
%9 = mul %8 %4 : f32[B3, 4]
%10 = scatter_max %9 %2 : f32[T1.0:2, 4]
%11 = scatter_max %6 %2 : f32[2, 1]
%12 = scatter_add %6 %2 : f32[2, 1]
%13 = split_cols %3 : f32[T3.0:4, 16]
%14 = tanh %13 : f32[T3.0:4, 16]
%15 = join_rows %14 : f32[T0.0:4, 48]
%16 = slice_cols %0 {offset=3} : f32[B, 6]
%17 = split_cols %16 : f32[B3, 2]
%18 = slice_cols %4 {offset=2} : f32[B3, 2]
%19 = join_rows %18 : f32[B, 6]
%20 = join_rows %5 : i32[B, 3]
%21 = concat_cols %7 %19 : f32[B, 9]
%22 = variable "W" : f32[6, 8]
%23 = split_cols %22 : f32[12, 4]
%24 = matmul %9 %23 {right^T} : f32[B3, 12]
output "sums" %7
output "picked" %9
output "most" %10
output "most of all" %11
output "sum of all" %12
output "steps" %15
output "cut" %17
output "cut and joined" %21
output "whole numbers" %20
output "product" %24
)";

// A state that goes through the pieces of each step.
std::string steps_of_pieces(int steps) {
  std::string s = fmt::format("%0 = input \"h\" : f32[B, 12]\n%1 = input \"y\" : f32[T0.0:{}, 12]\n", steps);
  s += "%2 = input \"%rows B3 B : 3 : \" : i32[B3, 1]\n";
  int n = 3, state = 0;
  for (int t = 0; t < steps; ++t) {
    const std::string at = fmt::format("T0.{}", t), pieces = fmt::format("T3.{}", t);
    s += fmt::format("%{} = take_rows %{} : f32[{}, 12]\n", n, state, at);
    s += fmt::format("%{} = slice_rows %1 : f32[{}, 12]\n", n + 1, at);
    s += fmt::format("%{} = sub %{} %{} : f32[{}, 12]\n", n + 2, n, n + 1, at);
    s += fmt::format("%{} = split_cols %{} : f32[{}, 4]\n", n + 3, n + 2, pieces);
    s += fmt::format("%{} = max_cols %{} : f32[{}, 1]\n", n + 4, n + 3, pieces);
    s += fmt::format("%{} = sub %{} %{} : f32[{}, 4]\n", n + 5, n + 3, n + 4, pieces);
    s += fmt::format("%{} = join_rows %{} : f32[{}, 12]\n", n + 6, n + 5, at);
    s += fmt::format("%{} = tanh %{} : f32[{}, 12]\n", n + 7, n + 6, at);
    state = n + 7;
    n += 8;
  }
  return s + fmt::format("output \"end\" %{}\n", state);
}

std::vector<Space> spaces() {
  return {{.kind = Space::Sequence, .name = "T", .inside = {}},
          {.kind = Space::Sequence, .name = "S", .inside = {}},
          {.kind = Space::Inner, .name = "T: 2 S", .base = 0, .inside = {2, {1}}},
          {.kind = Space::Inner, .name = "T: 3", .base = 0, .inside = {3, {}}}};
}

/// A program for batches of up to four rows.
struct SpaceProgram {
  Graph graph;
  std::vector<Space> all = spaces();
  std::vector<int32_t> steps;
  Plan plan;
  SpaceProgram(const std::string& text, std::vector<int32_t> longest, bool fused = true)
      : steps(space_steps(all, longest)) {
    PipelineOptions options;
    for (const Pass& pass : pipeline())
      if (pass.optional && !fused) options.disabled.emplace_back(pass.name);
    graph = run_pipeline(parse_graph({"spaces", text}), options);
    verify(graph);
    plan = make_plan(graph, {jit().target(), 4, steps, {"T", "S", "T: 2 S", "T: 3"}, inner_rows(all, steps)});
    plan.program.kernels = jit().compile(plan.kernels);
  }
  RowTables tables(const BatchRows& rows) const {
    RowTables t{rows.batch(), {}};
    for (size_t s = 0; s < rows.size(); ++s) t.row_offset.push_back(rows.row_offset(s).data());
    t.batch_rows.assign(rows.batch_rows().begin(), rows.batch_rows().end());
    return t;
  }

  /// The outputs of one batch are what the interpreter gives.
  void check(const std::vector<std::vector<int32_t>>& lengths, int threads) const {
    Team team(threads);
    const BatchRows rows(all, int64_t(lengths[0].size()), lengths, steps);
    Variables variables;
    Session session(plan.program, variables);
    session.set_rows(tables(rows));
    Tensors given;
    for (NodeId id = 0; id < graph.size(); ++id) {
      if (graph[id].op != Op::Input && graph[id].op != Op::Variable) continue;
      const std::string name(graph.name(id));
      Tensor t = make_tensor(graph.shape(id), rows.table());
      if (is_row_map(name)) {
        const std::vector<int32_t> index = rows.rows_of(parse_row_map(name));
        t.data.assign(index.begin(), index.end());
        session.set_input(name, index);
      } else if (t.shape.type == Type::I32) {
        std::vector<int32_t> values;
        for (double& x : t.data) values.push_back(int32_t(x = double(values.size() * 5 % 3) - 1));
        session.set_input(name, values);
      } else {
        std::vector<float> values;
        for (double& x : t.data) values.push_back(float(x = 0.25 * double(values.size() * 7 % 11) - 1));
        if (graph[id].op == Op::Variable)
          std::copy(values.begin(), values.end(), variables.at(name).data.begin());
        else session.set_input(name, values);
      }
      given.emplace(name, t);
    }
    session.run(team);
    const Tensors expected = interpret_roots(graph, given, rows.table()).outputs;
    for (const auto& [name, value] : expected) {
      const std::vector<float> got = session.output(name);
      ASSERT_EQ(got.size(), value.data.size()) << name;
      for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], value.data[i], 1e-5) << name << " " << i;
    }
  }
};

TEST(SpacePrograms, AgreeWithTheInterpreter) {
  const SpaceProgram look(kLook, {2, 3});
  for (int threads : {1, 2}) {
    look.check({{2, 1, 1, 0}, {1, 0, 3, 2}}, threads);
    look.check({{2}, {0}}, threads);
    look.check({{1, 0}, {3, 3}}, threads);
  }
}

// Elements that go one later, and columns of rows inside rows that go one earlier: nothing is added up.
TEST(SpacePrograms, OneToOneMapsAreFetchedBack) {
  const std::string text = R"(%0 = input "x" : f32[T0.0:3, 5]
%1 = input "%rows T0.* T0.* : #0 : 0*1-1<#0" : i32[T0.0:3, 1]
%2 = scatter_add %0 %1 : f32[T0.0:3, 5]
%3 = input "y" : f32[B2, 2]
%4 = input "%rows B2 B2 : 2 #1 : 0<2 1*1+1<#1" : i32[B2, 1]
%5 = scatter_add %3 %4 : f32[B2, 2]
output "earlier" %2
output "later" %5
)";
  const Graph plain = parse_graph({"spaces", text});
  const SpaceProgram moved(text, {3, 3});
  for (NodeId id = 0; id < moved.graph.size(); ++id) EXPECT_NE(moved.graph[id].op, Op::ScatterAdd);
  const std::vector<std::vector<int32_t>> lengths{{3, 1, 1, 0}, {1, 0, 3, 2}};
  for (int threads : {1, 2}) moved.check(lengths, threads);
  const BatchRows rows(moved.all, 4, lengths, moved.steps);
  const auto outputs = [&](const Graph& graph) {
    Tensors given;
    for (NodeId id = 0; id < graph.size(); ++id) {
      if (graph[id].op != Op::Input) continue;
      const std::string_view name = graph.name(id);
      Tensor t = make_tensor(graph.shape(id), rows.table());
      const std::vector<int32_t> index =
          is_row_map(name) ? rows.rows_of(parse_row_map(name)) : std::vector<int32_t>();
      for (size_t i = 0; i < t.data.size(); ++i) t.data[i] = index.empty() ? double(i) + 1 : index[i];
      given.emplace(name, t);
    }
    return interpret_roots(graph, given, rows.table()).outputs;
  };
  const Tensors want = outputs(plain), got = outputs(moved.graph);
  for (const auto& [name, tensor] : want) EXPECT_EQ(got.at(name).data, tensor.data) << name;
}

TEST(SpacePrograms, RowsAreCutIntoPiecesAndJoined) {
  for (bool fused : {false, true}) {
    const SpaceProgram pieces(kPieces, {4, 2}, fused);
    for (int threads : {1, 2}) {
      pieces.check({{4, 2, 1, 0}, {2, 2, 1, 1}}, threads);
      pieces.check({{4, 4, 4, 4}, {2, 2, 2, 2}}, threads);
      pieces.check({{3}, {2}}, threads);
    }
  }
}

TEST(SpacePrograms, PiecesOfStepsAreLoops) {
  for (bool fused : {false, true}) {
    const SpaceProgram pieces(steps_of_pieces(7), {7, 1}, fused);
    const auto& loops = pieces.plan.program.loops;
    const int32_t turns = std::max_element(loops.begin(), loops.end(), [](const Loop& a, const Loop& b) {
                            return a.count < b.count;
                          })->count;
    EXPECT_GE(turns, 5) << to_string(pieces.plan);
    EXPECT_THAT(to_string(pieces.plan), testing::ContainsRegex("split rows T.*\\+1i T: 3.*\\+1i cols 12"));
    for (int threads : {1, 2}) {
      pieces.check({{7, 5, 5, 1}, {1, 1, 1, 1}}, threads);
      pieces.check({{2}, {1}}, threads);
    }
  }
}

TEST(SpacePrograms, PiecesThatAreNotAllThereAreRefused) {  // space 2 has two rows an element of S
  const SpaceProgram wrong(
      "%0 = input \"x\" : f32[B, 12]\n%1 = split_cols %0 : f32[B2, 4]\noutput \"y\" %1\n", {2, 3});
  Variables variables;
  Session session(wrong.plan.program, variables);
  const BatchRows rows(wrong.all, 1, std::vector<std::vector<int32_t>>{{2}, {1}}, wrong.steps);
  EXPECT_THROW(session.set_rows(wrong.tables(rows)), std::logic_error);
}

TEST(SpacePrograms, WhatHasNoRoomIsRefused) {
  const SpaceProgram look(kLook, {2, 3});
  const std::vector<std::vector<int32_t>> lengths{{1, 1, 1, 1}, {9, 9, 9, 9}};
  const BatchRows rows(look.all, 4, lengths, std::vector<int32_t>{2, 9, 2, 2});
  Variables variables;
  Session session(look.plan.program, variables);
  EXPECT_THROW(session.set_rows(look.tables(rows)), std::logic_error);
}

}  // namespace
}  // namespace rnnc::test
