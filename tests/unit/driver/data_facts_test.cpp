// The data blocks of the language's examples find in their files what others found in them: rows,
// vocabularies, lengths, trivial baselines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "driver/experiment.h"
#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using test::read_all;
using ::testing::ElementsAre;

const std::string kData = std::string(RNNC_SOURCE_DIR) + "/../shared/data";
const std::string kLanguage = std::string(RNNC_SOURCE_DIR) + "/../shared/language";

class DataFacts : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kData)) GTEST_SKIP() << "the data sets are not here: " << kData;
    if (!std::filesystem::exists(kLanguage)) GTEST_SKIP() << "the examples are not here: " << kLanguage;
  }

  // The data block of an example, with `replace` of its text changed.
  static Dataset load(const std::string& example, const std::string& block, const std::string& from = "",
                      const std::string& to = "") {
    std::string text = read_all(kLanguage + "/" + example + ".rnn");
    if (!from.empty()) {
      const size_t at = text.find(from);
      if (at == std::string::npos) throw std::invalid_argument(example + " has no " + from);
      text.replace(at, from.size(), to);
    }
    Options options;
    options.data_folder = kData;
    const Experiment experiment = make_experiment({example + ".rnn", text}, options);
    return load_data(experiment, *find_data(experiment, block));
  }

  static size_t field(const Dataset& dataset, const std::string& name) {
    return static_cast<size_t>(dataset.find(name));
  }

  static std::vector<int64_t> counts(const Dataset& dataset, const std::string& name, Part part) {
    const size_t f = field(dataset, name);
    std::vector<int64_t> result(
        static_cast<size_t>(dataset.learned.vocabularies.at(dataset.fields[f].vocabulary).size()));
    for (const int64_t row : dataset.part(part))
      ++result[static_cast<size_t>(dataset.data[f].ids[static_cast<size_t>(row)])];
    return result;
  }

  // The elements of a part along a dimension.
  static std::vector<int32_t> ids(const Dataset& dataset, size_t f, int64_t row) {
    const auto& offsets = dataset.data[f].offsets;
    const auto r = static_cast<size_t>(row);
    return dataset.data[f].ids.slice(static_cast<size_t>(offsets[r]),
                                     static_cast<size_t>(offsets[r + 1] - offsets[r]));
  }
  static int64_t elements(const Dataset& dataset, const std::string& name, Part part) {
    int64_t sum = 0;
    for (const int64_t row : dataset.part(part)) sum += dataset.length(field(dataset, name), row);
    return sum;
  }
  static int64_t longest(const Dataset& dataset, const std::string& name, Part part) {
    int64_t most = 0;
    for (const int64_t row : dataset.part(part))
      most = std::max(most, dataset.length(field(dataset, name), row));
    return most;
  }
  static double share_of(const Dataset& dataset, const std::string& name, Part part, std::string_view entry) {
    const size_t f = field(dataset, name);
    const int32_t id = dataset.learned.vocabularies.at(dataset.fields[f].vocabulary).find(entry);
    int64_t all = 0, found = 0;
    for (const int64_t row : dataset.part(part))
      for (const int32_t i : ids(dataset, f, row)) {
        ++all;
        found += i == id ? 1 : 0;
      }
    return static_cast<double>(found) / static_cast<double>(all);
  }
  static int64_t entries(const Dataset& dataset, const std::string& vocabulary) {
    return dataset.learned.vocabularies.at(vocabulary).size();
  }
  static std::vector<size_t> rows(const Dataset& dataset) {
    return {dataset.train.size(), dataset.valid.size(), dataset.test.size()};
  }
};

