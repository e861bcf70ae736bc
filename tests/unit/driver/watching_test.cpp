// What a training shows of itself: the metrics file, pages with curves, gradients by layer and step, the
// trace, the summary.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "driver/chart.h"
#include "driver/metrics_file.h"
#include "tests/unit/driver/command_helpers.h"

namespace rnnc::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<std::string> lines_of(const std::string& path) {
  std::istringstream text(file_bytes(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

TEST(Metrics, CsvAndJsonLinesSayTheSame) {
  const SmallModel small("", 3);
  const std::string csv = small.folder() / "m.csv", json = small.folder() / "m.jsonl";
  ASSERT_EQ(small.train("a.model", {"--metrics", csv}).status, 0);
  ASSERT_EQ(small.train("b.model", {"--metrics", json}).status, 0);
  const std::vector<std::string> rows = lines_of(csv), objects = lines_of(json);
  ASSERT_EQ(rows.size(), 4u);
  ASSERT_EQ(objects.size(), 3u);
  EXPECT_EQ(rows[0],
            "model,epoch,steps,train_loss,valid_loss,\"accuracy(logits, y)\",gradient_norm,rate,seconds,"
            "rows_per_second");
  for (size_t i = 0; i < 3; ++i) {
    const auto object = nlohmann::json::parse(objects[i]);
    EXPECT_EQ(object["model"], "small");
    std::istringstream row(rows[i + 1]);
    std::vector<std::string> cells;
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    ASSERT_EQ(cells.size(), 10u);
    EXPECT_EQ(std::stoll(cells[1]), object["epoch"]);
    EXPECT_EQ(std::stoll(cells[2]), object["steps"]);
    EXPECT_EQ(std::stod(cells[3]), object["train_loss"]);
    EXPECT_EQ(std::stod(cells[4]), object["valid_loss"]);
    EXPECT_EQ(std::stod(cells[5]), object["metrics"]["accuracy(logits, y)"]);
    EXPECT_EQ(std::stod(cells[7]), 0.02);
    EXPECT_GT(std::stod(cells[9]), 0);
  }
}

TEST(Metrics, AfterResumeTheFileHasEveryEpochOnce) {
  const SmallModel small("", 5);
  const std::string csv = small.folder() / "m.csv";
  ASSERT_EQ(small.train("a.model", {"--metrics", csv, "--epochs", "2"}).status, 0);
  small.folder().write("m.csv", file_bytes(csv) + "half a li");
  ASSERT_EQ(small.train("a.model", {"--metrics", csv, "--resume"}).status, 0);
  const std::vector<std::string> rows = lines_of(csv);
  ASSERT_EQ(rows.size(), 6u);
  for (int i = 1; i <= 5; ++i)
    EXPECT_THAT(rows[size_t(i)], testing::StartsWith("small," + std::to_string(i)));
}

TEST(Metrics, NamesOfFiles) {
  EXPECT_EQ(numbered("a/out.csv", 1), "a/out.csv");
  EXPECT_EQ(numbered("a/out.csv", 2), "a/out.2.csv");
  EXPECT_EQ(numbered("out.html", 3), "out.3.html");
  const SmallModel small("", 1);
  const auto why = [&](const std::string& option, const std::string& file) {
    const Outcome outcome = small.train("m.model", {option, file});
    EXPECT_EQ(outcome.status, 2);
    return outcome.err;
  };
  EXPECT_THAT(why("--metrics", "m.txt"), HasSubstr("a name that ends in .csv or .jsonl is needed"));
  EXPECT_THAT(why("--plot", "m.pdf"), HasSubstr("a name that ends in .html or .png is needed"));
  EXPECT_THAT(why("--gradients", "m.png"), HasSubstr(".html or .json"));
  EXPECT_THAT(why("--trace", "m.html"), HasSubstr("ends in .json"));
  EXPECT_THAT(why("--metrics", "/no/such/folder/m.csv"), HasSubstr("cannot be saved here"));
}

TEST(Plot, APageThatStandsByItself) {
  const SmallModel small("", 4);
  const std::string html = small.folder() / "curves.html";
  const Outcome outcome = small.train("m.model", {"--plot", html});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("curves.html is written"));
  const std::string page = file_bytes(html);
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, testing::EndsWith("</html>\n"));
  EXPECT_THAT(page, HasSubstr("accuracy(logits, y)"));
  EXPECT_THAT(page, HasSubstr(">valid</text>"));
  EXPECT_THAT(page, HasSubstr("4 epochs, the best is "));
  // Nothing from elsewhere: the only address is the name space of SVG.
  for (size_t at = page.find("://"); at != std::string::npos; at = page.find("://", at + 1))
    EXPECT_EQ(page.substr(at - 4, 25), "http://www.w3.org/2000/sv");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST(Chart, ScalesToWhatItShows) {
  Chart chart{"a < b", "step", "norm", {{"x & y", {{0, 1e-6}, {1, NAN}, {2, 1}, {3, 0}, {4, 1e3}}}}, true};
  const std::string drawn = svg(chart);
  EXPECT_THAT(drawn, HasSubstr("a &lt; b"));
  EXPECT_THAT(drawn, HasSubstr("x &amp; y"));
  EXPECT_THAT(drawn, Not(HasSubstr("nan")));
  EXPECT_THAT(drawn, Not(HasSubstr("inf")));
  EXPECT_THAT(drawn, HasSubstr(">1e-06</text>"));
  EXPECT_THAT(drawn, HasSubstr(">100</text>"));
  // Neither nothing, nor one point, nor a curve that never changes is divided by.
  for (const Curve& curve : {Curve{"none", {}}, Curve{"one", {{1, 5}}}, Curve{"flat", {{1, 0}, {2, 0}}}}) {
    chart = {"t", "x", "y", {curve}};
    EXPECT_THAT(svg(chart), Not(HasSubstr("nan")));
    EXPECT_THAT(svg(chart), testing::EndsWith("</svg>\n"));
  }
}

TEST(Chart, ATickWhateverTheSpan) {
  for (const bool logarithmic : {false, true})
    for (const double most : {1.001, 1.5, 7.0, 90.0, 1e5, 1e12}) {
      const std::string drawn = svg({"t", "x", "y", {{"c", {{1, 1}, {2, most}}}}, logarithmic});
      size_t ticks = 0;  // their texts end at the axis
      for (size_t at = drawn.find("text-anchor=\"end\""); at != std::string::npos;
           at = drawn.find("text-anchor=\"end\"", at + 1))
        ++ticks;
      EXPECT_GE(ticks, 2u) << most << logarithmic;
      EXPECT_LE(ticks, 12u) << most << logarithmic;
    }
}

/// The numbers of a PNG's header: width and height.
std::pair<uint32_t, uint32_t> png_size(const std::string& bytes) {
  EXPECT_EQ(bytes.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(bytes.substr(12, 4), "IHDR");
  const auto number = [&](size_t at) {
    uint32_t value = 0;
    for (size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes.at(i));
    return value;
  };
  return {number(16), number(20)};
}

TEST(Plot, PictureOfTheLearningCurves) {
  const SmallModel small("", 2);
  const std::string png = small.folder() / "m.png";
  const Outcome outcome = small.train("m.model", {"--plot", png});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr(png + " is written"));
  // Loss, accuracy, norm and rate, each a chart below the other.
  const auto [width, height] = png_size(file_bytes(png));
  EXPECT_EQ(width, 1600u);
  EXPECT_EQ(height, 100u + 4 * 640u);
  // What is drawn depends on what there is to draw.
  EXPECT_NE(picture("t", {{"a", "x", "y", {{"c", {{1, 1}, {2, 3}}}}}}),
            picture("t", {{"a", "x", "y", {{"c", {{1, 3}, {2, 1}}}}}}));
}

TEST(Summary, SaysTimeThroughputAndMemory) {
  const SmallModel small("", 2);
  const Outcome outcome = small.train("m.model");
  EXPECT_THAT(outcome.err,
              testing::ContainsRegex("best epoch [12], saved in .*\n.* s, [0-9,]+ rows a second, at "
                                     "most [0-9]+ MiB of memory\n"));
}

struct Traced {
  std::set<std::string> stages, kernels;
  std::set<int> threads;  // of kernels
};

Traced read_trace(const std::string& file) {
  Traced traced;
  const auto trace = nlohmann::json::parse(file_bytes(file));
  for (const auto& event : trace["traceEvents"]) {
    if (event["ph"] != "X") continue;
    EXPECT_GE(event["dur"].get<double>(), 0);
    EXPECT_GE(event["ts"].get<double>(), 0);
    (event["cat"] == "stage" ? traced.stages : traced.kernels).insert(event["name"]);
    if (event["cat"] == "kernel") traced.threads.insert(event["tid"].get<int>());
  }
  return traced;
}

TEST(TraceFile, HasStagesAndKernelsOfEveryThread) {
  const SmallModel small("", 1);
  const std::string file = small.folder() / "trace.json";
  ASSERT_EQ(small.train("m.model", {"--trace", file, "--threads", "2"}).status, 0);
  const Traced traced = read_trace(file);
  for (const char* stage : {"read the data", "compile", "bind", "step", "valid part", "write the state"})
    EXPECT_TRUE(traced.stages.contains(stage)) << stage;
  EXPECT_TRUE(traced.threads.contains(1));
  // Kernels are called after equations of the file: the embedding, the cell, the loss.
  const auto any = [&](const std::string& part) {
    return std::ranges::any_of(traced.kernels,
                               [&](const std::string& k) { return k.find(part) != std::string::npos; });
  };
  EXPECT_TRUE(any("h.gru"));
  EXPECT_TRUE(any("logits"));
}

TEST(TraceFile, OfEveryCommandThatRuns) {
  const SmallModel small("", 1);
  const std::string model = small.folder() / "m.model", file = small.folder() / "trace.json";
  ASSERT_EQ(small.train("m.model").status, 0);
  struct Case {
    std::vector<std::string> command;
    std::string stage;
  };
  for (const auto& [command, stage] : {Case{{"eval", small.file(), "--model", model}, "test"},
                                       Case{{"predict", small.file(), "--model", model, "abca"}, "rows"},
                                       Case{{"gradcheck", small.file()}, ""},
                                       Case{{"bench", small.file(), "--repeat", "1"}, "+ fuse_pointwise"}}) {
    std::filesystem::remove(file);
    std::vector<std::string> line = command;
    line.insert(line.end(), {"--trace", file});
    const Outcome outcome = run_rnnc(line);
    ASSERT_EQ(outcome.status, 0) << command[0] << "\n" << outcome.err;
    const Traced traced = read_trace(file);
    EXPECT_TRUE(stage.empty() || traced.stages.contains(stage)) << command[0];
    EXPECT_TRUE(std::ranges::any_of(traced.kernels, [](const std::string& k) {
      return k.find("h.gru") != std::string::npos;
    })) << command[0];
  }
}

/// One row of 9 letters is trained on, and is the valid part as well.
constexpr const char* kOneRow = R"(dim H = 5
data d {
  train "t.txt" as lines
  valid "t.txt" as lines
  x: C[T] = chars(line)
}
cell two(x: [E]; h: [H], c: [H]) {
  param W: [E, H] ~ glorot
  param U: [H, H] ~ glorot
  c' = 0.5 * c + x @ W
  h' = tanh(h @ U + c')
}
model m(x: C[T]) -> (logits: [C]) {
  h      = scan two[H] over embed[4](x)
  g      = scan stack(rnn[3], 2) over h
  logits = linear[C](last(g))
}
train m on d {
  loss      cross_entropy(logits, last(x))
  watch     sqrt(sum over H (gradient(h)^2)), sqrt(sum over H (gradient(h.c)^2))
  optimizer sgd(0.1)
  epochs    2
}
)";

