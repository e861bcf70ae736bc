// What passes say of their work: what they merged, and for everything that stays the reason.
#include "passes/notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "passes/pipeline.h"
#include "tests/unit/passes/graphs.h"

namespace rnnc {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// What `pass` says of a graph.
std::vector<Note> said(std::string_view pass, const std::string& text) {
  Notes notes;
  find_pass(pass)->run(test::graph(text), {&notes});
  for (const Note& note : notes.list()) EXPECT_EQ(note.pass, pass);
  return notes.list();
}

auto made(const char* from, const char* to, int times = 1) {
  return Contains(AllOf(Field(&Note::from, HasSubstr(from)), Field(&Note::to, HasSubstr(to)),
                        Field(&Note::reason, IsEmpty()), Field(&Note::times, times)));
}
auto refused(const char* what, const char* reason, int times = 1) {
  return Contains(AllOf(Field(&Note::from, HasSubstr(what)), Field(&Note::reason, HasSubstr(reason)),
                        Field(&Note::to, IsEmpty()), Field(&Note::times, times)));
}

/// Two steps of h' = tanh(x·W + h·U) with an output layer h·V.
const char* const kRecurrence = R"(
%0 = input "x" : f32[T0.0:2, 3]
%1 = input "h" : f32[T0.0, 3]
%2 = variable "W" : f32[3, 3]
%3 = variable "U" : f32[3, 3]
%4 = variable "V" : f32[3, 2]
%5 = slice_rows %0 : f32[T0.0, 3]
%6 = slice_rows %0 : f32[T0.1, 3]
%7 = matmul %5 %2 : f32[T0.0, 3]
%8 = matmul %1 %3 : f32[T0.0, 3]
%9 = add %7 %8 : f32[T0.0, 3]
%10 = tanh %9 : f32[T0.0, 3]
%11 = take_rows %10 : f32[T0.1, 3]
%12 = matmul %6 %2 : f32[T0.1, 3]
%13 = matmul %11 %3 : f32[T0.1, 3]
%14 = add %12 %13 : f32[T0.1, 3]
%15 = tanh %14 : f32[T0.1, 3]
%16 = matmul %11 %4 : f32[T0.1, 2]
%17 = matmul %15 %4 : f32[T0.1, 2]
output "y" %16
output "z" %17
)";

TEST(Notes, GatesThatAreJoined) {
  EXPECT_THAT(said("fuse_gates", R"(
%0 = input "x" : f32[B, 3]
%1 = variable "A" : f32[3, 2]
%2 = variable "C" : f32[3, 4]
%3 = matmul %0 %1 : f32[B, 2]
%4 = matmul %0 %2 : f32[B, 4]
output "a" %3
output "c" %4
)"),
              made("2 products of x with A, C", "one with 6 columns"));
}

TEST(Notes, GroupsWithACommonOperandThatStayApart) {
  EXPECT_THAT(said("fuse_gates", kRecurrence), refused("products with U [3, 3] and V [3, 2]",
                                                       "V does not recur and can leave the time loop, U"));
  EXPECT_THAT(said("fuse_gates", R"(
%0 = input "x" : f32[B, 3]
%1 = input "z" : f32[B, 3]
%2 = variable "A" : f32[3, 2]
%3 = variable "C" : f32[3, 2]
%4 = matmul %0 %2 : f32[B, 2]
%5 = matmul %0 %3 : f32[B, 2]
%6 = matmul %1 %2 : f32[B, 2]
output "a" %4
output "c" %5
output "d" %6
)"),
              refused("products with A [3, 2] and C [3, 2]", "in common at 1 of 2 steps only"));
  EXPECT_THAT(said("fuse_gates", R"(
%0 = input "x" : f32[B, 3]
%1 = variable "A" : f32[3, 2]
%2 = variable "C" : f32[2, 3]
%3 = matmul %0 %1 : f32[B, 2]
%4 = matmul %0 %2 {right^T} : f32[B, 2]
output "a" %3
output "c" %4
)"),
              refused("products with A [3, 2] and C [2, 3]", "one right operand is transposed"));
}

