// A batch of the data bound to a program: the rows of every space, the fields by their names, and what else
// the program reads of the examples.
#pragma once

#include <string_view>
#include <vector>

#include "driver/row_inputs.h"
#include "ir/model.h"
#include "runtime/batches.h"
#include "runtime/dataset.h"
#include "runtime/program.h"

namespace rnnc {

class Binder {
 public:
  explicit Binder(const Model& model) : inputs_(model.spaces) {}

  /// Sets rows and inputs of a program of the model: the fields but `except`, and what row_inputs.h lists.
  void bind(Session& session, const Dataset& dataset, const Batch& batch, std::string_view except = {});
  /// The same once more for the batch bound last: what it reads of the rows is not worked out again.
  void bind_again(Session& session, const Dataset& dataset, const Batch& batch, std::string_view except = {});

  /// Of the batch bound last. Sessions that are bound read them, so this must outlive their runs.
  const BatchRows& rows() const { return inputs_.rows(); }
  const RowInputs& inputs() const { return inputs_; }

 private:
  void set_field(Session& session, const std::string& input, const Dataset& dataset, size_t field,
                 const BatchField& values);
  void set_next(Session& session, const Dataset& dataset, const Batch& batch);

  RowInputs inputs_;
  std::vector<float> numbers_;
};

/// What the rows of a batch are to a model with these spaces.
Examples examples_of(const Dataset& dataset, const Batch& batch, std::span<const Space> spaces);

}  // namespace rnnc
