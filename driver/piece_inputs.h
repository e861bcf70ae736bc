// Inputs of a program beside the fields: answers that lie in the future, states that go on from piece to
// piece.
//
//   %next.n.FIELD  the element n later, laid out as FIELD; %has.n.FIELD: 1 where there is one
//   %carry.K       the state of a scan with `carry`, [B, C]; the output carry.K of the piece before
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/batches.h"
#include "runtime/program.h"

namespace rnnc {

/// What an input `%next.2.x` or `%has.2.x` means.
struct NextInput {
  bool has = false;
  int64_t distance = 1;
  std::string field;
};

/// Nothing for any other name.
std::optional<NextInput> read_next_input(std::string_view input);

/// The states that a program hands from one piece to the next.
class CarriedStates {
 public:
  explicit CarriedStates(const Session& session);

  bool empty() const { return names_.empty(); }
  /// Sets the inputs for a batch that is bound; a fresh one begins with zeros.
  void set(Session& session, const Batch& batch);
  /// Takes the outputs after a run.
  void take(const Session& session);

  /// By name of the input, for a training state: what was taken last.
  const std::map<std::string, std::vector<float>>& values() const { return values_; }
  void restore(std::map<std::string, std::vector<float>> values) { values_ = std::move(values); }

 private:
  struct Name {
    std::string input, output;
    int64_t cols;
  };
  std::vector<Name> names_;
  std::map<std::string, std::vector<float>> values_;
};

}  // namespace rnnc