TEST_F(DataFacts, Surnames) {
  const Dataset d = load("surname", "names");
  EXPECT_THAT(rows(d), ElementsAre(16040, 2005, 2005));
  EXPECT_EQ(entries(d, "C"), 83);
  EXPECT_EQ(entries(d, "L"), 18);
  EXPECT_EQ(
      std::max({longest(d, "x", Part::Train), longest(d, "x", Part::Valid), longest(d, "x", Part::Test)}),
      20);
  const auto train = counts(d, "y", Part::Train);
  const size_t russian = static_cast<size_t>(d.learned.vocabularies.at("L").find("Russian"));
  EXPECT_EQ(std::ranges::max_element(train) - train.begin(), static_cast<int64_t>(russian));
  EXPECT_NEAR(static_cast<double>(counts(d, "y", Part::Test)[russian]) / 2005, 0.468, 5e-4);
}

TEST_F(DataFacts, Namegen) {
  const Dataset d = load("namegen", "names");
  EXPECT_THAT(rows(d), ElementsAre(18045, 2005, 0));
  EXPECT_EQ(entries(d, "C"), 85);
  EXPECT_EQ(std::max(longest(d, "x", Part::Train), longest(d, "x", Part::Valid)), 21);
  EXPECT_EQ(elements(d, "x", Part::Valid), 16320);
}

TEST_F(DataFacts, Chnsenticorp) {
  const Dataset d = load("reviews", "reviews");
  EXPECT_THAT(rows(d), ElementsAre(9600, 1200, 1200));
  EXPECT_EQ(entries(d, "C"), 4001);
  EXPECT_THAT(counts(d, "y", Part::Train), ElementsAre(9600 - 4799, 4799));
  EXPECT_THAT(counts(d, "y", Part::Valid), ElementsAre(1200 - 593, 593));
  EXPECT_THAT(counts(d, "y", Part::Test), ElementsAre(1200 - 608, 608));
  const Dataset whole = load("reviews", "reviews", "limit T = 160", "");
  int64_t shortest = 1 << 20, most = 0, over = 0, short_rows = 0;
  for (const Part part : kParts)
    for (const int64_t row : whole.part(part)) {
      const int64_t length = whole.length(field(whole, "x"), row);
      shortest = std::min(shortest, length);
      most = std::max(most, length);
      over += length > 160 ? 1 : 0;
      short_rows += length < 10 ? 1 : 0;
    }
  EXPECT_EQ(shortest, 4);
  EXPECT_EQ(most, 1992);
  EXPECT_EQ(over, 2813);
  EXPECT_EQ(short_rows, 2);
  EXPECT_NEAR(share_of(d, "x", Part::Train, "<unk>"), 0.00024, 5e-6);
  EXPECT_NEAR(share_of(d, "x", Part::Valid, "<unk>"), 0.00131, 5e-6);
  EXPECT_NEAR(share_of(d, "x", Part::Test, "<unk>"), 0.00098, 5e-6);
  const Dataset seed = load("sentiment_seed", "reviews");
  EXPECT_EQ(entries(seed, "V"), 4252);
  EXPECT_EQ(seed.learned.longest.at("T"), 10);
}

TEST_F(DataFacts, Trec) {
  const Dataset d = load("textcnn", "trec");
  EXPECT_THAT(rows(d), ElementsAre(4907, 545, 500));
  EXPECT_EQ(entries(d, "V"), 3202);
  std::vector<int64_t> train = counts(d, "y", Part::Train);
  const auto valid = counts(d, "y", Part::Valid);
  for (size_t i = 0; i < train.size(); ++i) train[i] += valid[i];
  EXPECT_THAT(train, ElementsAre(1162, 1250, 86, 1223, 835, 896));
  EXPECT_THAT(counts(d, "y", Part::Test), ElementsAre(138, 94, 9, 65, 81, 113));
  EXPECT_NEAR(static_cast<double>(valid[1]) / 545, 0.2183, 5e-5);
  EXPECT_EQ(d.learned.longest.at("T"), 37);
  int64_t shortest = 100;
  for (const Part part : kParts)
    for (const int64_t row : d.part(part)) shortest = std::min(shortest, d.length(field(d, "x"), row));
  EXPECT_EQ(shortest, 3);
  const Dataset all = load("textcnn", "trec", "vocab V(min = 2)", "");
  EXPECT_EQ(entries(all, "V"), 8163 + 1);
}

