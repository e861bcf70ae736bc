// Reference vectors made by others: a case is a whole `.rnn` file as text with numbers for its fields and
// parameters, and what the values that it shows must be. Every case goes the whole way: text, lowering,
// passes with the verifier after each, machine code; and the interpreter beside it.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "driver/compile.h"
#include "ir/interpret.h"

namespace rnnc::test {

/// What one value must be. `row`: only this row of it; -1: all rows.
struct Wanted {
  std::vector<double> values;
  int row = -1;
};

/// What runs along T is [T, rows, columns], what does not is [rows, columns], as in the vectors' files.
/// Elements after a row's length are not read, and are 0 in what a case gives.
struct VectorCase {
  std::string text;  // with one `train` and one `predict` block
  std::map<std::string, int64_t> sizes;
  int32_t steps = 1;
  std::vector<int64_t> lengths;  // of each row, in any order
  std::map<std::string, std::vector<double>> fields;
  std::function<std::vector<double>(const Parameter&)> weight;
  int pieces = 1;  // the same input so many times, the state carried on; the last one counts

  std::vector<Wanted> wanted;  // of each value that the `predict` block shows; none: they are not computed
  std::optional<double> loss;  // what the file says of the loss and its gradient, if anything
  std::map<std::string, std::vector<double>> gradient;
};

/// Forward errors are relative to the larger of 1 and the number wanted, backward errors to the largest
/// number of the whole gradient.
struct Outcome {
  std::string refused;                  // why it did not run at all
  double interpreter = 0;               // largest error of the interpreter
  double compiled = 0;                  // and of the fused program
  double in_double = 0, tolerance = 0;  // what is allowed of the two
  std::optional<double> slope;          // the compiled gradient against the one in double
  std::optional<double> slope_wanted;   // the one in double against the file's
  bool forward_passes() const { return refused.empty() && interpreter <= in_double && compiled <= tolerance; }
  bool backward_passes() const { return refused.empty() && slope && *slope <= kSlope; }
  static constexpr double kSlope = 2e-5;
};

/// Runs a case forward, and its training program, with the gradients, unless it is in pieces.
Outcome run_case(const VectorCase& c, double in_double, double tolerance);

/// The expectations of a test about it.
void expect_passes(const Outcome& outcome);

/// A file of vectors; each case is run when it is first asked for.
class VectorFile {
 public:
  VectorFile(std::string name, int cases, std::function<Outcome(const std::filesystem::path&, int)> run)
      : name_(std::move(name)), outcomes_(size_t(cases)), run_(std::move(run)) {}

  const std::string& name() const { return name_; }
  int cases() const { return int(outcomes_.size()); }
  std::filesystem::path path() const;
  /// Why the cases cannot be run here; empty: they can.
  std::string missing() const;
  const Outcome& outcome(int number);

 private:
  std::string name_;
  std::vector<std::optional<Outcome>> outcomes_;
  std::function<Outcome(const std::filesystem::path&, int)> run_;
};

/// The cases of a JSON file that has them under `cases`. Throws if there are not as many as said.
const nlohmann::json& cases_of(const std::filesystem::path& path, size_t count);

VectorFile& onnx_vectors();
VectorFile& keras_vectors();
VectorFile& pytorch_vectors();
VectorFile& adbench_vectors();

/// The end of every case's text: a training block, so that there are gradients, and what is shown.
std::string blocks_of(const std::string& loss, std::span<const std::string> shows);

}  // namespace rnnc::test
