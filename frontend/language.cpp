// The tables of words. The language reference lists the same in sections 4 to 7.
#include "frontend/language.h"

#include <algorithm>
#include <map>

namespace rnnc {
namespace {

using enum FunctionClass;
using Words = std::vector<std::string>;

constexpr Function kFunctions[] = {
    {"sigmoid", Elementwise, 1, 1},
    {"tanh", Elementwise, 1, 1},
    {"relu", Elementwise, 1, 1},
    {"elu", Elementwise, 1, 1},
    {"softplus", Elementwise, 1, 1},
    {"exp", Elementwise, 1, 1},
    {"log", Elementwise, 1, 1},
    {"sqrt", Elementwise, 1, 1},
    {"abs", Elementwise, 1, 1},
    {"sin", Elementwise, 1, 1},
    {"cos", Elementwise, 1, 1},
    {"stop_gradient", StopGradient, 1, 1},
    {"softmax", Rows, 1, 1},
    {"log_softmax", Rows, 1, 1},
    {"sum", Reduction, 1, 1},
    {"mean", Reduction, 1, 1},
    {"max", Reduction, 1, 2},
    {"min", Reduction, 1, 2},
    {"delay", Time, 1, 2},
    {"window", Time, 2, 2},
    {"every", Time, 2, 2},
    {"last", End, 1, 1},
    {"first", End, 1, 1},
    {"final", End, 1, 1},
    {"concat", Concat, 1, 0},
    {"flatten", Flatten, 1, 1},
    {"transpose", Transpose, 1, 1},
    {"one_hot", OneHot, 1, 1},
    {"argmax", ArgMax, 1, 1},
    {"dropout", Dropout, 2, 2},
    {"coin", Coin, 1, 1},
    {"top", Top, 1, 2},
    {"next", Next, 1, 2},
    {"gradient", Gradient, 1, 1},
    {"cross_entropy", CategoryLoss, 2, 2},
    {"nll", CategoryLoss, 2, 2},
    {"binary_cross_entropy", NumberLoss, 2, 2},
    {"squared_error", NumberLoss, 2, 2},
    {"absolute_error", NumberLoss, 2, 2},
    {"ctc", Ctc, 2, 2},
    {"accuracy", Accuracy, 2, 2},
    {"f1_score", F1Score, 2, 2},
    {"bleu", Bleu, 0, 1},
    {"ngram", Ngram, 2, 2},
};

std::span<const std::string> lookup(const std::map<std::string_view, Words>& table, std::string_view key) {
  const auto it = table.find(key);
  return it == table.end() ? std::span<const std::string>() : std::span<const std::string>(it->second);
}

const std::map<std::string_view, Words>& given_values() {
  static const std::map<std::string_view, Words> table = {
      {"blocks", {"col"}},  {"columns", {"col", "rest"}},
      {"csv", {"col"}},     {"idx", {"col"}},
      {"lines", {"line"}},  {"npy", {"col"}},
      {"stream", {"text"}}, {"trees", {"label", "leaf", "links"}},
      {"tsv", {"col"}},
  };
  return table;
}

}  // namespace

const Function* find_function(std::string_view name) {
  for (const Function& function : kFunctions)
    if (function.name == name) return &function;
  return nullptr;
}

std::vector<std::string> function_names() {
  Words names;
  for (const Function& function : kFunctions) names.emplace_back(function.name);
  return names;
}

bool belongs_to_train(FunctionClass kind) {
  return kind >= Next;
}

bool is_combinator(std::string_view name) {
  return name == "both" || name == "reverse" || name == "stack";
}

bool is_language_function(std::string_view name) {
  return find_function(name) || is_combinator(name);
}

std::span<const std::string> initializers() {
  static const Words words = {"glorot", "he", "orthogonal", "identity", "uniform", "normal", "file"};
  return words;
}

std::span<const std::string> settings_of(std::string_view block) {
  static const std::map<std::string_view, Words> table = {
      {"data", {"split", "limit", "pad", "chunk", "sample", "vocab", "take"}},
      {"train",
       {"loss", "metric", "watch", "optimizer", "schedule", "clip", "batch", "epochs", "stop", "seed", "load",
        "save"}},
      {"generate", {"start", "given", "search", "length"}},
      {"predict", {"show"}},
  };
  return lookup(table, block);
}

bool may_repeat(std::string_view setting) {
  return setting == "metric" || setting == "watch" || setting == "vocab";
}

std::span<const std::string> choices_of(std::string_view setting) {
  static const std::map<std::string_view, Words> table = {
      {"optimizer", {"sgd", "adagrad", "rmsprop", "adam"}},
      {"schedule", {"decay", "halve", "cosine", "warmup"}},
      {"clip", {"norm", "value", "step"}},
      {"stop", {"patience"}},
      {"search", {"greedy", "sample", "beam"}},
  };
  return lookup(table, setting);
}

std::span<const Option> options_of(std::string_view name) {
  using enum OptionKind;
  static const std::map<std::string_view, std::vector<Option>> table = {
      {"split", {{"train", Number}, {"valid", Number}, {"test", Number}}},
      {"csv", {{"header", YesNo}, {"latin1", YesNo}}},
      {"tsv", {{"header", YesNo}, {"latin1", YesNo}}},
      {"columns", {{"latin1", YesNo}}},
      {"lines", {{"latin1", YesNo}}},
      {"stream", {{"latin1", YesNo}}},
      {"blocks", {{"latin1", YesNo}}},
      {"trees", {{"latin1", YesNo}}},
      {"words", {{"end", YesNo}, {"list", Text}, {"marks", YesNo}}},
      {"chars", {{"end", YesNo}}},
      {"bytes", {{"end", YesNo}}},
      {"sgd", {{"rate", Number}, {"momentum", Number}, {"nesterov", YesNo}, {"decay", Number}}},
      {"adagrad", {{"rate", Number}, {"eps", Number}, {"decay", Number}}},
      {"rmsprop", {{"rate", Number}, {"rho", Number}, {"eps", Number}, {"decay", Number}}},
      {"adam", {{"rate", Number}, {"beta1", Number}, {"beta2", Number}, {"eps", Number}, {"decay", Number}}},
      {"decay", {{"after", Number}, {"factor", Number}}},
      {"halve", {{"patience", Number}}},
      {"warmup", {{"steps", Number}}},
      {"sample", {{"temperature", Number}, {"top", Number}}},
      {"window", {{"center", YesNo}, {"full", YesNo}}},
      {"f1_score", {{"positive", Any}}},
      {"ngram", {{"add", Number}}},
      {"stack", {{"dropout", Number}}},
      {"vocab", {{"max", Number}, {"min", Number}, {"same", Any}}},
  };
  const auto it = table.find(name);
  return it == table.end() ? std::span<const Option>() : std::span<const Option>(it->second);
}

std::span<const std::string> formats() {
  static const Words words = [] {
    Words result;
    for (const auto& [format, values] : given_values()) result.emplace_back(format);
    return result;
  }();
  return words;
}

std::span<const std::string> given_by(std::string_view format) {
  return lookup(given_values(), format);
}

std::vector<std::string> formats_giving(std::string_view value) {
  // In the order in which the reference introduces the formats.
  static const Words order = {"lines", "csv", "tsv", "columns", "blocks", "stream", "trees", "idx", "npy"};
  Words result;
  for (const std::string& format : order)
    if (contains(given_by(format), value)) result.push_back(format);
  return result;
}

std::span<const std::string> data_functions() {
  static const Words words = {"chars",  "words", "bytes", "category", "number", "numbers", "standardize",
                              "equals", "lower", "sin",   "cos",      "abs",    "log",     "sqrt"};
  return words;
}

bool contains(std::span<const std::string> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string join(std::span<const std::string> names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace rnnc