TEST_F(DataFacts, Digits) {
  const Dataset d = load("digits", "digits");
  EXPECT_THAT(rows(d), ElementsAre(8000, 1000, 1000));
  EXPECT_THAT(d.learned.shapes.at("x"), ElementsAre(28, 28));
  const auto& pixels = d.data[field(d, "x")].numbers;
  ASSERT_EQ(pixels.size(), 10000u * 784);
  EXPECT_NEAR(std::accumulate(pixels.begin(), pixels.end(), 0.0) / static_cast<double>(pixels.size()),
              0.13251, 5e-6);
  EXPECT_THAT(d.learned.vocabularies.at("L").entries(),
              ElementsAre("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"));
  std::vector<int64_t> all(10);
  for (const Part part : kParts) {
    const auto part_counts = counts(d, "y", part);
    for (size_t i = 0; i < 10; ++i) all[i] += part_counts[i];
  }
  EXPECT_THAT(all, ElementsAre(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009));
  EXPECT_NEAR(static_cast<double>(counts(d, "y", Part::Train)[1]) / 8000, 0.1126, 5e-5);
  EXPECT_NEAR(static_cast<double>(counts(d, "y", Part::Valid)[1]) / 1000, 0.118, 5e-5);
  EXPECT_NEAR(static_cast<double>(counts(d, "y", Part::Test)[1]) / 1000, 0.116, 5e-5);
}

TEST_F(DataFacts, Multilabel) {
  const Dataset d = load("multilabel", "digits");
  const size_t y = field(d, "y");
  EXPECT_EQ(d.fields[y].width, 3);
  std::vector<double> ones(3);
  for (size_t i = 0; i < d.data[y].numbers.size(); ++i) ones[i % 3] += d.data[y].numbers[i];
  EXPECT_THAT(ones, ElementsAre(4926, 4861, 3921));
  std::vector<double> test(3);
  std::map<Part, int64_t> none;
  for (const Part part : kParts)
    for (const int64_t row : d.part(part)) {
      const float* values = d.data[y].numbers.data() + row * 3;
      none[part] += values[0] + values[1] + values[2] == 0 ? 1 : 0;
      for (size_t i = 0; part == Part::Test && i < 3; ++i) test[i] += values[i];
    }
  EXPECT_NEAR(static_cast<double>(none[Part::Train]) / 8000, 0.2141, 5e-5);
  EXPECT_EQ(none[Part::Valid], 219);
  EXPECT_EQ(none[Part::Test], 213);
  for (double& n : test) n = std::max(n, 1000 - n);
  EXPECT_THAT(test, ElementsAre(501, 505, 616));
}

TEST_F(DataFacts, IrisAndHouses) {
  const Dataset iris = load("iris", "irises");
  EXPECT_THAT(rows(iris), ElementsAre(120, 0, 30));
  EXPECT_THAT(counts(iris, "y", Part::Train), ElementsAre(40, 40, 40));
  EXPECT_THAT(counts(iris, "y", Part::Test), ElementsAre(10, 10, 10));
  const Dataset houses = load("house", "houses");
  EXPECT_THAT(rows(houses), ElementsAre(80, 0, 20));
  double sum = 0;
  for (const int64_t row : houses.train)
    sum += houses.data[field(houses, "y")].numbers[static_cast<size_t>(row)];
  EXPECT_NEAR(sum / 80, 354.92, 5e-3);
}

