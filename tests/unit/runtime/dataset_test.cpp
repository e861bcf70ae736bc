// Data blocks: dealing, vocabularies, encoding, and what is said when something is wrong.
#include "runtime/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/batches.h"
#include "runtime/deal.h"
#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using namespace test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Dataset load(const TemporaryFolder& folder, const DataSpec& spec) {
  return load_dataset(spec, {.path = folder.path()});
}

std::string why(const TemporaryFolder& folder, const DataSpec& spec) {
  return refusal([&] { load(folder, spec); });
}

std::string text_of(const Dataset& dataset, size_t field, int64_t row) {
  const FieldData& data = dataset.data[field];
  std::string text;
  for (int64_t i = data.offsets[static_cast<size_t>(row)]; i < data.offsets[static_cast<size_t>(row) + 1];
       ++i)
    text += dataset.learned.vocabularies.at(dataset.fields[field].vocabulary)
                .text(data.ids[static_cast<size_t>(i)]);
  return text;
}

std::vector<int64_t> dealt(int64_t rows, const std::vector<Share>& shares, Part part) {
  std::vector<int64_t> result;
  const std::vector<Part> parts = deal_rows(rows, shares);
  for (int64_t r = 0; r < rows; ++r)
    if (parts[static_cast<size_t>(r)] == part) result.push_back(r);
  return result;
}

TEST(Deal, EightyTwenty) {
  EXPECT_THAT(dealt(20, {{Part::Train, 0.8}, {Part::Test, 0.2}}, Part::Test), ElementsAre(2, 7, 12, 17));
}

TEST(Deal, CountsAreTheSharesAndTiesGoToTheFirst) {
  const std::vector<Share> shares = {{Part::Train, 0.8}, {Part::Valid, 0.1}, {Part::Test, 0.1}};
  EXPECT_EQ(dealt(20050, shares, Part::Train).size(), 16040u);
  EXPECT_EQ(dealt(20050, shares, Part::Valid).size(), 2005u);
  EXPECT_EQ(dealt(20050, shares, Part::Test).size(), 2005u);
  EXPECT_THAT(dealt(6, {{Part::Valid, 0.5}, {Part::Train, 0.5}}, Part::Valid), ElementsAre(0, 2, 4));
  EXPECT_EQ(dealt(5, {}, Part::Train).size(), 5u);
  // Never further than one row from its share.
  const std::vector<Part> parts = deal_rows(1000, shares);
  for (int64_t r = 1; r <= 1000; ++r) {
    const auto train = std::count(parts.begin(), parts.begin() + r, Part::Train);
    EXPECT_LT(std::abs(static_cast<double>(train) - 0.8 * static_cast<double>(r)), 1.0);
  }
}

TEST(Deal, Take) {
  EXPECT_THAT(take_rows(10, 4), ElementsAre(0, 2, 5, 7));
  EXPECT_THAT(take_rows(3, 4), ElementsAre(0, 1, 2));
  EXPECT_THAT(take_rows(0, 4), IsEmpty());
  EXPECT_EQ(take_rows(431384, 10000).back(), 9999 * int64_t{431384} / 10000);
}

TEST(Dataset, LinesOfSeveralFiles) {
  const TemporaryFolder folder;
  folder.write("n/Czech.txt", "abc\nabd\n");
  folder.write("n/Arabic.txt", "aé\n\nb");
  DataSpec spec = block("n/*.txt", DataFormat::Lines, {chars("x", true), category("y", file())});
  spec.split = {{Part::Train, 0.8}, {Part::Test, 0.2}};
  const Dataset dataset = load(folder, spec);
  EXPECT_EQ(dataset.rows, 5);
  EXPECT_THAT(dataset.train, ElementsAre(0, 1, 3, 4));
  EXPECT_THAT(dataset.test, ElementsAre(2));
  EXPECT_THAT(dataset.valid, IsEmpty());
  EXPECT_THAT(dataset.learned.vocabularies.at("C").entries(),
              ElementsAre("<unk>", "<eos>", "a", "b", "c", "d", "é"));
  EXPECT_THAT(dataset.learned.vocabularies.at("L").entries(), ElementsAre("Arabic", "Czech"));
  EXPECT_THAT(dataset.data[1].ids, ElementsAre(0, 0, 0, 1, 1));
  EXPECT_EQ(text_of(dataset, 0, 0), "aé<eos>");
  EXPECT_EQ(text_of(dataset, 0, 1), "<eos>");
  EXPECT_EQ(text_of(dataset, 0, 2), "b<eos>");
  EXPECT_EQ(dataset.length(0, 3), 4);
  EXPECT_EQ(dataset.learned.longest.at("T"), 4);
  EXPECT_THAT(dataset.dimensions, ElementsAre("T"));
  EXPECT_EQ(dataset.find("y"), 1);
  EXPECT_EQ(dataset.find("z"), -1);
  EXPECT_THAT(dataset.warnings, IsEmpty());
}