TEST(Notes, GatesOfDifferentWidths) {
  const std::vector<Note> notes = said("fuse_gates", R"(
%0 = input "x" : f32[B, 3]
%1 = variable "A" : f32[3, 12]
%2 = variable "C" : f32[3, 1]
%3 = variable "D" : f32[3, 12]
%4 = matmul %0 %1 : f32[B, 12]
%5 = matmul %0 %2 : f32[B, 1]
%6 = matmul %0 %3 : f32[B, 12]
output "a" %4
output "c" %5
output "d" %6
)");
  EXPECT_THAT(notes, made("2 products of x with A, D", "one with 24 columns"));
  EXPECT_THAT(notes, refused("products with C [3, 1] and A [3, 12]", "parts of different widths"));
}

TEST(Notes, StepsThatAreStackedAndThoseThatWait) {
  const std::vector<Note> notes = said("batch_over_time", kRecurrence);
  EXPECT_THAT(notes, made("2 products with W at steps 0 to 1", "one before or after the time loop"));
  EXPECT_THAT(notes, refused("2 products with U", "each waits for the one of the step before"));
  EXPECT_THAT(notes, refused("2 products with V", "no step beside theirs has one"));  // both are of step 1
}

TEST(Notes, TermsOfSums) {
  const std::vector<Note> notes = said("fuse_sums", kRecurrence);
  EXPECT_THAT(notes, refused("the product with W", "it does not recur and can leave the time loop", 2));
  EXPECT_THAT(
      said("fuse_sums", R"(
%0 = input "x" : f32[B, 3]
%1 = input "z" : f32[B, 2]
%2 = variable "A" : f32[3, 2]
%3 = variable "C" : f32[2, 2]
%4 = variable "D" : f32[2, 2]
%5 = matmul %0 %2 : f32[B, 2]
%6 = matmul %1 %3 : f32[B, 2]
%7 = matmul %1 %4 {right^T} : f32[B, 2]
%8 = sum %5 %6 %7 : f32[B, 2]
output "y" %8
)"),
      AllOf(made("a sum of 2 products, with A", "one product"),
            refused("the product with D", "it is transposed, the other products of this sum are not")));
  EXPECT_THAT(said("fuse_sums", R"(
%0 = input "x" : f32[T0.0:2, 3]
%1 = input "d" : f32[T0.0:2, 2]
%2 = slice_rows %0 : f32[T0.0, 3]
%3 = slice_rows %0 : f32[T0.1, 3]
%4 = slice_rows %1 : f32[T0.0, 2]
%5 = slice_rows %1 : f32[T0.1, 2]
%6 = matmul %2 %4 {left^T} : f32[3, 2]
%7 = matmul %3 %5 {left^T} : f32[3, 2]
%8 = add %6 %7 : f32[3, 2]
output "dW" %8
)"),
              made("a sum of 2 products over time", "one over the rows of all steps"));
}

TEST(Notes, WeightGradientsAndBiases) {
  EXPECT_THAT(said("fuse_weight_gradients", R"(
%0 = input "x" : f32[B, 3]
%1 = input "d" : f32[B, 2]
%2 = input "e" : f32[B, 2]
%3 = matmul %0 %1 {left^T} : f32[3, 2]
%4 = matmul %0 %2 {left^T} : f32[3, 2]
output "a" %3
output "b" %4
)"),
              made("2 products of x with d, e", "one with 4 columns"));
}