// sqrt(mean((y[t + n] - y[t])^2)) and mean(|y[t + n] - y[t]|) of a part.
struct Naive {
  double rmse = 0, mae = 0;
};
Naive naive(const Dataset& d, const std::string& name, Part part, int64_t n) {
  const auto& data = d.data[static_cast<size_t>(d.find(name))];
  const int64_t row = d.part(part).at(0);
  const int64_t begin = data.offsets[static_cast<size_t>(row)],
                end = data.offsets[static_cast<size_t>(row) + 1];
  Naive sum;
  for (int64_t t = begin; t + n < end; ++t) {
    const double difference = static_cast<double>(data.numbers[static_cast<size_t>(t + n)]) -
                              static_cast<double>(data.numbers[static_cast<size_t>(t)]);
    sum.rmse += difference * difference;
    sum.mae += std::abs(difference);
  }
  const auto count = static_cast<double>(end - begin - n);
  return {std::sqrt(sum.rmse / count), sum.mae / count};
}

TEST_F(DataFacts, Temperatures) {
  const Dataset d = load("narx", "weather");
  EXPECT_THAT(rows(d), ElementsAre(1, 0, 1));
  EXPECT_EQ(elements(d, "y", Part::Train), 2920);
  EXPECT_EQ(elements(d, "y", Part::Test), 730);
  const auto& y = d.data[field(d, "y")].numbers;
  EXPECT_FLOAT_EQ(*std::ranges::min_element(y), 0.0F);
  EXPECT_FLOAT_EQ(*std::ranges::max_element(y), 2.63F);
  EXPECT_NEAR(10 * naive(d, "y", Part::Test, 1).rmse, 2.4826, 5e-5);
  const auto& u = d.data[field(d, "u")].numbers;
  EXPECT_FLOAT_EQ(u[2 * 3000], static_cast<float>(std::sin(3000 * 0.0172)));
  EXPECT_FLOAT_EQ(u[2 * 3000 + 1], static_cast<float>(std::cos(3000 * 0.0172)));
}

TEST_F(DataFacts, Sunspots) {
  const Dataset d = load("tdnn", "sunspots");
  EXPECT_EQ(elements(d, "y", Part::Train), 2256);
  EXPECT_EQ(elements(d, "y", Part::Valid), 282);
  EXPECT_EQ(elements(d, "y", Part::Test), 282);
  EXPECT_FLOAT_EQ(*std::ranges::max_element(d.data[0].numbers), 2.538F);
  EXPECT_NEAR(100 * naive(d, "y", Part::Valid, 1).mae, 16.198, 5e-4);
  EXPECT_NEAR(100 * naive(d, "y", Part::Test, 1).mae, 13.508, 5e-4);
  EXPECT_NEAR(100 * naive(d, "y", Part::Valid, 12).mae, 34.206, 5e-4);
  EXPECT_NEAR(100 * naive(d, "y", Part::Test, 12).mae, 27.319, 5e-4);
}

TEST_F(DataFacts, TimeMachine) {
  for (const char* block : {"pieces", "ordered"}) {
    const Dataset d = load("sampling", block);
    EXPECT_EQ(elements(d, "x", Part::Train), 161081);
    EXPECT_EQ(elements(d, "x", Part::Valid), 17898);
    EXPECT_EQ(entries(d, "C"), 47);  // `delay` is used on it in one model
    EXPECT_EQ(share_of(d, "x", Part::Valid, "<unk>"), 0);
    EXPECT_NEAR(share_of(d, "x", Part::Valid, " "), 0.1678, 5e-5);
  }
  EXPECT_EQ(entries(load("vanishing", "book"), "C"), 46);
}