TEST(Dataset, UnseenSymbolsAreUnkAndTheVocabularyIsCountedBeforeTheLimit) {
  const TemporaryFolder folder;
  folder.write("a.txt", "aab\nbbc\naxb\n");
  DataSpec spec = block("a.txt", DataFormat::Lines, {chars("x")});
  spec.split = {{Part::Train, 0.8}, {Part::Test, 0.2}};
  spec.limits = {{.dimension = "T", .length = 2, .place = {}}};
  const Dataset dataset = load(folder, spec);
  EXPECT_THAT(dataset.learned.vocabularies.at("C").entries(), ElementsAre("<unk>", "b", "a", "c"));
  EXPECT_EQ(text_of(dataset, 0, 0), "aa");
  EXPECT_EQ(text_of(dataset, 0, 2), "a<unk>");
  EXPECT_EQ(dataset.learned.longest.at("T"), 2);
}

TEST(Dataset, Pad) {
  const TemporaryFolder folder;
  folder.write("a.txt", "ab\nabcde\n\n");
  DataSpec spec = block("a.txt", DataFormat::Lines, {chars("x")});
  spec.pads = {{.dimension = "T", .length = 4, .place = {}}};
  const Dataset dataset = load(folder, spec);
  EXPECT_THAT(dataset.learned.vocabularies.at("C").entries(),
              ElementsAre("<pad>", "<unk>", "a", "b", "c", "d", "e"));
  EXPECT_EQ(text_of(dataset, 0, 0), "ab<pad><pad>");
  EXPECT_EQ(text_of(dataset, 0, 1), "abcd");
  EXPECT_EQ(text_of(dataset, 0, 2), "<pad><pad><pad><pad>");
}

TEST(Dataset, VocabSettings) {
  const TemporaryFolder folder;
  folder.write("a.txt", "a a a b b c d\nthe <unk> <eos>\n");
  DataSpec spec = block("a.txt", DataFormat::Lines, {sequence("x", expr(EncodeOp::Words, {line()}))});
  spec.vocabularies = {
      {.name = "C", .max = 2, .min = 1, .bos = true, .blank = false, .same = {}, .place = {}}};
  EXPECT_THAT(load(folder, spec).learned.vocabularies.at("C").entries(),
              ElementsAre("<unk>", "<bos>", "a", "b"));
  spec.vocabularies = {
      {.name = "C", .max = {}, .min = 2, .bos = false, .blank = false, .same = {}, .place = {}}};
  const Dataset dataset = load(folder, spec);
  EXPECT_THAT(dataset.learned.vocabularies.at("C").entries(), ElementsAre("<unk>", "a", "b"));
  EXPECT_EQ(text_of(dataset, 0, 1), "<unk><unk><unk>");
}

TEST(Dataset, StandardizeUsesTheTrainingPart) {
  const TemporaryFolder folder;
  folder.write("a.csv", "p,q\n1,7\n3,7\n100,8\n5,7\n7,7\n");
  DataSpec spec =
      block("a.csv", DataFormat::Csv,
            {numbers("x", expr(EncodeOp::Standardize, {col("p"), col(2)}), 2),
             numbers("y", expr(EncodeOp::Divide, {expr(EncodeOp::ToNumber, {col(1)}), constant(10)}))});
  spec.sources[0].header = true;
  spec.split = {{Part::Train, 0.8}, {Part::Test, 0.2}};
  const Dataset dataset = load(folder, spec);
  EXPECT_THAT(dataset.test, ElementsAre(2));
  const Normalisation& norm = dataset.learned.normalisation.at("x");
  EXPECT_THAT(norm.mean, ElementsAre(4, 7));
  EXPECT_THAT(norm.deviation, ElementsAre(std::sqrt(5.0), 1));  // of the population; one never changes
  EXPECT_FLOAT_EQ(dataset.data[0].numbers[0], static_cast<float>(-3 / std::sqrt(5.0)));
  EXPECT_FLOAT_EQ(dataset.data[0].numbers[4], static_cast<float>(96 / std::sqrt(5.0)));
  EXPECT_FLOAT_EQ(dataset.data[0].numbers[5], 1);
  EXPECT_FLOAT_EQ(dataset.data[1].numbers[4], 0.7f);
  EXPECT_EQ(dataset.learned.columns.at("p"), 1);
}

