// Data blocks as text to what the readers understand, and to the rows of the examples.
#include "driver/data_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "frontend/parser.h"
#include "runtime/dataset.h"

namespace rnnc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

DataSpec translate(const std::string& name, const std::string& text, const DimValues& dims = {},
                   const std::set<std::string>& with_bos = {}) {
  const Source source{.name = name, .text = text};
  const ast::File file = parse(source);
  for (const ast::Item& item : file.items)
    if (const auto* block = std::get_if<ast::DataBlock>(&item))
      return data_spec(*block, source, dims, with_bos);
  throw std::invalid_argument("no data block");
}

// A block that reads `lines` and has these lines in it.
DataSpec block(const std::string& lines, const std::string& format = "lines") {
  return translate("t.rnn", "data d {\n  read \"a.txt\" as " + format + "\n  " + lines + "\n}\n",
                   {{"N", 24}});
}

std::string why(const std::string& lines, const std::string& format = "lines") {
  try {
    block(lines, format);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

std::string read_all(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(DataSpec, TheSurnameExample) {
  const std::string path = RNNC_SOURCE_DIR "/examples/surname.rnn";
  const DataSpec spec = translate("surname.rnn", read_all(path));
  EXPECT_EQ(spec.file, "surname.rnn");
  EXPECT_EQ(spec.name, "names");
  ASSERT_EQ(spec.sources.size(), 1u);
  EXPECT_EQ(spec.sources[0].part, Part::All);
  EXPECT_THAT(spec.sources[0].patterns, ElementsAre("surnames/*.txt"));
  EXPECT_EQ(spec.sources[0].place.line, 5);
  EXPECT_EQ(spec.sources[0].place.column, 3);
  ASSERT_EQ(spec.fields.size(), 2u);
  EXPECT_EQ(spec.fields[0].kind, FieldKind::Sequence);
  EXPECT_EQ(spec.fields[0].vocabulary, "C");
  EXPECT_EQ(spec.fields[0].dimension, "T");
  EXPECT_EQ(to_text(spec.fields[0].value), "chars(line)");
  EXPECT_EQ(spec.fields[1].kind, FieldKind::Category);
  EXPECT_EQ(to_text(spec.fields[1].value), "category(file)");
  ASSERT_EQ(spec.split.size(), 3u);
  EXPECT_EQ(spec.split[1].part, Part::Valid);
  EXPECT_EQ(spec.split[1].share, 0.1);
  ASSERT_EQ(spec.limits.size(), 1u);
  EXPECT_EQ(spec.limits[0].dimension, "T");
  EXPECT_EQ(spec.limits[0].length, 24);
}

TEST(DataSpec, FieldsOfEverySort) {
  const DataSpec spec = block(
      "x: V[T] = words(lower(col(2)), marks = yes, end = yes)\n"
      "  v: [F] = standardize(col(1), col(\"b\"))\n"
      "  n: []  = -number(col(1)) / 10 + sin(row * 0.5)^2\n"
      "  e: []  = equals(col(3), \"a\", \"b\")\n"
      "  m: [2] = numbers(equals(col(1), 0, 2), abs(row))\n"
      "  l: L   = category(col(3))\n"
      "  vocab V(max = 4000, min = 2)\n"
      "  limit T = 2*N\n"
      "  take 1_000",
      "csv(header = yes, latin1 = yes)");
  EXPECT_TRUE(spec.sources[0].header);
  EXPECT_TRUE(spec.sources[0].latin1);
  EXPECT_EQ(to_text(spec.fields[0].value), "words(lower(col(2)), marks = yes, end = yes)");
  EXPECT_EQ(spec.fields[1].width, 2);
  EXPECT_EQ(to_text(spec.fields[1].value), "standardize(col(1), col(\"b\"))");
  EXPECT_EQ(spec.fields[2].width, 1);
  EXPECT_EQ(to_text(spec.fields[3].value), "equals(col(3), \"a\", \"b\")");
  EXPECT_EQ(spec.fields[4].width, 2);
  EXPECT_EQ(spec.fields[5].kind, FieldKind::Category);
  EXPECT_EQ(spec.vocabularies[0].name, "V");
  EXPECT_EQ(spec.vocabularies[0].max, 4000);
  EXPECT_EQ(spec.vocabularies[0].min, 2);
  EXPECT_EQ(spec.limits[0].length, 48);
  EXPECT_EQ(spec.take, 1000);
}

TEST(DataSpec, BosWhereItIsNeeded) {
  const DataSpec spec =
      translate("t.rnn", "data d {\n  read \"a\" as lines\n  x: C[T] = chars(line)\n}\n", {}, {"C", "Other"});
  ASSERT_EQ(spec.vocabularies.size(), 1u);
  EXPECT_EQ(spec.vocabularies[0].name, "C");
  EXPECT_TRUE(spec.vocabularies[0].bos);
}

TEST(DataSpec, EveryFormat) {
  for (const DataFormat format : kFormats)
    EXPECT_EQ(block("y: [] = number(row)", std::string(format_name(format))).sources[0].format, format);
}

TEST(DataSpec, Pieces) {
  const DataSpec chunk = block("x: C[T] = chars(lower(text), end = yes)\n  chunk T = N", "stream");
  EXPECT_EQ(chunk.pieces.dimension, "T");
  EXPECT_EQ(chunk.pieces.length, 24);
  EXPECT_FALSE(chunk.pieces.sample);
  EXPECT_FALSE(chunk.pieces.random_offset);
  EXPECT_EQ(chunk.pieces.place.line, 4);
  EXPECT_EQ(to_text(chunk.fields[0].value), "chars(lower(text), end = yes)");
  const DataSpec sample = block(
      "u: [T, D] = numbers(sin(row), col(1))\n  y: [T] = number(col(2)) / 10\n"
      "  z: L[T] = category(col(3))\n  sample T = 5, offset = random",
      "csv");
  EXPECT_TRUE(sample.pieces.sample);
  EXPECT_TRUE(sample.pieces.random_offset);
  for (const DataField& field : sample.fields) EXPECT_EQ(field.dimension, "T");
  EXPECT_EQ(sample.fields[0].width, 2);
  EXPECT_EQ(sample.fields[1].width, 1);
  EXPECT_EQ(sample.fields[2].kind, FieldKind::Category);
  EXPECT_EQ(block("y: [T] = number(col(1))\n  chunk T = 5, offset = 3", "csv").pieces.offset, 3);
  EXPECT_THAT(why("y: [T] = number(col(1))", "csv"), HasSubstr("`chunk T = 35` for a sequence of rows"));
  EXPECT_THAT(why("y: [T] = number(col(1))\n  chunk offset = 3", "csv"),
              HasSubstr("`chunk` of which dimension?"));
}

TEST(DataSpec, ElementsOfRows) {
  const DataSpec tags = block("x: [T, 2] = numbers(col(1), col(2))\n  y: L[T] = category(col(3))", "blocks");
  EXPECT_EQ(tags.fields[0].dimension, "T");
  EXPECT_EQ(tags.fields[0].width, 2);
  EXPECT_EQ(tags.fields[1].dimension, "T");
  const DataSpec trees =
      block("t: V[tree N] = words(leaf)\n  y: L[N] = category(label)\n  A: [N, N] = links", "trees");
  EXPECT_EQ(trees.fields[0].kind, FieldKind::Tree);
  EXPECT_EQ(trees.fields[1].kind, FieldKind::Category);
  EXPECT_EQ(trees.fields[2].kind, FieldKind::Links);
  for (const DataField& field : trees.fields) EXPECT_EQ(field.dimension, "N");
  EXPECT_THAT(why("x: V[N] = words(leaf)", "trees"), HasSubstr("`V[tree N]`"));
  EXPECT_THAT(why("A: [N, M] = links", "trees"), HasSubstr("`[N, N]`"));
  const DataSpec pictures =
      block("x: [Y, 28] = number(col(1)) / 255\n  k: [K] = numbers(equals(col(2), 1), col(2))", "idx");
  EXPECT_EQ(pictures.fields[0].dimension, "");
  EXPECT_THAT(pictures.fields[0].sizes, ElementsAre(std::nullopt, 28));
}

TEST(DataSpec, VocabulariesOfOthersAndLists) {
  EXPECT_EQ(block("x: C[T] = chars(line)\n  vocab C(same = other)").vocabularies[0].same, "other");
  EXPECT_EQ(block("x: C[T] = words(line, list = \"w.txt\")").fields[0].value.list, "w.txt");
}

TEST(DataSpec, SymbolsOfWords) {
  const DataField field = block("x: C[S, T] = chars(words(lower(line), marks = yes), end = yes)").fields[0];
  EXPECT_EQ(field.kind, FieldKind::Nested);
  EXPECT_EQ(field.dimension, "S");
  EXPECT_EQ(field.inside, "T");
  EXPECT_TRUE(field.value.end);
  EXPECT_EQ(field.value.op, EncodeOp::Chars);
  EXPECT_EQ(field.value.operands[0].op, EncodeOp::Words);
  EXPECT_TRUE(field.value.operands[0].marks);
  EXPECT_EQ(block("x: C[S, T] = chars(col(1))", "blocks").fields[0].kind, FieldKind::Nested);
  EXPECT_THAT(why("x: C[T] = chars(words(line))"), HasSubstr("`C[S, T]`"));
  EXPECT_THAT(why("x: C[S, T] = chars(line)"), HasSubstr("`chars(words(...))`"));
  EXPECT_THAT(why("x: C[S, S] = chars(words(line))"), HasSubstr("the second within the first"));
  EXPECT_THAT(why("x: C[S, T] = chars(words(line, end = yes))"), HasSubstr("`end` belongs to the symbols"));
}

TEST(DataSpec, WhatIsNotBuiltIsNamed) {
  EXPECT_THAT(why("y: L[T, U] = category(col(1))", "csv"),
              HasSubstr("categories of more than one dimension are not built yet"));
}

TEST(DataSpec, WhatMakesNoSense) {
  EXPECT_THAT(why("y: L = chars(line)"), HasSubstr("`y` is a category"));
  EXPECT_THAT(why("x: C[T] = line"), HasSubstr("`x` is a sequence of categories"));
  EXPECT_THAT(why("x: C[T] = chars(row)"), HasSubstr("text is needed here"));
  EXPECT_THAT(why("y: [] = col(1) * 2", "csv"), HasSubstr("this is text, a number is needed"));
  EXPECT_THAT(why("y: [3] = numbers(row, row)"), HasSubstr("`y` is [3], 2 numbers are given"));
  EXPECT_THAT(why("y: [] = number(col(0))", "csv"), HasSubstr("columns count from 1"));
  EXPECT_THAT(why("x: C[T] = chars(line)\n  limit T = 2.5"),
              HasSubstr("a whole number is needed here, not 2.5"));
  EXPECT_THAT(why("x: C[T] = chars(line)\n  take 0"), HasSubstr("`take 0` leaves nothing"));
}

TEST(DataSpec, EveryExampleIsTranslatedOrRefused) {
  for (const char* folder : {"/examples", "/../shared/language"}) {
    if (!std::filesystem::exists(std::string(RNNC_SOURCE_DIR) + folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(RNNC_SOURCE_DIR) + folder)) {
      if (entry.path().extension() != ".rnn") continue;
      try {
        translate(entry.path().filename().string(), read_all(entry.path().string()));
      } catch (const UserError& error) {
        EXPECT_THAT(error.what(), HasSubstr("not built yet")) << entry.path();
      } catch (const std::invalid_argument&) {  // a file without data
      }
    }
  }
}

TEST(DataSpec, TheLanguagesExampleHasItsRows) {
  const std::string path = RNNC_SOURCE_DIR "/examples/languages.rnn";
  for (const char* list :
       {"american-english", "french", "ngerman", "italian", "spanish", "portuguese", "dutch", "swedish"})
    if (!std::filesystem::exists(std::string("/usr/share/dict/") + list))
      GTEST_SKIP() << "no /usr/share/dict/" << list;
  const DataSpec spec = translate("languages.rnn", read_all(path));
  const Dataset words = load_dataset(spec, {.path = RNNC_SOURCE_DIR "/examples"});
  EXPECT_EQ(words.train.size(), 72000u);
  EXPECT_EQ(words.valid.size(), 4000u);
  EXPECT_EQ(words.test.size(), 4000u);
  EXPECT_EQ(words.learned.vocabularies.at("C").size(), 96);
  EXPECT_EQ(words.learned.vocabularies.at("L").size(), 8);
  EXPECT_EQ(words.learned.longest.at("T"), 24);
}

TEST(DataSpec, MessagesOfTheRuntimeInTheCommonForm) {
  DataMessage message{
      .file = "a.csv", .line = 3, .column = 2, .message = "no", .notes = {"note"}, .help = {"this", "that"}};
  EXPECT_EQ(render(to_diagnostic(message)), "a.csv:3:2: error: no\n      = note\n      = help: this; that\n");
  message.warning = true;
  message.line = 0;
  message.help.clear();
  EXPECT_EQ(render(to_diagnostic(message)), "a.csv: warning: no\n      = note\n");
}

}  // namespace
}  // namespace rnnc
