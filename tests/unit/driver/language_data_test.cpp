// Every file of the language's examples: its data blocks load and every part of them can be read batch by
// batch. Which there are is not written here; what they must have is, and an example without an expectation
// fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "driver/experiment.h"
#include "runtime/files.h"
#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using test::read_all;
using test::TemporaryFolder;

const std::string kData = std::string(RNNC_SOURCE_DIR) + "/../shared/data";
const std::string kLanguage = std::string(RNNC_SOURCE_DIR) + "/../shared/language";

/// Rows of the parts, or, of what is read in pieces, elements; sizes of the vocabularies.
struct Facts {
  std::vector<int64_t> parts;
  std::map<std::string, int64_t> vocabularies;
};

// results.md, "Facts of the data". narx: a table of days; ptb: of wikitext-2, see ptb_folder.
const std::map<std::string, Facts> kFacts = {
    {"cells/names", {{16040, 2005, 2005}, {{"C", 83}, {"L", 18}}}},
    {"digits/digits", {{8000, 1000, 1000}, {{"L", 10}}}},
    {"graph/phrases", {{8544, 1101, 2210}, {{"V", 18279}, {"L", 5}}}},
    {"house/houses", {{80, 0, 20}, {}}},
    {"iris/irises", {{120, 0, 30}, {{"L", 3}}}},
    {"languages/words", {{72000, 4000, 4000}, {{"C", 96}, {"L", 8}}}},
    {"multilabel/digits", {{8000, 1000, 1000}, {}}},
    {"namegen/names", {{18045, 2005, 0}, {{"C", 85}}}},
    {"narx/weather", {{2920, 0, 730}, {}}},
    {"ptb/ptb", {{217646, 123252, 122317}, {}}},
    {"recase/plays", {{36000, 2000, 2000}, {{"C", 39}, {"D", 65}}}},
    {"reviews/reviews", {{9600, 1200, 1200}, {{"C", 4001}, {"L", 2}}}},
    {"sampling/ordered", {{161081, 17898, 0}, {{"C", 47}}}},
    {"sampling/pieces", {{161081, 17898, 0}, {{"C", 47}}}},
    {"sentiment_seed/reviews", {{9600, 0, 1200}, {{"V", 4252}, {"L", 2}}}},
    {"surname/names", {{16040, 2005, 2005}, {{"C", 83}, {"L", 18}}}},
    {"tdnn/sunspots", {{2256, 282, 282}, {}}},
    {"textcnn/trec", {{4907, 545, 500}, {{"V", 3202}, {"L", 6}}}},
    {"translate/pairs", {{139931, 1428, 1428}, {{"V", 12001}, {"W", 8003}}}},
    {"tree/sst", {{8544, 1101, 2210}, {{"V", 18279}, {"L", 5}}}},
    {"vanishing/book", {{161081, 17898, 0}, {{"C", 46}}}},
    {"wiki/wiki", {{195881, 21765, 245569}, {{"V", 12950}}}},
};

std::vector<std::string> examples() {
  std::vector<std::string> names;
  if (!std::filesystem::exists(kLanguage)) return names;
  for (const auto& entry : std::filesystem::directory_iterator(kLanguage))
    if (entry.path().extension() == ".rnn") names.push_back(entry.path().stem().string());
  std::ranges::sort(names);
  return names;
}

/// The Treebank is licensed; wikitext-2 stands in for it: valid.txt to train on, test.txt in two halves.
void ptb_folder(const TemporaryFolder& folder) {
  const std::string from = kData + "/wikitext-2/";
  folder.write("ptb/ptb.train.txt", read_file(from + "valid.txt.gz", "valid.txt.gz"));
  const std::string test = read_file(from + "test.txt.gz", "test.txt.gz");
  const size_t middle = test.find('\n', test.size() / 2) + 1;
  folder.write("ptb/ptb.valid.txt", test.substr(0, middle));
  folder.write("ptb/ptb.test.txt", test.substr(middle));
}

int64_t size_of(const Dataset& dataset, Part part) {
  const std::vector<int64_t>& rows = dataset.part(part);
  if (!dataset.pieces) return static_cast<int64_t>(rows.size());
  return rows.empty() ? 0 : dataset.length(0, rows[0]);
}

/// All batches of a part, in the order of the data and packed, have all of it.
void read_part(const Dataset& dataset, Part part) {
  Batches batches(dataset, part, 64, 0, Batches::Purpose::Evaluation);
  std::vector<int64_t> read(dataset.dimensions.size()), expected(dataset.dimensions.size());
  int64_t rows = 0;
  for (int64_t step = 0; step < batches.steps(); ++step) {
    const Batch& batch = batches.batch(step);
    rows += batch.rows;
    for (size_t d = 0; d < read.size(); ++d) read[d] += batch.dimensions[d].row_offset.back();
  }
  EXPECT_EQ(rows, batches.rows());
  for (size_t d = 0; d < expected.size(); ++d)
    for (size_t f = 0; f < dataset.fields.size(); ++f) {
      if (dataset.fields[f].dimension != dataset.dimensions[d]) continue;
      expected[d] = 0;
      for (const int64_t row : dataset.part(part)) expected[d] += dataset.length(f, row);
    }
  EXPECT_EQ(read, expected);
}

class LanguageData : public testing::TestWithParam<std::string> {};

TEST_P(LanguageData, LoadsAndIsRead) {
  const std::string& example = GetParam();
  if (!std::filesystem::exists(kData)) GTEST_SKIP() << "the data sets are not here: " << kData;
  if (example == "languages" && !std::filesystem::exists("/usr/share/dict/ngerman"))
    GTEST_SKIP() << "the word lists of Debian are not installed";
  const TemporaryFolder folder;
  Options options;
  options.data_folder = kData;
  if (example == "ptb") {
    ptb_folder(folder);
    options.data_folder = folder.path();
  }
  const Source source{example + ".rnn", read_all(kLanguage + "/" + example + ".rnn")};
  const Experiment experiment = make_experiment(source, options);
  for (const ast::Item& item : experiment.checked.file.items) {
    const auto* block = std::get_if<ast::DataBlock>(&item);
    if (block == nullptr) continue;
    SCOPED_TRACE(block->name);
    const auto expected = kFacts.find(example + "/" + block->name);
    ASSERT_NE(expected, kFacts.end()) << "no facts of " << example << "/" << block->name;
    const Dataset dataset = load_data(experiment, *block);
    std::vector<int64_t> parts;
    for (const Part part : kParts) {
      parts.push_back(size_of(dataset, part));
      read_part(dataset, part);
    }
    EXPECT_EQ(parts, expected->second.parts);
    for (const auto& [name, size] : expected->second.vocabularies) {
      ASSERT_TRUE(dataset.learned.vocabularies.contains(name)) << name;
      EXPECT_EQ(dataset.learned.vocabularies.at(name).size(), size) << name;
    }
    Batches training(dataset, Part::Train, 20);
    training.shuffle(1, 0);
    EXPECT_EQ(training.batch(training.steps() - 1).fields.size(), dataset.fields.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Examples, LanguageData, testing::ValuesIn(examples()),
                         [](const auto& info) { return info.param; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LanguageData);

}  // namespace
}  // namespace rnnc
