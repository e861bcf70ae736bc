// The functions of the elementwise ops on chunks of 16 floats, from arithmetic alone: no kernel calls a
// library.
//
// Errors in units in the last place (ulp) against the exact result, where subnormal numbers count as 0, over
// every 61st float, with and without FMA: log 0.8, pow 1.1, exp 1.1, sin and cos 1.6 for |x| < 2^30 (NaN
// beyond), softplus 2, sigmoid 2.4, tanh 2.5. tests/unit/codegen/math_test.cpp holds them to it.
#pragma once
#include "codegen/kernel_builder.h"

namespace rnnc {

/// The value of `op` (class Elementwise on one or two operands, or Sum of two); b is null if there is one.
/// NaN goes through every op but the comparisons, which give 0, and pow(NaN, 0) = pow(1, NaN) = 1.
Value* emit_op(KernelBuilder& b, Op op, Value* x, Value* y);

/// The larger of both, NaN if either is.
Value* emit_max(KernelBuilder& b, Value* x, Value* y);

}  // namespace rnnc
