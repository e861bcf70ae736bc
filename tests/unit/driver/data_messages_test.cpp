// The messages of section 9 of the language's page, from the command line to the last byte: what data and
// training say, in files written here with the names that stand there.
#include <gtest/gtest.h>

#include "tests/unit/driver/command_helpers.h"

namespace rnnc::test {
namespace {

/// What `rnnc train FILE` says, with `text` in FILE. It must fail with `status`.
std::string said(const TemporaryFolder& folder, const std::string& file, const std::string& text,
                 int status = 2) {
  folder.write(file, text);
  const Outcome outcome = run_rnnc({"train", folder / file, "--quiet", "--model", folder / "m.model"});
  EXPECT_EQ(outcome.status, status);
  std::string err = outcome.err;  // the folder is another in each run
  for (size_t at = err.find(folder.path() + "/"); at != std::string::npos; at = err.find(folder.path() + "/"))
    err.erase(at, folder.path().size() + 1);
  return err;
}

const std::string kRegression = R"(
model line(x: [F]) -> (p: []) {
  param w: [F] ~ normal(0.01)
  p = x @ w
}
train line on d {
  loss      squared_error(p, y)
  optimizer sgd(rate = 0.1)
  epochs    1
}
)";

const std::string kClassifier = R"(
model m(x: V[T]) -> (logits: [L]) {
  h      = scan gru[4] over embed[3](x)
  logits = linear[L](last(h))
}
train m on d {
  loss      cross_entropy(logits, y)
  optimizer adam(rate = 0.01)
  epochs    1
}
)";

TEST(DataMessages, AColumnThatRowsDoNotHave) {
  const TemporaryFolder folder;
  folder.write("houseprices/houses_4features_100.csv",
               "size(sqft),bedrooms,floors,age,Price\n952,2,1,65,271.5\n1244,3,1,64,300\n");
  EXPECT_EQ(
      said(folder, "house.rnn",
           "# The price\n# of a house\n\ndata d {\n"
           "  read \"houseprices/houses_4features_100.csv\" as csv(header = yes)\n"
           "  x: [F] = standardize(col(1), col(2), col(3), col(6))\n"
           "  y: []  = number(col(5))\n}\n" +
               kRegression),
      "house.rnn:6:48: error: `col(6)`: these rows have 5 columns\n"
      "      = houseprices/houses_4features_100.csv, line 1: size(sqft), bedrooms, floors, age, Price\n");
}

TEST(DataMessages, ALabelThatTrainingDidNotSee) {
  const TemporaryFolder folder;
  std::string dev = "label\ttext_a\n";
  for (int line = 2; line < 514; ++line) dev += "1\tgood\n";
  folder.write("chnsenticorp/train.tsv", "label\ttext_a\n0\tbad\n1\tgood\n");
  folder.write("chnsenticorp/dev.tsv", dev + "2\tso so\n");
  EXPECT_EQ(said(folder, "reviews.rnn",
                 "data d {\n"
                 "  train \"chnsenticorp/train.tsv\" as tsv(header = yes)\n"
                 "  valid \"chnsenticorp/dev.tsv\"   as tsv(header = yes)\n"
                 "  y: L    = category(col(1))\n"
                 "  x: V[T] = words(col(2))\n}\n" +
                     kClassifier),
            "chnsenticorp/dev.tsv:514:1: error: label \"2\" was not seen in the training part   "
            "(category L has: 0, 1)\n");
}

TEST(DataMessages, BytesThatAreNoText) {
  const TemporaryFolder folder;
  std::string questions;
  for (int line = 1; line < 66; ++line) questions += "DESC:manner How are you ?\n";
  const std::string start = "HUM:ind Who wrote the song of the sea and of the sun";
  ASSERT_EQ(start.size(), 52u);
  folder.write("trec/TREC.train.all", questions + start + "\xF0 ?\n");
  EXPECT_EQ(said(folder, "textcnn.rnn",
                 "data d {\n"
                 "  read \"trec/TREC.train.all\" as columns\n"
                 "  y: L    = category(col(1))\n"
                 "  x: V[T] = words(lower(rest(2)))\n}\n" +
                     kClassifier),
            "trec/TREC.train.all:66:53: error: not UTF-8 (byte 0xF0)\n"
            "      = help: `as columns(latin1 = yes)`\n");
}

TEST(DataMessages, TwoLengthsOfOneDimension) {
  const TemporaryFolder folder;
  std::string lines;
  for (int line = 1; line < 7; ++line) lines += "ab\tab\n";
  folder.write("tinyshakespeare/input.txt",
               lines + std::string(80, 'a') + "\t" + std::string(81, 'a') + "\n");
  EXPECT_EQ(said(folder, "recase.rnn", R"(# Capital letters

data d {
  read "tinyshakespeare/input.txt" as tsv
  x: C[T] = chars(col(1))
  y: D[T] = chars(col(2))
}
model m(x: C[T]) -> (logits: [T, D]) {
  h      = scan gru[4] over embed[3](x)
  logits = linear[D](h)
}
train m on d {
  loss      cross_entropy(logits, y)
  optimizer adam(rate = 0.01)
  epochs    1
}
)"),
            "recase.rnn:6:3: error: `y` has another length than `x` in both of T   "
            "(81 and 80, tinyshakespeare/input.txt, line 7)\n");
}

TEST(DataMessages, AFileThatIsNotThere) {
  const TemporaryFolder folder;
  folder.write("ptb/ptb.train.txt", "a b\n");
  folder.write("ptb/ptb.test.txt", "a b\n");
  EXPECT_EQ(said(folder, "ptb.rnn", R"(# Words



dim H = 4

data d {
  train "ptb/ptb.train.txt" as stream
  valid "ptb/ptb.valid.txt" as stream
  test  "ptb/ptb.test.txt"  as stream
  x: V[T] = words(text, end = yes)
  chunk T = 2
}
model m(x: V[T]) -> (logits: [T, V]) {
  h      = scan gru[H] over embed[3](x)
  logits = linear[V](h)
}
train m on d {
  loss      cross_entropy(logits, next(x))
  optimizer adam(rate = 0.01)
  epochs    1
}
)"),
            "ptb.rnn:9:3: error: no file matches \"ptb/ptb.valid.txt\"\n"
            "      = looked in the folder of ptb.rnn; its ptb/ has: ptb.train.txt, ptb.test.txt\n");
}

TEST(DataMessages, ASavedModelThatDoesNotFit) {
  const SmallModel small("", 1);
  ASSERT_EQ(small.train("m.model").status, 0);
  const Outcome outcome =
      run_rnnc({"eval", small.file(), "--model", small.folder() / "m.model", "--set", "H=9"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("h.gru.Ur: [9, 9] in the file, [12, 12] in the saved model"), std::string::npos)
      << outcome.err;
}

}  // namespace
}  // namespace rnnc::test
