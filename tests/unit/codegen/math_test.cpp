// Every elementwise op against double precision, on random and special values.
#include "tests/unit/codegen/harness.h"

namespace rnnc {
namespace {

double exact(Op op, double x, double y) {
  switch (op) {
    case Op::Neg: return -x;
    case Op::Exp: return std::exp(x);
    case Op::Log: return std::log(x);
    case Op::Sqrt: return std::sqrt(x);
    case Op::Abs: return std::fabs(x);
    case Op::Sign: return std::isnan(x) ? x : (x > 0) - (x < 0);
    case Op::Sin: return std::sin(x);
    case Op::Cos: return std::cos(x);
    case Op::Sigmoid: return 1 / (1 + std::exp(-x));
    case Op::Tanh: return std::tanh(x);
    case Op::Relu: return std::isnan(x) ? x : std::max(x, 0.0);
    case Op::Softplus: return std::isnan(x) ? x : std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
    case Op::Copy:
    case Op::Keep:
    case Op::Stop:
    case Op::ClipGradient: return x;
    case Op::Add:
    case Op::Onto:
    case Op::Sum: return x + y;
    case Op::Sub: return x - y;
    case Op::Mul: return x * y;
    case Op::Div: return x / y;
    case Op::Pow: return std::pow(x, y);
    case Op::Max: return std::isnan(x) || std::isnan(y) ? x + y : std::max(x, y);
    case Op::Min: return std::isnan(x) || std::isnan(y) ? x + y : std::min(x, y);
    case Op::Less: return x < y;
    case Op::LessEqual: return x <= y;
    case Op::Equal: return x == y;
    default: ADD_FAILURE() << "no exact value of " << info(op).name; return 0;
  }
}

// As codegen/emit_math.h says; arithmetic is right to half a unit.
double bound(Op op) {
  switch (op) {
    case Op::Log: return 0.8;
    case Op::Exp:
    case Op::Pow: return 1.1;
    case Op::Sin:
    case Op::Cos: return 1.6;
    case Op::Softplus: return 2;
    case Op::Sigmoid: return 2.4;
    case Op::Tanh: return 2.5;
    default: return 0.5;
  }
}

// Subnormals count as 0, as they do for the kernels.
double flushed(double x) {
  return std::fabs(x) < std::numeric_limits<float>::min() ? std::copysign(0.0, x) : x;
}

// Distance in units in the last place of the exact value.
double ulps(float got, double want) {
  if (std::isnan(want)) return std::isnan(got) ? 0 : 1e9;
  if (std::fabs(want) > std::numeric_limits<float>::max() * (1 + 0x1p-25))
    want = std::copysign(INFINITY, want);
  if (std::isinf(want) || std::isinf(got)) return double(got) == want ? 0 : 1e9;
  int exponent = std::max(std::ilogb(want == 0 ? 1e-45 : want), -126);
  double error = std::fabs(double(got) - want);
  // a result at the border to the subnormal ones may be flushed
  if (got == 0 && std::fabs(want) < std::numeric_limits<float>::min() * (1 + 0x1p-20)) return 0;
  return error / std::ldexp(1.0, exponent - 23);
}

std::vector<float> interesting(std::mt19937& random, Op op) {
  std::vector<float> x{0.0f,
                       -0.0f,
                       1.0f,
                       -1.0f,
                       2.0f,
                       -2.0f,
                       3.0f,
                       -3.0f,
                       0.5f,
                       -0.5f,
                       INFINITY,
                       -INFINITY,
                       NAN,
                       std::numeric_limits<float>::max(),
                       -std::numeric_limits<float>::max(),
                       std::numeric_limits<float>::min(),
                       -std::numeric_limits<float>::min(),
                       1e-40f,
                       -1e-40f,
                       88.72f,
                       88.73f,
                       -87.33f,
                       -87.34f,
                       104.0f,
                       -104.0f,
                       9.2f,
                       9.1f,
                       -9.3f,
                       16777216.0f,
                       16777217.0f,
                       -16777216.0f,
                       0.99999994f,
                       1.0000001f};
  bool trigonometric = op == Op::Sin || op == Op::Cos;
  std::uniform_real_distribution<float> narrow(-1.5f, 1.5f), middle(-20, 20), wide(-110, 110);
  for (int i = 0; i < 60000; ++i)
    x.push_back(narrow(random)), x.push_back(middle(random)), x.push_back(wide(random));
  for (int i = 0; i < 60000; ++i) {
    float any = std::bit_cast<float>(uint32_t(random()));
    x.push_back(trigonometric && std::fabs(any) >= 0x1p30f ? std::ldexp(any, -100) : any);
  }
  if (trigonometric) std::erase_if(x, [](float v) { return std::fabs(v) >= 0x1p30f && std::isfinite(v); });
  while (x.size() % 100) x.push_back(1);
  return x;
}

class MathOn : public OnTarget {};

TEST_P(MathOn, EveryElementwiseOpIsWithinItsBound) {
  std::mt19937 random(1);
  for (Op op : all_ops()) {
    if (op == Op::OneHot || op == Op::Coin || op == Op::RowCount || info(op).cls != OpClass::Elementwise)
      continue;
    bool two = op == Op::Sum || info(op).arity == 2;
    Kernel kernel;
    kernel.operands = 3;
    kernel.body = {load(0), load(1), compute(op, 0, two ? 1 : -1), store(2, 2)};
    std::vector<float> x = interesting(random, op), y = interesting(random, op);
    size_t special = 33;
    if (two) {  // random pairs, and all pairs of special values
      std::shuffle(y.begin() + long(special), y.end(), random);
      for (size_t i = 0; i < special; ++i)
        for (size_t j = 0; j < special; ++j) x.push_back(x[i]), y.push_back(y[j]);
      while (x.size() % 100) x.push_back(1), y.push_back(1);
    }
    int64_t rows = int64_t(x.size()) / 100;
    Matrix a(rows, 100), b(rows, 100), result(rows, 100, 103);
    for (size_t i = 0; i < x.size(); ++i) a.data[i] = x[i], b.data[i] = y[i];
    Call call;
    call.operand(a).operand(b).operand(result);
    call.rows = {rows};
    call.cols = 100;
    run(kernel, call);
    EXPECT_TRUE(result.intact()) << info(op).name;
    double worst = 0;
    float at_x = 0, at_y = 0, got = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      float r = result(int64_t(i) / 100, int64_t(i) % 100);
      bool kept = op == Op::Copy || op == Op::Keep || op == Op::Stop || op == Op::ClipGradient ||
                  op == Op::Neg || op == Op::Abs || op == Op::Max || op == Op::Min ||
                  op == Op::Relu;  // moves bits; a subnormal may stay
      double want = flushed(exact(op, flushed(x[i]), flushed(y[i])));
      double error = kept ? ulps(float(flushed(r)), want) : ulps(r, want);
      if (error > worst) worst = error, at_x = x[i], at_y = y[i], got = r;
    }
    RecordProperty(std::string(info(op).name), std::to_string(worst));
    if (bound(op) > 0.5) std::printf("  %-9s %.2f ulp at most\n", std::string(info(op).name).c_str(), worst);
    EXPECT_LE(worst, bound(op) + 1e-4) << info(op).name << "(" << at_x << ", " << at_y << ") gives " << got
                                       << ", not " << exact(op, flushed(at_x), flushed(at_y));
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, MathOn, kAllTargets, target_name);

TEST(Math, TargetsWithFmaAgreeToTheBit) {
  std::string reason;
  Jit *one = jit_of("avx512", reason), *other = jit_of("avx2", reason);
  if (!one || !other) GTEST_SKIP() << reason;
  std::mt19937 random(2);
  for (Op op : all_ops()) {
    if (op == Op::OneHot || op == Op::Coin || op == Op::RowCount || info(op).cls != OpClass::Elementwise)
      continue;
    Kernel kernel;
    kernel.operands = 3;
    kernel.body = {load(0), load(1), compute(op, 0, op == Op::Sum || info(op).arity == 2 ? 1 : -1),
                   store(2, 2)};
    Matrix a(100, 100), b(100, 100), result(100, 100), again(100, 100);
    a.fill(random, -20, 20);
    b.fill(random, -20, 20);
    for (Matrix* to : {&result, &again}) {
      Call call;
      call.operand(a).operand(b).operand(*to);
      call.rows = {100};
      call.cols = 100;
      KernelArgs args = call.args();
      (to == &result ? one : other)->compile(std::span(&kernel, 1))[0](&args, 0, 100);
    }
    // which NaN an operation makes is the processor's choice
    for (Matrix* m : {&result, &again})
      for (float& v : m->data)
        if (std::isnan(v)) v = Matrix::guard();
    EXPECT_TRUE(result.same_bits(again)) << info(op).name;
  }
}

}  // namespace
}  // namespace rnnc