TEST_F(DataFacts, TinyShakespeare) {
  const Dataset d = load("recase", "plays");
  EXPECT_THAT(rows(d), ElementsAre(36000, 2000, 2000));
  EXPECT_EQ(entries(d, "C"), 39);
  EXPECT_EQ(entries(d, "D"), 65);
  EXPECT_EQ(d.learned.longest.at("T"), 63);
  int64_t empty = 0;
  for (int64_t row = 0; row < d.rows; ++row) empty += d.length(0, row) == 0 ? 1 : 0;
  EXPECT_EQ(empty, 7223);
  EXPECT_EQ(elements(d, "x", Part::Train), 967976);
  EXPECT_EQ(elements(d, "x", Part::Valid), 53470);
  EXPECT_EQ(elements(d, "x", Part::Test), 53948);
  const Vocabulary &small = d.learned.vocabularies.at("C"), &large = d.learned.vocabularies.at("D");
  const std::vector<std::pair<Part, double>> unchanged = {
      {Part::Train, 0.9172}, {Part::Valid, 0.9204}, {Part::Test, 0.9195}};
  for (const auto& [part, share] : unchanged) {
    int64_t all = 0, same = 0;
    for (const int64_t row : d.part(part)) {
      const auto x = ids(d, field(d, "x"), row), y = ids(d, field(d, "y"), row);
      for (size_t i = 0; i < x.size(); ++i, ++all) same += small.text(x[i]) == large.text(y[i]) ? 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(same) / static_cast<double>(all), share, 5e-5);
  }
}

TEST_F(DataFacts, Wikitext) {
  const Dataset d = load("wiki", "wiki");
  EXPECT_EQ(elements(d, "x", Part::Train), 195881);
  EXPECT_EQ(elements(d, "x", Part::Valid), 21765);
  EXPECT_EQ(elements(d, "x", Part::Test), 245569);
  EXPECT_EQ(entries(d, "V"), 12950);
  EXPECT_NEAR(share_of(d, "x", Part::Train, "<unk>"), 0.0525, 5e-5);
  EXPECT_NEAR(share_of(d, "x", Part::Valid, "<unk>"), 0.1366, 5e-5);
  EXPECT_NEAR(share_of(d, "x", Part::Test, "<unk>"), 0.1157, 5e-5);
}

TEST_F(DataFacts, Languages) {
  if (!std::filesystem::exists("/usr/share/dict/ngerman")) GTEST_SKIP() << "no word lists in /usr/share/dict";
  const Dataset d = load("languages", "words", "limit T = 24", "");
  int64_t over = 0;
  for (int64_t row = 0; row < d.rows; ++row) over += d.length(field(d, "x"), row) > 24 ? 1 : 0;
  EXPECT_EQ(over, 58);
  EXPECT_EQ(d.learned.longest.at("T"), 37);
  for (const Part part : kParts)
    for (const int64_t rows : counts(d, "y", part))
      EXPECT_EQ(rows, static_cast<int64_t>(d.part(part).size()) / 8);
}

