// Rows for `predict`: encoded with nothing but the data block's text and what a saved model knows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What a saved model gives back.
Learned through_json(const Learned& learned) {
  return learned_from_json(nlohmann::json::parse(to_json(learned).dump()));
}

TEST(GivenRows, ALineIsEncodedAsInTraining) {
  const TemporaryFolder folder;
  folder.write("a.txt", "abc\nb\n");
  DataSpec spec = block("a.txt", DataFormat::Lines, {chars("x", true), category("y", line())});
  spec.limits = {{.dimension = "T", .length = 3, .place = {}}};
  const Learned learned = through_json(load_dataset(spec, {.path = folder.path()}).learned);
  const std::vector<std::string> fields = {"x"};
  EXPECT_THAT(needed_values(spec, learned, fields), ElementsAre("line"));
  const std::vector<std::vector<std::string>> values = {split_values("b\tz\r\n", 1), split_values("", 1),
                                                        split_values("aaaa", 1)};
  const Dataset dataset = encode_values(spec, learned, fields, values, "standard input");
  EXPECT_THAT(dataset.test, ElementsAre(0, 1, 2));
  const Vocabulary& c = dataset.learned.vocabularies.at("C");
  const int32_t unk = c.find("<unk>"), eos = c.find("<eos>"), a = c.find("a"), b = c.find("b");
  EXPECT_THAT(dataset.data[0].ids, ElementsAre(b, unk, unk, eos, a, a, a));
  EXPECT_THAT(dataset.data[0].offsets, ElementsAre(0, 3, 4, 7));
  EXPECT_THAT(dataset.dimensions, ElementsAre("T"));
  EXPECT_THAT(refusal([&] {
                encode_values(spec, learned, fields, std::vector<std::vector<std::string>>{{"a\xFF"}}, "-");
              }),
              HasSubstr("-:1: error: not UTF-8 (byte 0xFF)"));
}

TEST(GivenRows, ColumnsInTheOrderOfTheirNumbers) {
  const TemporaryFolder folder;
  folder.write("a.csv", "age,size,kind\n1,10,u\n3,30,v\n");
  DataSpec spec = block("a.csv", DataFormat::Csv,
                        {numbers("x", expr(EncodeOp::Standardize, {col("size"), col(1), col("size")}), 3),
                         category("k", col("kind")), numbers("r", expr(EncodeOp::Row))});
  spec.sources[0].header = true;
  const Learned learned = through_json(load_dataset(spec, {.path = folder.path()}).learned);
  const std::vector<std::string> fields = {"x", "k", "r"};
  EXPECT_THAT(needed_values(spec, learned, fields), ElementsAre("col(1)", "col(\"size\")", "col(\"kind\")"));
  const std::vector<std::vector<std::string>> values = {split_values("3\t20\tv", 3),
                                                        split_values("2\t40\tu", 3)};
  const Dataset dataset = encode_values(spec, learned, fields, values, "standard input");
  EXPECT_THAT(dataset.data[0].numbers, ElementsAre(0, 1, 0, 2, 0, 2));
  EXPECT_THAT(dataset.data[1].ids, ElementsAre(1, 0));
  EXPECT_THAT(dataset.data[2].numbers, ElementsAre(0, 1));

  const auto why = [&](const std::string& line) {
    const std::vector<std::vector<std::string>> rows = {{"1", "1", "u"}, split_values(line, 3)};
    return refusal([&] { encode_values(spec, learned, fields, rows, "standard input"); });
  };
  EXPECT_EQ(why("1\t2"),
            "standard input:2: error: 3 values are needed (col(1), col(\"size\"), col(\"kind\")), this row "
            "has 2\n");
  EXPECT_THAT(why("1\tx\tu"), HasSubstr("standard input:2:1: error: \"x\" is not a number"));
  EXPECT_THAT(why("1\t2\tw"),
              HasSubstr("label \"w\" was not seen in the training part   (category L has: u, v)"));
}

TEST(GivenRows, FilesInTheFormatOfTheDataBlock) {
  const TemporaryFolder folder;
  folder.write("a.csv", "a,1\nb,2\n");
  const DataSpec spec = block(
      "a.csv", DataFormat::Csv,
      {sequence("x", expr(EncodeOp::Chars, {col(1)})), numbers("y", expr(EncodeOp::ToNumber, {col(2)}))});
  const Learned learned = through_json(load_dataset(spec, {.path = folder.path()}).learned);
  folder.write("new.csv", "ba\nab\n");  // the answer need not be there
  const Dataset dataset = encode_files(spec, learned, std::vector<std::string>{"x"},
                                       std::vector<std::string>{folder / "new.csv"});
  EXPECT_EQ(dataset.rows, 2);
  EXPECT_THAT(dataset.data[0].ids, ElementsAre(2, 1, 1, 2));
  EXPECT_THAT(refusal([&] {
                encode_files(spec, learned, std::vector<std::string>{"x"},
                             std::vector<std::string>{folder / "no.csv"});
              }),
              HasSubstr("no.csv: error: no such file"));
  EXPECT_THROW(needed_values(spec, learned, std::vector<std::string>{"q"}), std::invalid_argument);
}

}  // namespace
}  // namespace rnnc
