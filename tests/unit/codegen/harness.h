// What the tests of the code generator share: matrices that notice writes outside, calls of kernels, and one
// Jit for each target that this machine runs.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "runtime/threads.h"

namespace rnnc {

/// rows x cols floats in lines of `stride`; everything between and behind is NaN: over-reads must not matter.
struct Matrix {
  int64_t rows, cols, stride;
  std::vector<float> data;

  Matrix(int64_t r, int64_t c, int64_t s = 0) : rows(r), cols(c), stride(std::max(s, c)) {
    data.assign(size_t(rows * stride + kOverread), guard());
  }
  static float guard() { return std::bit_cast<float>(0x7fc12345u); }
  float& operator()(int64_t r, int64_t c) { return data[size_t(r * stride + c)]; }
  float operator()(int64_t r, int64_t c) const { return data[size_t(r * stride + c)]; }
  void fill(std::mt19937& random, float low = -1, float high = 1) {
    std::uniform_real_distribution<float> number(low, high);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < cols; ++c) (*this)(r, c) = number(random);
  }
  /// Nothing outside rows x cols was written.
  bool intact() const {
    for (size_t i = 0; i < data.size(); ++i)
      if (!(int64_t(i) < rows * stride && int64_t(i) % stride < cols) &&
          std::bit_cast<uint32_t>(data[i]) != std::bit_cast<uint32_t>(guard()))
        return false;
    return true;
  }
  bool same_bits(const Matrix& other) const {
    return data.size() == other.data.size() &&
           std::memcmp(data.data(), other.data.data(), data.size() * sizeof(float)) == 0;
  }
};

/// The arguments of one call, with storage.
struct Call {
  std::vector<void*> data;
  std::vector<int64_t> stride, rows, depth;
  std::vector<Segment> segments;
  int64_t cols = 0;

  Call& operand(Matrix& m) { return operand(m.data.data(), m.stride); }
  Call& operand(void* address, int64_t pitch) {
    data.push_back(address);
    stride.push_back(pitch);
    return *this;
  }
  KernelArgs args() const {
    return {data.data(), stride.data(), rows.data(), depth.data(), segments.data(), int64_t(segments.size()),
            cols};
  }
};

/// The Jit of a target, or null, with the reason, where this machine cannot run it.
inline Jit* jit_of(const std::string& name, std::string& reason) {
  static std::map<std::string, std::unique_ptr<Jit>> all;
  auto& jit = all[name];
  if (!jit) try {
      jit = std::make_unique<Jit>(target_by_name(name));
    } catch (const TargetError& e) {
      reason = e.what();
    }
  return jit.get();
}

/// Tests that run on every target.
class OnTarget : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    std::string reason;
    jit = jit_of(GetParam(), reason);
    if (!jit) GTEST_SKIP() << reason;
  }
  KernelFn compile(const Kernel& kernel) { return jit->compile(std::span(&kernel, 1))[0]; }
  /// All units at once, as a team's thread would do it.
  void run(const Kernel& kernel, const Call& call) {
    KernelArgs args = call.args();
    FlushSubnormals flush;
    compile(kernel)(&args, 0, unit_count(kernel, args, jit->target()));
  }
  /// All units, cut into pieces at random.
  void run_in_pieces(const Kernel& kernel, const Call& call, std::mt19937& random) {
    KernelArgs args = call.args();
    int64_t units = unit_count(kernel, args, jit->target());
    FlushSubnormals flush;
    for (int64_t begin = 0; begin < units;) {
      int64_t end = std::min<int64_t>(units, begin + 1 + int64_t(random() % 9));
      compile(kernel)(&args, begin, end);
      begin = end;
    }
  }
  Jit* jit = nullptr;
};

inline const auto kAllTargets = testing::Values("avx512", "avx2", "sse2");
inline std::string target_name(const testing::TestParamInfo<std::string>& info) {
  return info.param;
}

// instructions of bodies, short
inline Instr load(int operand, Access access = Access::Matrix, int limit = -1) {
  Instr in;
  in.code = Instr::Load, in.operand = int16_t(operand), in.access = access, in.limit = int16_t(limit);
  return in;
}
inline Instr part(int number) {
  Instr in;
  in.code = Instr::Part, in.operand = int16_t(number);
  return in;
}
inline Instr compute(Op op, int a, int b = -1) {
  Instr in;
  in.code = Instr::Compute, in.op = op, in.a = int16_t(a), in.b = int16_t(b);
  return in;
}
inline Instr constant(float value) {
  Instr in;
  in.code = Instr::Constant, in.value = value;
  return in;
}
inline Instr reduce(Op op, int a) {
  Instr in;
  in.code = Instr::Reduce, in.op = op, in.a = int16_t(a);
  return in;
}
inline Instr store(int value, int operand, Access access = Access::Matrix) {
  Instr in;
  in.code = Instr::Store, in.a = int16_t(value), in.operand = int16_t(operand), in.access = access;
  return in;
}

}  // namespace rnnc