TEST(Dataset, NumbersAndEquals) {
  const TemporaryFolder folder;
  folder.write("a.csv", "5.0,cat\n6,dog\n");
  const DataSpec spec = block(
      "a.csv", DataFormat::Csv,
      {numbers("x",
               expr(EncodeOp::Numbers,
                    {expr(EncodeOp::Equals, {col(1), constant(4), constant(5)}),
                     expr(EncodeOp::Equals, {col(2), constant("dog")}), expr(EncodeOp::Row), col(1),
                     expr(EncodeOp::Sin, {expr(EncodeOp::Multiply, {expr(EncodeOp::Row), constant(0.5)})})}),
               5)});
  const Dataset dataset = load(folder, spec);
  EXPECT_THAT(dataset.data[0].numbers,
              ElementsAre(1, 0, 0, 5, 0, 0, 1, 1, 6, static_cast<float>(std::sin(0.5))));
}

TEST(Dataset, PartsWithFilesOfTheirOwn) {
  const TemporaryFolder folder;
  folder.write("train.tsv", "text\tlabel\na\t1\nb\t0\nc\t1\nd\t0\n");
  folder.write("test.tsv", "label\ttext\n0\ta\n");  // the columns in another order
  DataSpec spec = block("train.tsv", DataFormat::Tsv,
                        {sequence("x", expr(EncodeOp::Chars, {col("text")})), category("y", col("label"))});
  spec.sources[0].header = true;
  spec.sources[0].part = Part::Train;
  spec.sources.push_back(spec.sources[0]);
  spec.sources[1].part = Part::Test;
  spec.sources[1].patterns = {"test.tsv"};
  Dataset dataset = load(folder, spec);
  EXPECT_THAT(dataset.train, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(dataset.test, ElementsAre(4));
  EXPECT_EQ(text_of(dataset, 0, 4), "a");
  spec.split = {{Part::Valid, 0.25}};
  dataset = load(folder, spec);
  EXPECT_EQ(dataset.train.size(), 3u);
  EXPECT_EQ(dataset.valid.size(), 1u);
  EXPECT_THAT(dataset.test, ElementsAre(4));
}

TEST(Dataset, ALabelThatTrainingHasNot) {
  const TemporaryFolder folder;
  folder.write("train.tsv", "0\ta\n1\tb\n");
  folder.write("dev.tsv", "1\tb\n2\tc\n");
  DataSpec spec = block("train.tsv", DataFormat::Tsv, {category("y", col(1))});
  spec.sources[0].part = Part::Train;
  spec.sources.push_back(spec.sources[0]);
  spec.sources[1].part = Part::Valid;
  spec.sources[1].patterns = {"dev.tsv"};
  EXPECT_EQ(why(folder, spec),
            "dev.tsv:2:1: error: label \"2\" was not seen in the training part   (category L has: 0, 1)\n");
}

TEST(Dataset, NumbersThatAreNone) {
  const TemporaryFolder folder;
  const auto said = [&](const std::string& value) {
    folder.write("a.csv", "1,2\n3," + value + "\n");
    return why(folder, block("a.csv", DataFormat::Csv, {numbers("y", expr(EncodeOp::ToNumber, {col(2)}))}));
  };
  EXPECT_EQ(said("abc"), "a.csv:2:3: error: \"abc\" is not a number\n      = `y` in line 7 of test.rnn\n");
  EXPECT_THAT(said(""), HasSubstr("a.csv:2:3: error: this is empty, a number is needed"));
  EXPECT_THAT(said("nan"), HasSubstr("\"nan\" is not a number"));
  EXPECT_THAT(said("1e40"), HasSubstr("\"1e40\" is too large for a 32-bit number"));
  EXPECT_THAT(said("1e999"), HasSubstr("\"1e999\" is too large"));
  EXPECT_EQ(said("1e-400"), "");
  folder.write("a.csv", "0\n");
  EXPECT_THAT(why(folder, block("a.csv", DataFormat::Csv,
                                {numbers("y", expr(EncodeOp::Log, {expr(EncodeOp::ToNumber, {col(1)})}))})),
              HasSubstr("a.csv:1:1: error: `log(number(col(1)))` is -inf, which is no 32-bit number"));
}

TEST(Dataset, ColumnsThatAreNotThere) {
  const TemporaryFolder folder;
  folder.write("a.csv", "size(sqft),  bedrooms\n1,2\n");
  EncodeExpr sixth = col(6);
  sixth.place = {6, 48};
  DataSpec spec = block("a.csv", DataFormat::Csv, {numbers("y", expr(EncodeOp::ToNumber, {sixth}))});
  spec.sources[0].header = true;
  EXPECT_EQ(why(folder, spec),
            "test.rnn:6:48: error: `col(6)`: these rows have 2 columns\n      = a.csv, line 1: size(sqft), "
            "bedrooms\n");
  spec.fields = {numbers("y", expr(EncodeOp::ToNumber, {col("beds")}))};
  EXPECT_THAT(why(folder, spec), HasSubstr("`col(\"beds\")`: these rows have no column of this name"));
  spec.sources[0].header = false;
  EXPECT_THAT(why(folder, spec), HasSubstr("= help: `as csv(header = yes)`"));
  spec.fields = {chars("x")};
  EXPECT_THAT(why(folder, spec), HasSubstr("rows of `csv` have no `line`"));
  spec.fields = {numbers("y", expr(EncodeOp::ToNumber, {col(1)}))};
  spec.sources[0].format = DataFormat::Lines;
  EXPECT_THAT(why(folder, spec), HasSubstr("`col(1)`: rows of `lines` have no columns"));
}

TEST(Dataset, SequencesOfUnequalLength) {
  const TemporaryFolder folder;
  folder.write("a.txt", "ab\nabc\n");
  DataSpec spec = block("a.txt", DataFormat::Lines, {chars("x"), chars("y", true)});
  spec.fields[1].vocabulary = "D";
  spec.fields[1].place = {6, 3};
  EXPECT_EQ(why(folder, spec),
            "test.rnn:6:3: error: `y` has another length than `x` in both of T   (3 and 2, a.txt, line 1)\n");
}

// x: C[S, T] = chars(words(line))
DataField letters_of_words(const std::string& name) {
  DataField field = chars(name);
  field.kind = FieldKind::Nested;
  field.dimension = "S";
  field.inside = "T";
  EncodeExpr words = expr(EncodeOp::Words);
  words.operands = field.value.operands;
  field.value.operands = {words};
  return field;
}

std::vector<std::string> words_of(const Dataset& dataset, size_t field, int64_t row) {
  const FieldData& data = dataset.data[field];
  std::vector<std::string> words;
  for (int64_t w = data.offsets[static_cast<size_t>(row)]; w < data.offsets[static_cast<size_t>(row) + 1];
       ++w) {
    words.emplace_back();
    for (int64_t i = data.inner[static_cast<size_t>(w)]; i < data.inner[static_cast<size_t>(w) + 1]; ++i)
      words.back() += dataset.learned.vocabularies.at("C").text(data.ids[static_cast<size_t>(i)]);
  }
  return words;
}

TEST(Dataset, SymbolsOfWords) {
  const TemporaryFolder folder;
  folder.write("a.txt", "abc  a b\n\nba\n");
  DataSpec spec = block("a.txt", DataFormat::Lines, {letters_of_words("x")});
  Dataset dataset = load(folder, spec);
  EXPECT_THAT(words_of(dataset, 0, 0), ElementsAre("abc", "a", "b"));
  EXPECT_THAT(words_of(dataset, 0, 1), IsEmpty());
  EXPECT_THAT(words_of(dataset, 0, 2), ElementsAre("ba"));
  EXPECT_THAT(dataset.dimensions, ElementsAre("S", "T"));
  EXPECT_EQ(dataset.around(0), -1);
  EXPECT_EQ(dataset.around(1), 0);
  EXPECT_EQ(dataset.longest("S"), 3);
  EXPECT_EQ(dataset.longest("T"), 3);

  Batch batch;
  fill_batch(dataset, std::vector<int64_t>{2, 1, 0}, 4, batch);
  EXPECT_THAT(batch.order, ElementsAre(0, 2, 1));
  EXPECT_THAT(batch.dimensions[1].words, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(batch.dimensions[1].order, ElementsAre(0, 3, 1, 2));
  EXPECT_THAT(batch.dimensions[1].length, ElementsAre(3, 2, 1, 1));
  const auto text = [&] {
    std::string all;
    for (const int32_t id : batch.fields[0].ids) all += dataset.learned.vocabularies.at("C").text(id);
    return all;
  };
  EXPECT_EQ(text(), "ababbac");  // a of abc, b of ba, a, b; then b of abc, a of ba; then c

  spec.fields[0].value.end = true;
  spec.limits = {{.dimension = "S", .length = 2, .place = {}}, {.dimension = "T", .length = 3, .place = {}}};
  dataset = load(folder, spec);
  EXPECT_THAT(words_of(dataset, 0, 0), ElementsAre("abc", "a<eos>"));
  EXPECT_THAT(words_of(dataset, 0, 2), ElementsAre("ba<eos>"));

  spec.fields[0].value.end = false;
  spec.limits.clear();
  spec.pads = {{.dimension = "S", .length = 2, .place = {}}, {.dimension = "T", .length = 2, .place = {}}};
  dataset = load(folder, spec);
  EXPECT_THAT(words_of(dataset, 0, 0), ElementsAre("ab", "a<pad>"));
  EXPECT_THAT(words_of(dataset, 0, 1), ElementsAre("<pad><pad>", "<pad><pad>"));
  EXPECT_THAT(words_of(dataset, 0, 2), ElementsAre("ba", "<pad><pad>"));
}

TEST(Dataset, WordsThatDoNotFit) {
  const TemporaryFolder folder;
  folder.write("a.txt", "ab c\n");
  DataSpec spec = block("a.txt", DataFormat::Lines, {letters_of_words("x"), letters_of_words("y")});
  spec.fields[1].value.end = true;
  spec.fields[1].place = {6, 3};
  EXPECT_EQ(why(folder, spec),
            "test.rnn:6:3: error: `y` has another length than `x` in both of T   (3 and 2, a.txt, line 1)\n");
  spec.fields[1] = chars("y");
  EXPECT_THAT(why(folder, spec), HasSubstr("`T` lies within `S` here, and is a sequence of the rows in `y`"));
  spec.fields.pop_back();
  spec.sources[0].format = DataFormat::Stream;
  spec.fields[0].value.operands[0].operands[0] = expr(EncodeOp::WholeText);
  EXPECT_THAT(why(folder, spec), HasSubstr("symbols within words are of rows, not of a stream"));
}

TEST(Dataset, EmptyParts) {
  const TemporaryFolder folder;
  folder.write("a.txt", "");
  EXPECT_EQ(why(folder, block("a.txt", DataFormat::Lines, {chars("x")})),
            "test.rnn:4:3: error: the training part is empty\n      = the files of data block `test` have 0 "
            "rows\n");
  folder.write("a.txt", "a\nb\n");
  DataSpec spec = block("a.txt", DataFormat::Lines, {chars("x"), category("y", line())});
  spec.split = {{Part::Train, 0.0}, {Part::Test, 1.0}};
  EXPECT_THAT(why(folder, spec), HasSubstr("test.rnn:8:3: error: the training part is empty"));
  spec.split = {{Part::Train, 0.8}, {Part::Valid, 0.1}, {Part::Test, 0.1}};
  const Dataset dataset = load(folder, spec);
  ASSERT_EQ(dataset.warnings.size(), 2u);
  EXPECT_THAT(
      render(dataset.warnings[0]),
      HasSubstr("test.rnn:8:3: warning: the valid part is empty: 2 rows are too few for a share of 0.1"));
  EXPECT_EQ(why(folder, block("a.txt", DataFormat::Lines, {chars("x"), category("y", file())})),
            "test.rnn:6:3: error: category L has one value only: \"a\"\n"
            "      = in the training part; there is nothing to choose between\n");
}

TEST(Dataset, BlocksThatMakeNoSense) {
  const TemporaryFolder folder;
  folder.write("a.txt", "a\nb\n");
  const DataSpec good = block("a.txt", DataFormat::Lines, {chars("x"), category("y", line())});
  DataSpec spec = good;
  spec.sources.clear();
  EXPECT_THAT(why(folder, spec), HasSubstr("test.rnn:3:6: error: data block `test` reads no file"));
  spec = good;
  spec.sources[0].part = Part::Test;
  EXPECT_THAT(why(folder, spec), HasSubstr("has no training part"));
  spec = good;
  spec.split = {{Part::Train, 0.8}, {Part::Test, 0.1}};
  EXPECT_THAT(why(folder, spec), HasSubstr("the shares of `split` add up to 0.9, not to 1"));
  spec.split = {{Part::Train, 0.8}, {Part::Train, 0.2}};
  EXPECT_THAT(why(folder, spec), HasSubstr("`split` names `train` twice"));
  spec.split = {{Part::Train, 1.5}, {Part::Test, -0.5}};
  EXPECT_THAT(why(folder, spec), HasSubstr("a share is between 0 and 1, not 1.5"));
  spec = good;
  spec.limits = {{.dimension = "S", .length = 3, .place = {9, 3}}};
  EXPECT_THAT(why(folder, spec), HasSubstr("test.rnn:9:3: error: no field is a sequence along `S`"));
  spec = good;
  spec.vocabularies = {
      {.name = "V", .max = {}, .min = 1, .bos = false, .blank = false, .same = {}, .place = {9, 3}}};
  EXPECT_THAT(why(folder, spec), HasSubstr("no field has the vocabulary `V`"));
  spec.vocabularies[0] = {
      .name = "L", .max = 3, .min = 1, .bos = false, .blank = false, .same = {}, .place = {9, 3}};
  EXPECT_THAT(why(folder, spec), HasSubstr("`L` is a category"));
  spec = good;
  spec.fields[1].vocabulary = "C";
  EXPECT_THAT(why(folder, spec), HasSubstr("one is a category, the other is text"));
}

TEST(Dataset, TakeCountsPerFile) {
  const TemporaryFolder folder;
  folder.write("a.txt", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  folder.write("b.txt", "x\ny\n");
  DataSpec spec = block("*.txt", DataFormat::Lines, {chars("x")});
  spec.take = 4;
  const Dataset dataset = load(folder, spec);
  EXPECT_EQ(dataset.rows, 6);
  EXPECT_EQ(text_of(dataset, 0, 2), "5");
  EXPECT_EQ(text_of(dataset, 0, 5), "y");
}

TEST(Dataset, Surnames) {
  const std::string folder = shared_data("");
  if (shared_data("surnames").empty()) GTEST_SKIP() << "no ../shared/data/surnames";
  DataSpec spec = block("surnames/*.txt", DataFormat::Lines, {chars("x"), category("y", file())});
  spec.split = {{Part::Train, 0.8}, {Part::Valid, 0.1}, {Part::Test, 0.1}};
  spec.limits = {{.dimension = "T", .length = 24, .place = {}}};
  const Dataset dataset = load_dataset(spec, {.path = folder});
  EXPECT_EQ(dataset.rows, 20050);
  EXPECT_EQ(dataset.train.size(), 16040u);
  EXPECT_EQ(dataset.valid.size(), 2005u);
  EXPECT_EQ(dataset.test.size(), 2005u);
  EXPECT_EQ(dataset.learned.vocabularies.at("C").size(), 83);
  EXPECT_EQ(dataset.learned.vocabularies.at("L").size(), 18);
  EXPECT_EQ(dataset.learned.longest.at("T"), 20);
  const int32_t russian = dataset.learned.vocabularies.at("L").find("Russian");
  const auto count = std::ranges::count_if(
      dataset.train, [&](int64_t row) { return dataset.data[1].ids[static_cast<size_t>(row)] == russian; });
  EXPECT_NEAR(static_cast<double>(count) / 16040, 0.468, 0.0005);
}

TEST(Dataset, HousesAndIris) {
  if (shared_data("tabular").empty()) GTEST_SKIP() << "no ../shared/data/tabular";
  DataSpec spec = block(
      "tabular/iris.csv", DataFormat::Csv,
      {numbers("x", expr(EncodeOp::Standardize, {col(1), col(2), col(3), col(4)}), 4),
       numbers("z", expr(EncodeOp::Equals, {col(5), constant("Iris-virginica")})), category("y", col(5))});
  spec.split = {{Part::Train, 0.8}, {Part::Test, 0.2}};
  const Dataset iris = load_dataset(spec, {.path = shared_data("")});
  EXPECT_EQ(iris.train.size(), 120u);
  EXPECT_EQ(iris.test.size(), 30u);
  EXPECT_THAT(iris.learned.vocabularies.at("L").entries(),
              ElementsAre("Iris-setosa", "Iris-versicolor", "Iris-virginica"));
  EXPECT_EQ(std::accumulate(iris.data[1].numbers.begin(), iris.data[1].numbers.end(), 0.0f), 50);

  spec = block("houseprices/houses_4features_100.csv", DataFormat::Csv,
               {numbers("y", expr(EncodeOp::ToNumber, {col("Price")}))});
  spec.sources[0].header = true;
  spec.split = {{Part::Train, 0.8}, {Part::Test, 0.2}};
  const Dataset houses = load_dataset(spec, {.path = shared_data("")});
  EXPECT_EQ(houses.rows, 100);
  double sum = 0;
  for (const int64_t row : houses.train) sum += houses.data[0].numbers[static_cast<size_t>(row)];
  EXPECT_NEAR(sum / 80, 354.92, 0.005);
}

TEST(Dataset, FactsOfOtherFiles) {
  if (shared_data("trec").empty()) GTEST_SKIP() << "no ../shared/data/trec";
  EncodeExpr rest = expr(EncodeOp::Rest);
  rest.number = 2;
  DataSpec spec =
      block("trec/TREC.train.all", DataFormat::Columns,
            {category("y", col(1)), sequence("x", expr(EncodeOp::Words, {expr(EncodeOp::Lower, {rest})}))});
  spec.sources[0].part = Part::Train;
  spec.split = {{Part::Valid, 0.1}};
  spec.vocabularies = {
      {.name = "C", .max = {}, .min = 2, .bos = false, .blank = false, .same = {}, .place = {}}};
  EXPECT_EQ(
      refusal([&] { load_dataset(spec, {.path = shared_data("")}); }),
      "trec/TREC.train.all:66:53: error: not UTF-8 (byte 0xF0)\n      = help: `as columns(latin1 = yes)`\n");
  spec.sources[0].latin1 = true;
  const Dataset trec = load_dataset(spec, {.path = shared_data("")});
  EXPECT_EQ(trec.train.size(), 4907u);
  EXPECT_EQ(trec.valid.size(), 545u);
  EXPECT_EQ(trec.learned.vocabularies.at("C").size(), 3202);
  EXPECT_EQ(trec.learned.longest.at("T"), 37);

  DataSpec reviews =
      block("chnsenticorp/train.tsv", DataFormat::Tsv,
            {sequence("x", expr(EncodeOp::Chars, {col("text_a")})), category("y", col("label"))});
  reviews.sources[0].header = true;
  reviews.vocabularies = {
      {.name = "C", .max = 4000, .min = 1, .bos = false, .blank = false, .same = {}, .place = {}}};
  const Dataset chinese = load_dataset(reviews, {.path = shared_data("")});
  EXPECT_EQ(chinese.rows, 9600);
  EXPECT_EQ(chinese.learned.vocabularies.at("C").size(), 4001);

  DataSpec plays = block("tinyshakespeare/input.txt", DataFormat::Lines,
                         {sequence("x", expr(EncodeOp::Chars, {expr(EncodeOp::Lower, {line()})}), "C"),
                          sequence("y", expr(EncodeOp::Chars, {line()}), "D")});
  plays.split = {{Part::Train, 0.9}, {Part::Valid, 0.05}, {Part::Test, 0.05}};
  const Dataset shakespeare = load_dataset(plays, {.path = shared_data("")});
  EXPECT_EQ(shakespeare.rows, 40000);  // with 7,223 empty lines
  EXPECT_EQ(shakespeare.train.size(), 36000u);
  EXPECT_EQ(shakespeare.learned.vocabularies.at("C").size(), 39);
  EXPECT_EQ(shakespeare.learned.vocabularies.at("D").size(), 65);
  EXPECT_EQ(shakespeare.learned.longest.at("T"), 63);
}

}  // namespace
}  // namespace rnnc
