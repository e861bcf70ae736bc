// What can be wrong with a data block before any file is read.
#pragma once

#include <vector>

#include "runtime/data_spec.h"

namespace rnnc {

/// Throws DataError at the place in the .rnn file: no source, shares that are no shares, settings for a name
/// that no field has, what is not built.
void check_spec(const DataSpec& spec);

/// The shares by which rows are dealt: `split`, with what is left of it for the training part where `train`
/// has files. Empty: all rows are training rows.
std::vector<Share> shares_of(const DataSpec& spec);

/// Whether the values of a field are those of the elements of a row, one after the other.
bool runs_over_elements(const DataSpec& spec, const DataField& field);

/// The part whose sources are dealt: All if there is a `read`, else Train.
Part dealt_part(const DataSpec& spec);

/// Calls f(expr) for an expression and everything in it.
template <class F>
void walk(const EncodeExpr& expr, const F& f) {
  f(expr);
  for (const EncodeExpr& operand : expr.operands) walk(operand, f);
}

/// `pad` or `limit` of a dimension; null if it has none.
const LengthSetting* length_setting(const std::vector<LengthSetting>& settings, std::string_view dimension);

}  // namespace rnnc