TEST(Gradients, AreThoseOfWatch) {
  const TemporaryFolder folder;
  folder.write("t.txt", "abcabcbca\n");
  folder.write("m.rnn", kOneRow);
  const std::string file = folder / "g.json";
  const Outcome outcome = run_rnnc(
      {"train", folder / "m.rnn", "--model", folder / "m.model", "--gradients", file, "--json", "--quiet"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto epochs = nlohmann::json::parse(outcome.out)["epochs"],
             found = nlohmann::json::parse(file_bytes(file));
  ASSERT_EQ(found.size(), 3u);  // before training, after both epochs
  for (size_t e = 1; e <= 2; ++e) {
    EXPECT_EQ(found[e]["epoch"], e);
    const auto& watches = epochs[e - 1]["watches"];
    ASSERT_EQ(watches.size(), 2u);
    for (const char* state : {"h", "c"}) {
      const auto& norms = found[e]["norms"]["h.two " + std::string(state)];
      ASSERT_EQ(norms.size(), 9u) << found[e].dump();
      const std::string label =
          std::string("sqrt(sum over H (gradient(h") + (*state == 'c' ? ".c" : "") + ")^2))";
      const auto& watched = watches.at(label);
      for (size_t t = 0; t < 9; ++t)
        EXPECT_NEAR(norms[t].get<double>(), watched[t].get<double>(), 1e-5 * (1 + watched[t].get<double>()));
    }
    EXPECT_EQ(found[e]["norms"].size(), 4u) << found[e].dump();  // and both layers of the stack
    EXPECT_TRUE(found[e]["norms"].contains("g.rnn.2"));
  }
}

TEST(Gradients, TrainingDoesNotNoticeAndThePageHasEveryLayer) {
  const SmallModel small("", 3);
  const std::string html = small.folder() / "g.html";
  ASSERT_EQ(small.train("a.model", {"--gradients", html}).status, 0);
  ASSERT_EQ(small.train("b.model").status, 0);
  EXPECT_EQ(file_bytes(small.folder() / "a.model"), file_bytes(small.folder() / "b.model"));
  const std::string page = file_bytes(html);
  EXPECT_THAT(page, HasSubstr("Before training"));
  EXPECT_THAT(page, HasSubstr("After epoch 3"));
  EXPECT_THAT(page, HasSubstr("h.gru"));
  small.folder().write("flat.rnn", R"(
data words {
  read "words.tsv" as tsv
  y: L = category(col(2))
}
model flat(y: L) -> (logits: [L]) {
  logits = linear[L](one_hot(y))
}
train flat on words {
  loss cross_entropy(logits, y)
  optimizer sgd(1)
  epochs 1
}
)");
  const Outcome flat = run_rnnc({"train", small.folder() / "flat.rnn", "--gradients", html});
  EXPECT_EQ(flat.status, 2);
  EXPECT_THAT(flat.err, HasSubstr("model `flat` has no recurrence"));
}

}  // namespace
}  // namespace rnnc::test
