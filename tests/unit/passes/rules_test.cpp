// The algebra of rules.cpp, a case a rule: the graph becomes what the identity says, and means the same on
// random tensors with unequal lengths.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/print.h"
#include "passes/passes.h"
#include "tests/unit/passes/graphs.h"

namespace rnnc {
namespace {

/// What the cases are written with; nodes of their own begin at %20.
const std::string kGiven = R"(
%0 = input "x" : f32[B, 3]
%1 = input "y" : f32[B, 3]
%2 = input "s" : f32[T0.1, 3]
%3 = input "u" : f32[T0.2, 3]
%4 = input "row" : f32[1, 3]
%5 = input "index" : i32[B, 1]
%6 = input "stack" : f32[T0.0:4, 3]
%7 = variable "W" : f32[3, 3]
%8 = variable "V" : f32[3, 3]
%9 = constant 0 : f32[1, 1]
%10 = constant 1 : f32[1, 1]
%11 = constant 0 : f32[B, 3]
%12 = constant 6 : f32[1, 1]
%13 = constant 2 : f32[1, 1]
%14 = input "col" : f32[B, 1]
%15 = input "q" : f32[T0.0, 3]
%16 = input "more" : f32[B, 3]
%17 = exp %16 : f32[B, 3]
%18 = log %16 : f32[B, 3]
%19 = sin %16 : f32[B, 3]
)";

struct Rule {
  std::string identity;
  std::string before, after;  // the same: the rule must not apply
};
std::string unchanged = "=";

const std::vector<Rule>& rules() {
  static const std::vector<Rule> list = {
      {"constants: 6 + 2", "%20 = add %12 %13 : f32[1, 1]\noutput \"z\" %20",
       "%20 = constant 8 : f32[1, 1]\noutput \"z\" %20"},
      {"constants: 6 - 2", "%20 = sub %12 %13 : f32[1, 1]\noutput \"z\" %20",
       "%20 = constant 4 : f32[1, 1]\noutput \"z\" %20"},
      {"constants: 6 * 2", "%20 = mul %12 %13 : f32[1, 1]\noutput \"z\" %20",
       "%20 = constant 12 : f32[1, 1]\noutput \"z\" %20"},
      {"constants: 6 / 2", "%20 = div %12 %13 : f32[1, 1]\noutput \"z\" %20",
       "%20 = constant 3 : f32[1, 1]\noutput \"z\" %20"},
      {"constants: 6 / 0 is left to the program", "%20 = div %12 %9 : f32[1, 1]\noutput \"z\" %20",
       unchanged},
      {"constants: sqrt", "%20 = constant 9 : f32[1, 1]\n%21 = sqrt %20 : f32[1, 1]\noutput \"z\" %21",
       "%20 = constant 3 : f32[1, 1]\noutput \"z\" %20"},
      {"constants: sqrt of a negative one is left",
       "%20 = constant -9 : f32[1, 1]\n%21 = sqrt %20 : f32[1, 1]\noutput \"z\" %21", unchanged},
      {"constants: stop", "%20 = stop %12 : f32[1, 1]\noutput \"z\" %20", "output \"z\" %12"},
      {"constants: -c", "%20 = neg %12 : f32[1, 1]\noutput \"z\" %20",
       "%20 = constant -6 : f32[1, 1]\noutput \"z\" %20"},
      {"a + 0", "%20 = add %0 %9 : f32[B, 3]\noutput \"z\" %20", "output \"z\" %0"},
      {"0 + b", "%20 = constant 0 : f32[1, 3]\n%21 = add %0 %20 : f32[B, 3]\noutput \"z\" %21",
       "output \"z\" %0"},
      {"a + 0 that stretches a is left", "%20 = add %4 %11 : f32[B, 3]\noutput \"z\" %20", unchanged},
      {"a - 0", "%20 = sub %0 %9 : f32[B, 3]\noutput \"z\" %20", "output \"z\" %0"},
      {"0 - b", "%20 = sub %9 %0 : f32[B, 3]\noutput \"z\" %20",
       "%20 = neg %0 : f32[B, 3]\noutput \"z\" %20"},
      {"0 - -b", "%20 = neg %0 : f32[B, 3]\n%21 = sub %9 %20 : f32[B, 3]\noutput \"z\" %21",
       "output \"z\" %0"},
      {"-(-a)", "%20 = neg %0 : f32[B, 3]\n%21 = neg %20 : f32[B, 3]\noutput \"z\" %21", "output \"z\" %0"},
      {"0 b", "%20 = mul %9 %0 : f32[B, 3]\noutput \"z\" %20", "output \"z\" %11"},
      {"1 b", "%20 = mul %10 %0 : f32[B, 3]\noutput \"z\" %20", "output \"z\" %0"},
      {"1 b that stretches b is left",
       "%20 = constant 1 : f32[B, 3]\n%21 = mul %4 %20 : f32[B, 3]\noutput \"z\" %21", unchanged},
      {"0 b of a step is left: the first step stays like the others",
       "%20 = mul %9 %2 : f32[T0.1, 3]\noutput \"z\" %20", unchanged},
      {"0 / b", "%20 = div %9 %0 : f32[B, 3]\noutput \"z\" %20", "output \"z\" %11"},
      {"a / 1", "%20 = div %0 %10 : f32[B, 3]\noutput \"z\" %20", "output \"z\" %0"},
      {"a / 1 that stretches a is left",
       "%20 = constant 1 : f32[B, 3]\n%21 = div %4 %20 : f32[B, 3]\noutput \"z\" %21", unchanged},
      {"a ^ 1", "%20 = pow %0 %10 : f32[B, 3]\noutput \"z\" %20", "output \"z\" %0"},
      {"a ^ 0", "%20 = pow %0 %9 : f32[B, 3]\noutput \"z\" %20",
       "%20 = constant 1 : f32[B, 3]\noutput \"z\" %20"},
      {"a ^ 2", "%20 = pow %0 %13 : f32[B, 3]\noutput \"z\" %20",
       "%20 = mul %0 %0 : f32[B, 3]\noutput \"z\" %20"},
      {"a ^ 3", "%20 = constant 3 : f32[1, 1]\n%21 = pow %0 %20 : f32[B, 3]\noutput \"z\" %21",
       "%20 = mul %0 %0 : f32[B, 3]\n%21 = mul %0 %20 : f32[B, 3]\noutput \"z\" %21"},
      {"a ^ 1/2", "%20 = constant 0.5 : f32[1, 1]\n%21 = pow %0 %20 : f32[B, 3]\noutput \"z\" %21",
       "%20 = sqrt %0 : f32[B, 3]\noutput \"z\" %20"},
      {"a ^ 6 is left", "%20 = pow %0 %12 : f32[B, 3]\noutput \"z\" %20", unchanged},
      {"sum with zeros", "%20 = sum %0 %11 %1 : f32[B, 3]\noutput \"z\" %20",
       "%20 = sum %0 %1 : f32[B, 3]\noutput \"z\" %20"},
      {"sum of one and zeros", "%20 = sum %11 %0 : f32[B, 3]\noutput \"z\" %20", "output \"z\" %0"},
      {"sum of zeros", "%20 = sum %11 %11 : f32[B, 3]\noutput \"z\" %20", "output \"z\" %11"},
      {"0 B", "%20 = matmul %11 %7 : f32[B, 3]\noutput \"z\" %20", "output \"z\" %11"},
      {"A (B^T)", "%20 = transpose %7 : f32[3, 3]\n%21 = matmul %0 %20 : f32[B, 3]\noutput \"z\" %21",
       "%20 = matmul %0 %7 {right^T} : f32[B, 3]\noutput \"z\" %20"},
      {"A (B^T)^T",
       "%20 = transpose %7 : f32[3, 3]\n%21 = matmul %0 %20 {right^T} : f32[B, 3]\noutput \"z\" %21",
       "%20 = matmul %0 %7 : f32[B, 3]\noutput \"z\" %20"},
      {"(A^T) B", "%20 = transpose %7 : f32[3, 3]\n%21 = matmul %20 %8 : f32[3, 3]\noutput \"z\" %21",
       "%20 = matmul %7 %8 {left^T} : f32[3, 3]\noutput \"z\" %20"},
      {"(A^T)^T B",
       "%20 = transpose %7 : f32[3, 3]\n%21 = matmul %20 %8 {left^T} : f32[3, 3]\noutput \"z\" %21",
       "%20 = matmul %7 %8 : f32[3, 3]\noutput \"z\" %20"},
      {"(A^T)^T", "%20 = transpose %7 : f32[3, 3]\n%21 = transpose %20 : f32[3, 3]\noutput \"z\" %21",
       "output \"z\" %7"},
      {"[A; 0] B", "%20 = pad_rows %2 : f32[B, 3]\n%21 = matmul %20 %7 : f32[B, 3]\noutput \"z\" %21",
       "%20 = matmul %2 %7 : f32[T0.1, 3]\n%21 = pad_rows %20 : f32[B, 3]\noutput \"z\" %21"},
      {"[A; 0]^T B",
       "%20 = pad_rows %2 : f32[B, 3]\n%21 = matmul %20 %0 {left^T} : f32[3, 3]\noutput \"z\" %21",
       "%20 = take_rows %0 : f32[T0.1, 3]\n%21 = matmul %2 %20 {left^T} : f32[3, 3]\noutput \"z\" %21"},
      {"A^T [B; 0]",
       "%20 = pad_rows %2 : f32[B, 3]\n%21 = matmul %0 %20 {left^T} : f32[3, 3]\noutput \"z\" %21",
       "%20 = take_rows %0 : f32[T0.1, 3]\n%21 = matmul %20 %2 {left^T} : f32[3, 3]\noutput \"z\" %21"},
      {"one_hot(x) E", "%20 = one_hot %5 : f32[B, 3]\n%21 = matmul %20 %7 : f32[B, 3]\noutput \"z\" %21",
       "%20 = gather %7 %5 : f32[B, 3]\noutput \"z\" %20"},
      {"one_hot(x)^T d is left",
       "%20 = one_hot %5 : f32[B, 3]\n%21 = matmul %20 %0 {left^T} : f32[3, 3]\noutput \"z\" %21", unchanged},
      {"take of a constant",
       "%20 = constant 2 : f32[B, 3]\n%21 = take_rows %20 : f32[T0.1, 3]\noutput \"z\" %21",
       "%20 = constant 2 : f32[T0.1, 3]\noutput \"z\" %20"},
      {"pad of zeros", "%20 = constant 0 : f32[T0.1, 3]\n%21 = pad_rows %20 : f32[B, 3]\noutput \"z\" %21",
       "output \"z\" %11"},
      {"pad of another constant is left",
       "%20 = constant 2 : f32[T0.1, 3]\n%21 = pad_rows %20 : f32[B, 3]\noutput \"z\" %21", unchanged},
      {"[A + B; 0]",
       "%20 = take_rows %0 : f32[T0.1, 3]\n%21 = add %20 %2 : f32[T0.1, 3]\n"
       "%22 = tanh %21 : f32[T0.1, 3]\n%23 = add %22 %2 : f32[T0.1, 3]\n%24 = pad_rows %23 : f32[B, "
       "3]\noutput \"z\" %24",
       "%20 = take_rows %0 : f32[T0.1, 3]\n%21 = add %20 %2 : f32[T0.1, 3]\n%22 = tanh %21 : f32[T0.1, 3]\n"
       "%23 = pad_rows %2 : f32[B, 3]\n%24 = pad_rows %22 : f32[B, 3]\n%25 = add %23 %24 : f32[B, 3]\noutput "
       "\"z\" %25"},
      {"take(take a)",
       "%20 = take_rows %0 : f32[T0.0, 3]\n%21 = take_rows %20 : f32[T0.1, 3]\noutput \"z\" %21",
       "%20 = take_rows %0 : f32[T0.1, 3]\noutput \"z\" %20"},
      {"pad(pad a)", "%20 = pad_rows %3 : f32[T0.1, 3]\n%21 = pad_rows %20 : f32[B, 3]\noutput \"z\" %21",
       "%20 = pad_rows %3 : f32[B, 3]\noutput \"z\" %20"},
      {"take(pad a), all of a",
       "%20 = pad_rows %2 : f32[B, 3]\n%21 = take_rows %20 : f32[T0.1, 3]\noutput \"z\" %21",
       "output \"z\" %2"},
      {"take(pad a), fewer",
       "%20 = pad_rows %2 : f32[B, 3]\n%21 = take_rows %20 : f32[T0.2, 3]\noutput \"z\" %21",
       "%20 = take_rows %2 : f32[T0.2, 3]\noutput \"z\" %20"},
      {"take(pad a), more",
       "%20 = pad_rows %3 : f32[B, 3]\n%21 = take_rows %20 : f32[T0.1, 3]\noutput \"z\" %21",
       "%20 = pad_rows %3 : f32[T0.1, 3]\noutput \"z\" %20"},
      {"pad(take a) is left: rows became 0",
       "%20 = take_rows %0 : f32[T0.1, 3]\n%21 = pad_rows %20 : f32[B, 3]\noutput \"z\" %21", unchanged},
      {"pad(take a) to other rows is left",
       "%20 = take_rows %0 : f32[T0.2, 3]\n%21 = pad_rows %20 : f32[T0.1, 3]\noutput \"z\" %21", unchanged},
      {"tail of zeros",
       "%20 = constant 0 : f32[T0.0, 3]\n%21 = tail_rows %20 {offset=2} : f32[T0.0, 3]\noutput \"z\" %21",
       "%20 = constant 0 : f32[T0.0, 3]\noutput \"z\" %20"},
      {"tail(tail a)",
       "%20 = tail_rows %15 {offset=2} : f32[T0.0, 3]\n%21 = tail_rows %20 {offset=2} : f32[T0.0, 3]\noutput "
       "\"z\" %21",
       "%20 = tail_rows %15 {offset=2} : f32[T0.0, 3]\noutput \"z\" %20"},
      {"tail(tail a) of other steps is left",
       "%20 = tail_rows %15 {offset=2} : f32[T0.0, 3]\n%21 = tail_rows %20 {offset=1} : f32[T0.0, 3]\noutput "
       "\"z\" %21",
       unchanged},
      {"all columns", "%20 = slice_cols %0 {offset=0} : f32[B, 3]\noutput \"z\" %20", "output \"z\" %0"},
      {"columns of a constant", "%20 = slice_cols %11 {offset=1} : f32[B, 2]\noutput \"z\" %20",
       "%20 = constant 0 : f32[B, 2]\noutput \"z\" %20"},
      {"columns of columns",
       "%20 = slice_cols %0 {offset=1} : f32[B, 2]\n%21 = slice_cols %20 {offset=1} : f32[B, 1]\noutput "
       "\"z\" %21",
       "%20 = slice_cols %0 {offset=2} : f32[B, 1]\noutput \"z\" %20"},
      {"columns of one part",
       "%20 = concat_cols %0 %1 : f32[B, 6]\n%21 = slice_cols %20 {offset=4} : f32[B, 2]\noutput \"z\" %21",
       "%20 = slice_cols %1 {offset=1} : f32[B, 2]\noutput \"z\" %20"},
      {"columns of two parts are left",
       "%20 = concat_cols %0 %1 : f32[B, 6]\n%21 = slice_cols %20 {offset=2} : f32[B, 2]\noutput \"z\" %21",
       unchanged},
      {"a step of a constant",
       "%20 = constant 2 : f32[T0.0:4, 3]\n%21 = slice_rows %20 : f32[T0.2, 3]\noutput \"z\" %21",
       "%20 = constant 2 : f32[T0.2, 3]\noutput \"z\" %20"},
      {"a step of steps",
       "%20 = slice_rows %6 : f32[T0.1:4, 3]\n%21 = slice_rows %20 : f32[T0.2, 3]\noutput \"z\" %21",
       "%20 = slice_rows %6 : f32[T0.2, 3]\noutput \"z\" %20"},
      {"a step of a stack",
       "%20 = concat_rows %2 %3 : f32[T0.1:3, 3]\n%21 = slice_rows %20 : f32[T0.2, 3]\noutput \"z\" %21",
       "output \"z\" %3"},
      {"a step inside a part of a stack",
       "%20 = slice_rows %6 : f32[T0.2:4, 3]\n%21 = tanh %20 : f32[T0.2:4, 3]\n%22 = concat_rows %2 %21 : "
       "f32[T0.1:4, 3]\n"
       "%23 = slice_rows %22 : f32[T0.3, 3]\noutput \"z\" %23",
       "%20 = slice_rows %6 : f32[T0.2:4, 3]\n%21 = tanh %20 : f32[T0.2:4, 3]\n%22 = slice_rows %21 : "
       "f32[T0.3, 3]\noutput \"z\" %22"},
      {"rows of a matrix", "%20 = slice_rows %7 {offset=1} : f32[2, 3]\noutput \"z\" %20", unchanged},
      {"one part", "%20 = concat_cols %0 : f32[B, 3]\noutput \"z\" %20", "output \"z\" %0"},
      {"all columns joined again",
       "%20 = slice_cols %0 {offset=0} : f32[B, 1]\n%21 = slice_cols %0 {offset=1} : f32[B, 2]\n"
       "%22 = concat_cols %20 %21 : f32[B, 3]\noutput \"z\" %22",
       "output \"z\" %0"},
      {"columns joined in another order are left",
       "%20 = slice_cols %0 {offset=1} : f32[B, 2]\n%21 = slice_cols %0 {offset=0} : f32[B, 1]\n"
       "%22 = concat_cols %20 %21 : f32[B, 3]\noutput \"z\" %22",
       unchanged},
      {"all steps joined again",
       "%20 = slice_rows %6 : f32[T0.0, 3]\n%21 = slice_rows %6 : f32[T0.1:4, 3]\n"
       "%22 = concat_rows %20 %21 : f32[T0.0:4, 3]\noutput \"z\" %22",
       "output \"z\" %6"},
      {"some steps joined again",
       "%20 = slice_rows %6 : f32[T0.1, 3]\n%21 = slice_rows %6 : f32[T0.2, 3]\n"
       "%22 = concat_rows %20 %21 : f32[T0.1:3, 3]\noutput \"z\" %22",
       "%20 = slice_rows %6 : f32[T0.1:3, 3]\noutput \"z\" %20"},
      {"zeros joined",
       "%20 = constant 0 : f32[B, 1]\n%21 = concat_cols %20 %11 : f32[B, 4]\noutput \"z\" %21",
       "%20 = constant 0 : f32[B, 4]\noutput \"z\" %20"},
      {"[stack a_t, stack b_t] = stack [a_t b_t]",
       "%20 = concat_rows %2 %3 : f32[T0.1:3, 3]\n%21 = tanh %2 : f32[T0.1, 3]\n%22 = tanh %3 : f32[T0.2, "
       "3]\n"
       "%23 = concat_rows %21 %22 : f32[T0.1:3, 3]\n%24 = concat_cols %20 %23 : f32[T0.1:3, 6]\noutput \"z\" "
       "%24",
       "%20 = tanh %2 : f32[T0.1, 3]\n%21 = tanh %3 : f32[T0.2, 3]\n%22 = concat_cols %2 %20 : f32[T0.1, 6]\n"
       "%23 = concat_cols %3 %21 : f32[T0.2, 6]\n%24 = concat_rows %22 %23 : f32[T0.1:3, 6]\noutput \"z\" "
       "%24"},
      {"[stack a_t, stack b_t] that are cut elsewhere is left",
       "%20 = slice_rows %6 : f32[T0.1, 3]\n%21 = slice_rows %6 : f32[T0.2:4, 3]\n"
       "%22 = slice_rows %6 : f32[T0.1:3, 3]\n%23 = slice_rows %6 : f32[T0.3, 3]\n"
       "%24 = tanh %20 : f32[T0.1, 3]\n%25 = tanh %21 : f32[T0.2:4, 3]\n"
       "%26 = tanh %22 : f32[T0.1:3, 3]\n%27 = tanh %23 : f32[T0.3, 3]\n"
       "%28 = concat_rows %24 %25 : f32[T0.1:4, 3]\n%29 = concat_rows %26 %27 : f32[T0.1:4, 3]\n"
       "%30 = concat_cols %28 %29 : f32[T0.1:4, 6]\noutput \"z\" %30",
       unchanged},
      {"a count of rows does not wait for the value",
       "%20 = tanh %0 : f32[B, 3]\n%21 = row_count %20 : f32[1, 1]\noutput \"z\" %21",
       "%20 = row_count %0 : f32[1, 1]\noutput \"z\" %20"},
      {"sum_cols of a constant",
       "%20 = constant 2 : f32[B, 3]\n%21 = sum_cols %20 : f32[B, 1]\noutput \"z\" %21",
       "%20 = constant 6 : f32[B, 1]\noutput \"z\" %20"},
      {"sum_cols of one column", "%20 = sum_cols %14 : f32[B, 1]\noutput \"z\" %20", "output \"z\" %14"},
      {"sum_rows of one row", "%20 = sum_rows %4 : f32[1, 3]\noutput \"z\" %20", "output \"z\" %4"},
      {"sum_rows of zeros", "%20 = sum_rows %11 : f32[1, 3]\noutput \"z\" %20",
       "%20 = constant 0 : f32[1, 3]\noutput \"z\" %20"},
      {"sum_rows of another constant is left: who knows how many",
       "%20 = constant 2 : f32[B, 3]\n%21 = sum_rows %20 : f32[1, 3]\noutput \"z\" %21", unchanged},
      {"sum_rows [A; 0]", "%20 = pad_rows %2 : f32[B, 3]\n%21 = sum_rows %20 : f32[1, 3]\noutput \"z\" %21",
       "%20 = sum_rows %2 : f32[1, 3]\noutput \"z\" %20"},
  };
  return list;
}

TEST(Rules, EachRewritesAndKeepsTheValues) {
  for (const Rule& rule : rules()) {
    SCOPED_TRACE(rule.identity);
    const Graph before = test::graph(kGiven + rule.before + "\n");
    const Graph after =
        dce(test::graph(kGiven + (rule.after == unchanged ? rule.before : rule.after) + "\n"));
    const Graph got = simplify(before);
    // Nodes of `after` may stand in another order: its own copy has the order of the rules.
    EXPECT_EQ(print(got), print(after));
    test::expect_same_values(before, got);
  }
}

TEST(Rules, ARulesResultIsNotRewrittenAgain) {
  for (const Rule& rule : rules()) {
    SCOPED_TRACE(rule.identity);
    const Graph once = simplify(test::graph(kGiven + rule.before + "\n"));
    EXPECT_EQ(print(simplify(once)), print(once));
  }
}

TEST(Rules, ZeroBySignIsNotZeroAway) {
  // x + -0 = x as well, and 0 * x is taken for 0 though x may be NaN: the language has no NaN on purpose.
  const Graph g = test::graph(
      "%0 = input \"x\" : f32[B, 3]\n%1 = constant -0 : f32[1, 1]\n%2 = add %0 %1 : f32[B, 3]\noutput \"z\" "
      "%2\n");
  EXPECT_EQ(simplify(g).size(), 1u);
}

}  // namespace
}  // namespace rnnc
