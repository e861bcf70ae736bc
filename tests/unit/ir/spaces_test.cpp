// Spaces of rows and the maps between them, worked out by hand on three examples.
#include "ir/spaces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/graph.h"
#include "ir/inverse_map.h"

namespace rnnc {
namespace {

using testing::ElementsAre;

// Example 0 has 3 steps of T and 1 of S, example 1 has 2 and 0, example 2 has 0 and 2. S runs in the order 2,
// 0, 1.
std::vector<Space> spaces() {
  return {{.kind = Space::Sequence, .name = "T", .inside = {}},
          {.kind = Space::Sequence, .name = "S", .inside = {}},
          {.kind = Space::Inner, .name = "T: 2 S", .base = 0, .inside = {2, {1}}},
          {.kind = Space::Constant, .name = "2", .steps = 2, .inside = {}},
          {.kind = Space::Derived, .name = "T-1", .base = 0, .add = -1, .inside = {}}};
}

struct Rows3 : testing::Test {
  std::vector<Space> all = spaces();
  std::vector<std::vector<int32_t>> lengths{{3, 2, 0}, {1, 0, 2}};
  std::vector<int32_t> steps = space_steps(all, std::vector<int32_t>{3, 2});
  BatchRows rows{all, 3, lengths, steps};
  std::vector<int32_t> map(const std::string& name) { return rows.rows_of(parse_row_map(name)); }
};

TEST_F(Rows3, StepsAndRowsInside) {
  EXPECT_THAT(steps, ElementsAre(3, 2, 3, 2, 2));
  EXPECT_THAT(inner_rows(all, steps), ElementsAre(1, 1, 4, 1, 1));
}

TEST_F(Rows3, EachSpaceHasItsOrderAndOffsets) {
  EXPECT_THAT(rows.order(0), ElementsAre(0, 1, 2));
  EXPECT_THAT(rows.order(1), ElementsAre(2, 0, 1));
  EXPECT_THAT(rows.order(2), ElementsAre(0, 1, 2));
  EXPECT_THAT(rows.row_offset(0), ElementsAre(0, 2, 4, 5));
  EXPECT_THAT(rows.row_offset(1), ElementsAre(0, 2, 3));
  EXPECT_THAT(rows.row_offset(2), ElementsAre(0, 2, 4, 6));  // example 1 has no S, so no rows inside
  EXPECT_THAT(rows.row_offset(3), ElementsAre(0, 3, 6));
  EXPECT_THAT(rows.row_offset(4), ElementsAre(0, 2, 3));
  EXPECT_THAT(rows.batch_rows(), ElementsAre(3, 3, 6, 3, 3));
  EXPECT_EQ(rows.table().count(Rows::batch(2)), 6);
  EXPECT_EQ(rows.table().count(Rows::step(2, 1)), 2);
}

TEST_F(Rows3, ExamplesInAnotherOrder) {
  EXPECT_THAT(map("%rows B B1 : :"), ElementsAre(1, 2, 0));
  EXPECT_THAT(map("%rows B1 B : :"), ElementsAre(2, 0, 1));
}

TEST_F(Rows3, InnerRowsFindTheirExampleAndElement) {
  EXPECT_THAT(map("%rows B2 B : 2*#1 :"), ElementsAre(0, 0, 2, 2, 2, 2));
  EXPECT_THAT(map("%rows B2 T1.* : 2 #1 : 1<#1"), ElementsAre(1, 1, 0, 2, 0, 2));
  EXPECT_THAT(map("%rows B2 4 : 2*#1 : 0<4"), ElementsAre(0, 1, 0, 1, 2, 3));
  EXPECT_THAT(map("%rows T2.* T0.* : #0 2*#1 : 0<#0"), ElementsAre(0, 0, 2, 2, 4, 4));
}

TEST_F(Rows3, StepsBeforeAfterAndBetween) {
  EXPECT_THAT(map("%rows T0.* T0.* : #0 : 0*1-1<#0"), ElementsAre(-1, -1, 0, 1, 2));
  EXPECT_THAT(map("%rows T4.* T0.* : #4 : 0*1+1<#0"), ElementsAre(2, 3, 4));
  EXPECT_THAT(map("%rows T3.* T0.* : #3 : 0*2+0<#0"), ElementsAre(0, 1, -1, 4, -1, -1));
}

TEST_F(Rows3, FirstAndLastOfAnEmptyExampleAreNone) {
  EXPECT_THAT(map("%rows B T0.* : : first<#0"), ElementsAre(0, 1, -1));
  EXPECT_THAT(map("%rows B T0.* : : last<#0"), ElementsAre(4, 3, -1));
}

// Example 0 has words of 1, 3 and 2 letters, example 1 none, example 2 one of 2.
struct Words3 : testing::Test {
  std::vector<Space> all = [] {
    std::vector<Space> list = sequence_spaces({"S", "U"}, std::vector<int>{-1, 0});
    list.push_back({.kind = Space::Inner, .name = "U: 2", .base = 1, .inside = {2, {}}});
    list.push_back({.kind = Space::Derived, .name = "U-1", .base = 1, .add = -1, .inside = {}});
    return list;
  }();
  std::vector<std::vector<int32_t>> lengths{{3, 0, 1}, {1, 3, 2, 2}};
  std::vector<int32_t> steps = space_steps(all, std::vector<int32_t>{3, 4});
  BatchRows rows{all, 3, lengths, steps};
  std::vector<int32_t> map(const std::string& name) { return rows.rows_of(parse_row_map(name)); }
};

TEST_F(Words3, AreTheRowsOfTheirLetters) {
  EXPECT_THAT(steps, ElementsAre(3, 4, 4, 3));
  EXPECT_THAT(inner_rows(all, steps), ElementsAre(1, 3, 6, 3));
  EXPECT_THAT(rows.order(1), ElementsAre(1, 2, 3, 0));
  EXPECT_THAT(rows.row_offset(1), ElementsAre(0, 4, 7, 8, 8));
  EXPECT_THAT(rows.row_offset(2), ElementsAre(0, 8, 14, 16, 16));
  EXPECT_THAT(rows.row_offset(3), ElementsAre(0, 3, 4, 4));
  EXPECT_THAT(rows.batch_rows(), ElementsAre(3, 4, 8, 4));
}

TEST_F(Words3, FindTheirLettersAndTheWordsAround) {
  // S: step 0 has word 0 of example 0 and that of example 2, then words 1 and 2
  EXPECT_THAT(map("%rows T0.* B1 : #0 : 0<#0"), ElementsAre(3, 2, 0, 1));
  EXPECT_THAT(map("%rows B1 T0.* : #0 : 0<#0"), ElementsAre(2, 3, 1, 0));
  EXPECT_THAT(map("%rows B1 B : #0 :"), ElementsAre(0, 0, 1, 0));
  EXPECT_THAT(map("%rows T1.* T0.* : #0 #1 : 0<#0"), ElementsAre(2, 3, 1, 0, 2, 3, 1, 2));
  EXPECT_THAT(map("%rows T2.* T1.* : #0 #1 2 : 0<#0 1<#1"),
              ElementsAre(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7));
}

TEST_F(Words3, EndWhereTheyEnd) {
  EXPECT_THAT(map("%rows T0.* T1.* : #0 : 0<#0 last<#1"), ElementsAre(3, 6, 7, 5));
  EXPECT_THAT(map("%rows T0.* T1.* : #0 : 0<#0 first<#1"), ElementsAre(3, 2, 0, 1));
  EXPECT_THAT(map("%rows T1.* T1.* : #0 #1 : 0<#0 1*1+1<#1"), ElementsAre(4, 5, 6, -1, 7, -1, -1, -1));
  EXPECT_THAT(map("%rows T1.* T1.* : #0 #1 : 0*1-1<#0 1<#1"), ElementsAre(3, 0, -1, -1, -1, 4, -1, -1));
  EXPECT_THAT(map("%rows T3.* T1.* : #0 #3 : 0<#0 1*1+1<#1"), ElementsAre(4, 5, 6, 7));
}

TEST_F(Words3, AreAsManyAsTheElementsAroundThem) {
  lengths[1].pop_back();
  EXPECT_THROW(BatchRows(all, 3, lengths, steps), GraphError);
}

// ((0 1) 2) and a single leaf.
const std::vector<TreeNodes> kTrees{{{0, 5, 6}, {-1, -1, 0, -1, 2, -1}, {-1, -1, 1, -1, 3, -1}}};

TEST(Spaces, LevelsOfTrees) {
  const std::vector<Space> spaces{{.kind = Space::Sequence, .name = "N", .inside = {}},
                                  {.kind = Space::Levels, .name = "levels", .base = 0, .inside = {}}};
  const std::vector<std::vector<int32_t>> lengths{{5, 1}};
  const BatchRows rows(spaces, 2, lengths, std::vector<int32_t>{5, 4}, kTrees);
  EXPECT_THAT(rows.row_offset(1), ElementsAre(0, 2, 4, 6, 6));  // roots first
  EXPECT_EQ(rows.length(1, 0), 3);
  EXPECT_EQ(rows.length(1, 1), 1);
  // Nodes by levels: the roots, then (0 1) and 2, then 0 and 1.
  EXPECT_THAT(rows.rows_of(parse_row_map("%rows T1.* T0.* : #0 : 0<#0")), ElementsAre(5, 1, 3, 4, 0, 2));
  EXPECT_THAT(rows.rows_of(parse_row_map("%rows T0.* T1.* : #0 : 0<#0")), ElementsAre(4, 1, 5, 2, 3, 0));
  EXPECT_THAT(rows.child(1, false), ElementsAre(0, -1, 0, -1, -1, -1));
  EXPECT_THAT(rows.child(1, true), ElementsAre(1, -1, 1, -1, -1, -1));
  EXPECT_THAT(rows.rows_of(parse_row_map("%rows B T1.* : : last<#0")), ElementsAre(0, 1));
  EXPECT_THROW(BatchRows(spaces, 2, lengths, std::vector<int32_t>{5, 2}, kTrees), GraphError);
}

TEST(Spaces, TreesNeedTheRoomOfTheLargest) {
  const TreeSize size = tree_size(kTrees[0]);
  EXPECT_EQ(size.depth, 3);
  EXPECT_EQ(size.width, 2);
  const std::vector<Space> spaces{{.kind = Space::Sequence, .name = "N", .inside = {}},
                                  {.kind = Space::Levels, .name = "levels", .base = 0, .inside = {}}};
  const std::vector<int32_t> longest{9};
  EXPECT_THAT(space_steps(spaces, longest), ElementsAre(9, 5));
  EXPECT_THAT(inner_rows(spaces, space_steps(spaces, longest)), ElementsAre(1, 5));
  const std::vector<TreeSize> sizes{{7, 3}};
  const std::vector<int32_t> steps = space_steps(spaces, longest, sizes);
  EXPECT_THAT(steps, ElementsAre(9, 7));
  EXPECT_THAT(inner_rows(spaces, steps, sizes), ElementsAre(1, 3));
}

TEST_F(Rows3, ConstantsKeepTheOrderOfTheirBase) {
  all[3].base = 1;
  const BatchRows ordered(all, 3, lengths, steps);
  EXPECT_THAT(ordered.order(3), ElementsAre(2, 0, 1));
  EXPECT_THAT(ordered.rows_of(parse_row_map("%rows T3.* B : #3 :")), ElementsAre(2, 0, 1, 2, 0, 1));
}

TEST_F(Rows3, SomeMapsAreTheSameForAllBatches) {
  all.push_back({.kind = Space::Inner, .name = "2: 5", .base = 3, .inside = {5, {3}}});
  for (const char* name : {"%rows B B : :", "%rows T3.* B : #3 :", "%rows B3 T3.* : : last<#3",
                           "%rows T5.* T3.* : #3 5*#3 : 0<#3", "%rows B5 5 : 5 2 : 0<5"})
    EXPECT_TRUE(same_for_all(parse_row_map(name), all)) << name;
  for (const char* name : {"%rows B B1 : :", "%rows T0.* B : #0 :", "%rows B T0.* : : last<#0",
                           "%rows B2 B : 2*#1 :", "%rows T4.* B : #4 :", "%rows B3 T3.* : : last<#1"})
    EXPECT_FALSE(same_for_all(parse_row_map(name), all)) << name;
  all[3].base = 1;
  EXPECT_FALSE(same_for_all(parse_row_map("%rows T3.* B : #3 :"), all));
}

TEST_F(Rows3, OneToOneMapsGoBack) {
  const auto back = [](const char* name) {
    const std::optional<RowMap> map = inverse(parse_row_map(name));
    return map ? to_string(*map) : "none";
  };
  EXPECT_EQ(back("%rows T0.* T0.* : #0 : 0*1-1<#0"), "%rows T0.* T0.* : #0 : 0*1+1<#0");
  EXPECT_EQ(back("%rows B1 B2 : 3 #0 : 1*1+2<#1 0<4"), "%rows B2 B1 : #1 4 : 1<3 0*1-2<#0");
  EXPECT_EQ(back("%rows B B1 : :"), "%rows B1 B : :");
  for (const char* name :
       {"%rows T2.* B : #0 4 : 1<3", "%rows B T0.* : : last<#0", "%rows B2 B1 : 8 : 0*2+0<16",
        "%rows B2 B1 : #0 : 0<#0 0<#0", "%rows B2 4 : 4 : 0<4"})
    EXPECT_EQ(back(name), "none") << name;
  // Whatever belongs somewhere is found from there.
  for (const char* name : {"%rows T0.* T0.* : #0 : 0*1-1<#0", "%rows T0.* T0.* : #0 : 0*1+1<#0",
                           "%rows B B1 : :", "%rows T4.* T0.* : #4 : 0*1+1<#0"}) {
    const std::vector<int32_t> there = map(name), from = map(back(name));
    std::vector<int32_t> want(from.size(), -1);
    for (size_t i = 0; i < there.size(); ++i)
      if (there[i] >= 0) want[size_t(there[i])] = int32_t(i);
    EXPECT_EQ(from, want) << name;
  }
}

TEST(Spaces, AModelWithoutAnyHasItsExamples) {
  const BatchRows rows({}, 2, {}, {});
  EXPECT_THAT(rows.rows_of(parse_row_map("%rows B B : :")), ElementsAre(0, 1));
  EXPECT_EQ(rows.table().count(Rows::batch()), 2);
}

TEST(RowMapText, ReadsWhatItPrints) {
  for (const char* name :
       {"%rows B B1 : :", "%rows T2.* B : #0 4 : 1<4", "%rows T0.* T0.* : #0 : 0*1-1<#0",
        "%rows B T0.* : : last<#0", "%rows B2 7 : 2*#0*#1 : first<3 0*2+5<#1", "%rows B T0.* : : first<#0"}) {
    EXPECT_TRUE(is_row_map(name));
    EXPECT_EQ(to_string(parse_row_map(name)), name);
  }
}

TEST(RowMapText, RefusesWhatIsNone) {
  for (const char* name :
       {"%rows ", "%rows B", "%rows 3 B : :", "%rows B T0 : :", "%rows B B : : 0<#0", "%rows B B : : last<",
        "%rows B B : : x", "%rows B B : #0 4 : 1<4 ", "%rows B B : #0 : -7<#0", "%rows B B : #0 : -1<#0",
        "%rows B300 B : :", "%rows T-1.* B : :", "%rows B B : #-1 : 0<4", "%last.0"})
    EXPECT_THROW(parse_row_map(name), GraphError) << name;
}

}  // namespace
}  // namespace rnnc