TEST(Notes, EpiloguesAndWhyThereIsNone) {
  const auto of = [](const char* users) {
    return said("fuse_pointwise", std::string(R"(
%0 = input "x" : f32[B, 3]
%1 = variable "A" : f32[3, 6]
%2 = matmul %0 %1 : f32[B, 6]
)") + users);
  };
  EXPECT_THAT(of("%3 = tanh %2 : f32[B, 6]\n%4 = exp %3 : f32[B, 6]\noutput \"y\" %4\n"),
              AllOf(made("2 operations after the product with A", "its epilogue"),
                    Not(Contains(Field(&Note::reason, Not(IsEmpty()))))));
  EXPECT_THAT(of("%3 = slice_cols %2 : f32[B, 2]\n%4 = slice_cols %2 {offset=2} : f32[B, 4]\n"
                 "%5 = tanh %3 : f32[B, 2]\n%6 = tanh %4 : f32[B, 4]\noutput \"y\" %5\noutput \"z\" %6\n"),
              refused("an epilogue of the product with A", "its parts have different numbers of columns"));
  EXPECT_THAT(of("%3 = slice_cols %2 {offset=1} : f32[B, 3]\n%4 = tanh %3 : f32[B, 3]\noutput \"y\" %4\n"),
              refused("an epilogue of the product with A", "its parts do not divide its columns evenly"));
  EXPECT_THAT(of("%3 = slice_cols %2 : f32[B, 3]\n%4 = tanh %3 : f32[B, 3]\n%5 = exp %2 : f32[B, 6]\n"
                 "output \"y\" %4\noutput \"z\" %5\n"),
              refused("an epilogue of the product with A", "it is used whole and in parts"));
  EXPECT_THAT(
      of("%3 = sum_rows %2 : f32[1, 6]\noutput \"y\" %3\n"),
      refused("an epilogue of the product with A", "what follows has other rows or is no element-wise"));
  EXPECT_THAT(said("fuse_pointwise", R"(
%0 = input "x" : f32[B, 3]
%1 = input "d" : f32[B, 2]
%2 = matmul %0 %1 {left^T} : f32[3, 2]
%3 = tanh %2 : f32[3, 2]
output "y" %3
)"),
              refused("an epilogue of the product with d", "it sums over rows"));
  EXPECT_THAT(said("fuse_pointwise", R"(
%0 = input "x" : f32[B, 3]
%1 = tanh %0 : f32[B, 3]
%2 = exp %1 : f32[B, 3]
output "y" %2
)"),
              made("2 operations", "one kernel"));
}

TEST(Notes, KernelsThatWouldBeTooLong) {
  Graph g;
  NodeId v = g.input("x", {Type::F32, Rows::batch(), 2});
  for (int k = 0; k < 120; ++k) v = g.unary(k % 2 ? Op::Sin : Op::Cos, v);
  g.roots = {{"y", v}};
  Notes notes;
  find_pass("fuse_pointwise")->run(g, {&notes});
  EXPECT_THAT(notes.list(), made("80 operations", "one kernel"));
  EXPECT_THAT(notes.list(), refused("a longer kernel", "more than 3200 instructions"));
}

TEST(Notes, WhatIsSaidTwiceIsCounted) {
  Graph g;
  const NodeId x = g.input("x", {Type::F32, Rows::batch(), 2});
  Notes notes;
  notes.made("p", g, x, "a", "b");
  notes.refused("p", g, x, "a", "c");
  notes.made("p", g, x, "a", "b");
  ASSERT_EQ(notes.list().size(), 2u);
  EXPECT_EQ(notes.list()[0].times, 2);
  EXPECT_FALSE(notes.list()[0].refused());
  EXPECT_TRUE(notes.list()[1].refused());
}

TEST(Notes, NamesOfValues) {
  Graph g;
  const NodeId a = g.variable("A", 2, 3), b = g.variable("B", 2, 3);
  EXPECT_EQ(called(g, g.concat_cols(std::array{a, b})), "[A B]");
  EXPECT_EQ(called(g, g.concat_cols(std::array{a, b, a, b, b})), "[A ... B]");
  EXPECT_EQ(called(g, g.slice_cols(b, 1, 2)), "B");
  EXPECT_EQ(called(g, g.unary(Op::Tanh, a)), "tanh");
  g.set_origin(g.add_origin({"h.gru z", 7}));
  EXPECT_EQ(called(g, g.unary(Op::Exp, a)), "h.gru z");
  g.set_backward(true);
  EXPECT_EQ(called(g, g.unary(Op::Sin, a)), "d h.gru z");
}

TEST(Notes, SayingThemChangesNothing) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    const Graph g = test::random_graph(seed);
    Notes notes;
    PipelineOptions options;
    options.context.notes = &notes;
    test::expect_same_values(run_pipeline(g, {}), run_pipeline(g, options));
    EXPECT_EQ(run_pipeline(g, {}).size(), run_pipeline(g, options).size());
    for (const Note& note : notes.list()) EXPECT_NE(note.to.empty(), note.reason.empty());
  }
}

}  // namespace
}  // namespace rnnc