TEST_F(DataFacts, SentimentTrees) {
  const Dataset d = load("tree", "sst");
  EXPECT_THAT(rows(d), ElementsAre(8544, 1101, 2210));
  EXPECT_EQ(elements(d, "t", Part::Train), 318582);
  EXPECT_EQ(elements(d, "t", Part::Valid), 41447);
  EXPECT_EQ(elements(d, "t", Part::Test), 82600);
  EXPECT_EQ(entries(d, "V"), 18279);
  const size_t t = field(d, "t"), y = field(d, "y");
  const int32_t unk = d.learned.vocabularies.at("V").find("<unk>");
  std::map<Part, std::vector<int64_t>> roots, nodes;
  std::map<Part, int64_t> unknown, words;
  for (const Part part : kParts) {
    roots[part].resize(5);
    nodes[part].resize(5);
    for (const int64_t row : d.part(part)) {
      const auto leaves = ids(d, t, row), labels = ids(d, y, row);
      unknown[part] += std::ranges::count(leaves, unk);
      words[part] =
          std::max<int64_t>(words[part], std::ranges::count_if(leaves, [](int32_t id) { return id >= 0; }));
      ++roots[part][static_cast<size_t>(labels.back())];
      for (const int32_t label : labels) ++nodes[part][static_cast<size_t>(label)];
      const auto first = static_cast<size_t>(d.data[t].offsets[static_cast<size_t>(row)]);
      for (size_t n = 0; n < leaves.size(); ++n) {
        const int32_t left = d.data[t].left[first + n], right = d.data[t].right[first + n];
        ASSERT_EQ(left < 0, right < 0);
        ASSERT_EQ(left < 0, leaves[n] >= 0);
        ASSERT_LT(left, static_cast<int32_t>(n));
        ASSERT_LT(right, static_cast<int32_t>(n));
      }
    }
  }
  EXPECT_THAT(unknown, ElementsAre(std::pair(Part::Train, 0), std::pair(Part::Valid, 1231),
                                   std::pair(Part::Test, 2562)));
  EXPECT_THAT(words,
              ElementsAre(std::pair(Part::Train, 52), std::pair(Part::Valid, 49), std::pair(Part::Test, 56)));
  EXPECT_EQ(longest(d, "t", Part::Train), 103);
  EXPECT_EQ(longest(d, "t", Part::Valid), 97);
  EXPECT_EQ(longest(d, "t", Part::Test), 111);
  EXPECT_THAT(roots[Part::Train], ElementsAre(1092, 2218, 1624, 2322, 1288));
  EXPECT_THAT(roots[Part::Valid], ElementsAre(139, 289, 229, 279, 165));
  EXPECT_THAT(roots[Part::Test], ElementsAre(279, 633, 389, 510, 399));
  EXPECT_THAT(nodes[Part::Train], ElementsAre(8245, 34362, 219788, 44194, 11993));
  EXPECT_THAT(nodes[Part::Valid], ElementsAre(1070, 4613, 28305, 5781, 1678));
  EXPECT_THAT(nodes[Part::Test], ElementsAre(2008, 9255, 56548, 10998, 3791));
}

TEST_F(DataFacts, GraphOfTheSameTrees) {
  const Dataset d = load("graph", "phrases");
  EXPECT_EQ(d.dimensions, std::vector<std::string>{"N"});
  Batch batch;
  fill_batch(d, std::vector<int64_t>{0, 1, 2}, longest_row(d), batch);
  // Each node but the root has one parent: n - 1 edges in both directions.
  double links = 0, expected = 0;
  for (const float link : batch.fields[field(d, "A")].numbers) links += link;
  for (const float length : batch.dimensions[0].length) expected += 2 * (length - 1);
  EXPECT_EQ(links, expected);
}

TEST_F(DataFacts, EnglishAndFrench) {
  const Dataset d = load("translate", "pairs");
  EXPECT_THAT(rows(d), ElementsAre(139931, 1428, 1428));
  EXPECT_EQ(entries(d, "V"), 12001);
  EXPECT_EQ(entries(d, "W"), 8003);
  EXPECT_THAT(d.dimensions, ElementsAre("S", "T"));
  EXPECT_EQ(d.learned.longest.at("S"), 14);
  EXPECT_EQ(d.learned.longest.at("T"), 12);
  const Dataset whole = load("translate", "pairs", "limit S = 14, T = 12", "");
  EXPECT_EQ(whole.learned.longest.at("S"), 68);
  EXPECT_EQ(whole.learned.longest.at("T"), 55);
  int64_t over_s = 0, over_t = 0;
  for (int64_t row = 0; row < whole.rows; ++row) {
    over_s += whole.length(field(whole, "x"), row) > 14 ? 1 : 0;
    over_t += whole.length(field(whole, "y"), row) > 12 ? 1 : 0;
  }
  EXPECT_EQ(over_s, 9967);
  EXPECT_EQ(over_t, 14377);
  const Dataset all = load("translate", "pairs", "vocab V(max = 12000), W(max = 8000)", "");
  EXPECT_EQ(entries(all, "V"), 22724);
  EXPECT_EQ(entries(all, "W"), 13302);
}

}  // namespace
}  // namespace rnnc
