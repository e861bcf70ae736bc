// Polynomials after range reduction, Estrin or Horner as measured in the design notes; coefficients are our
// own Chebyshev fits unless said. Special values are put right by selects at the end.
#include "codegen/emit_math.h"

#include <cmath>
#include <initializer_list>
#include <limits>

namespace rnnc {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kLn2 = 0.693147180559945309417232;
constexpr double kLog2e = 1.44269504088896340735992;
// Beyond these exp(x) is no normal float.
constexpr double kExpLow = -87.3365402, kExpHigh = 88.7228317;
// Adding and subtracting it rounds to an integer, which then stands in the low bits of the sum.
constexpr double kRounder = 12582912.0;  // 1.5 * 2^23

struct Math {
  KernelBuilder& b;
  llvm::IRBuilder<>& ir = b.ir;

  Value* c(double v) { return b.c(v); }
  Value* add(Value* x, Value* y) { return ir.CreateFAdd(x, y); }
  Value* sub(Value* x, Value* y) { return ir.CreateFSub(x, y); }
  Value* mul(Value* x, Value* y) { return ir.CreateFMul(x, y); }
  Value* div(Value* x, Value* y) { return ir.CreateFDiv(x, y); }
  Value* fma(Value* x, Value* y, Value* z) { return b.fma(x, y, z); }
  Value* neg(Value* x) { return ir.CreateFNeg(x); }
  Value* abs(Value* x) { return ir.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x); }
  Value* select(Value* when, Value* x, Value* y) { return ir.CreateSelect(when, x, y); }
  Value* one_or_zero(Value* when) { return select(when, c(1), c(0)); }
  // x with the sign of `of`
  Value* with_sign(Value* x, Value* of) {
    return b.floats(
        ir.CreateOr(ir.CreateAnd(b.bits(x), b.ci(0x7fffffff)), ir.CreateAnd(b.bits(of), b.ci(INT32_MIN))));
  }
  // c0 + c1 x + c2 x^2 + ...
  Value* polynomial(Value* x, std::initializer_list<double> coefficients) {
    Value* sum = nullptr;
    for (auto k = std::rbegin(coefficients); k != std::rend(coefficients); ++k) {
      Value* value = llvm::ConstantFP::get(x->getType(), *k);
      sum = sum ? fma(sum, x, value) : value;
    }
    return sum;
  }

  // x = n ln 2 + r, |r| <= 0.35: n as shifted to the exponent's place, and q = e^r - 1.
  struct Exp {
    Value *shifted, *q;
  };
  Exp reduce_exp(Value* x) {
    Value* t = fma(x, c(kLog2e), c(kRounder));
    Value* n = sub(t, c(kRounder));
    // ln 2 in two parts; without FMA the first must be short, so that its product with n is exact.
    double high = b.target.has_fma ? 0x1.62e430p-1 : 0.693359375;
    double low = b.target.has_fma ? -0x1.05c610p-29 : -2.12194440e-4;
    Value* r = fma(n, c(-low), fma(n, c(-high), x));
    Value* p = polynomial(r, {0.5, 1.666657700e-1, 4.166655463e-2, 8.363177630e-3, 1.392618181e-3});
    return {ir.CreateShl(b.bits(t), b.ci(23)), fma(mul(r, r), p, r)};
  }
  // v * 2^n, as long as that is a normal number
  Value* scale(Value* v, Value* shifted) { return b.floats(ir.CreateAdd(b.bits(v), shifted)); }

  Value* exp(Value* x) {
    Exp e = reduce_exp(x);
    Value* y = scale(add(e.q, c(1)), e.shifted);
    y = select(ir.CreateFCmpOLT(x, c(kExpLow)), c(0), y);
    return select(ir.CreateFCmpUGT(x, c(kExpHigh)), add(x, c(kInf)), y);  // NaN + inf = NaN
  }

  Value* sigmoid(Value* x) { return div(c(1), add(exp(neg(x)), c(1))); }

  // tanh |x| = e / (e + 2) with e = exp(2|x|) - 1
  Value* tanh(Value* x) {
    Value* a = abs(x);
    a = select(ir.CreateFCmpOGT(a, c(9.2)), c(9.2), a);
    Exp half = reduce_exp(add(a, a));
    Value* s = scale(c(1), half.shifted);
    Value* e = fma(s, half.q, sub(s, c(1)));
    return with_sign(div(e, add(e, c(2))), x);  // NaN: q is NaN whatever s is
  }

  // x = 2^k m, m in [2/3, 4/3): k as a number, m - 1
  struct Log {
    Value *k, *t;
  };
  Log reduce_log(Value* x) {
    Value* bits = b.bits(x);
    Value* k = ir.CreateAShr(ir.CreateSub(bits, b.ci(0x3f2aaaab)), b.ci(23));
    Value* m = b.floats(ir.CreateSub(bits, ir.CreateShl(k, b.ci(23))));
    return {ir.CreateSIToFP(k, b.chunk), sub(m, c(1))};
  }

  // For x > 0, finite. log m = t - t^2/2 + t^3 Q(t)
  Value* log_of_positive(Value* x) {
    auto [k, t] = reduce_log(x);
    Value* q =
        polynomial(t, {3.333333333e-1, -2.499994419e-1, 1.999994835e-1, -1.667331625e-1, 1.429186718e-1,
                       -1.228872161e-1, 1.091565479e-1, -1.242220058e-1, 1.133061742e-1});
    Value* t2 = mul(t, t);
    Value* rest = fma(mul(t2, t), q, mul(k, c(-2.12194440e-4)));
    rest = fma(t2, c(-0.5), rest);
    return fma(k, c(0.693359375), add(rest, t));
  }

  Value* log(Value* x) {
    Value* y = log_of_positive(x);
    y = select(ir.CreateFCmpULT(x, c(0)), c(kNaN), y);  // NaN too
    y = select(ir.CreateFCmpOEQ(x, c(kInf)), x, y);
    return select(ir.CreateFCmpOLT(abs(x), c(0x1p-126)), c(-kInf), y);  // subnormals are 0
  }

  // max(x, 0) + log(1 + u), u = exp(-|x|). 1 + u rounds; the error u - ((1+u) - 1) is exact, and is put back.
  Value* softplus(Value* x) {
    Value* u = exp(neg(abs(x)));
    Value* w = add(u, c(1));
    Value* y = add(log_of_positive(w), div(sub(u, sub(w, c(1))), w));
    return add(select(ir.CreateFCmpOGT(c(0), x), c(0), x), y);
  }

  Value* sign(Value* x) {
    Value* y = select(ir.CreateFCmpOEQ(x, c(0)), c(0), with_sign(c(1), x));
    return select(ir.CreateFCmpUNO(x, x), x, y);
  }

  // ---- with double precision inside, for reductions that float cannot do

  llvm::Type* wide = llvm::FixedVectorType::get(b.ir.getDoubleTy(), 16);
  Value* d(double v) { return llvm::ConstantFP::get(wide, v); }
  Value* widen(Value* x) { return ir.CreateFPExt(x, wide); }
  Value* narrow(Value* x) { return ir.CreateFPTrunc(x, b.chunk); }

  // sin(x + quarter * pi / 2): x = n pi/2 + r in double; then the sine or cosine of r by the parity of n.
  Value* sine(Value* x, int quarter) {
    Value* far = ir.CreateFCmpUGE(abs(x), c(0x1p30));
    Value* near = select(far, c(0), x);
    Value* wide_x = widen(near);
    constexpr double rounder = 0x1.8p52;
    Value* n = sub(fma(wide_x, d(0.636619772367581343076), d(rounder)), d(rounder));
    // pi/2 in pieces of 23 bits, whose products with n (30 bits) are exact with and without FMA, and the rest
    Value* r = fma(n, d(-0x1.921fb4p+0), wide_x);
    r = narrow(fma(n, d(-0x1.8469898cc5170p-48), fma(n, d(-0x1.4442dp-24), r)));
    Value* turn = ir.CreateAdd(ir.CreateFPToSI(n, b.ichunk), b.ci(quarter));
    Value* r2 = mul(r, r);
    // Taylor, the last coefficients moved to spread the error over |r| <= pi/4
    Value* s = fma(mul(r, r2), polynomial(r2, {-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4}), r);
    Value* k = polynomial(r2, {4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5});
    k = add(fma(mul(r2, r2), k, mul(r2, c(-0.5))), c(1));
    Value* odd = ir.CreateICmpNE(ir.CreateAnd(turn, b.ci(1)), b.ci(0));
    Value* flip = ir.CreateShl(ir.CreateAnd(turn, b.ci(2)), b.ci(30));
    Value* y = b.floats(ir.CreateXor(b.bits(select(odd, k, s)), flip));
    return select(far, c(kNaN), y);
  }

  // |x|^y = 2^(y log2 |x|), the exponent in double: its error counts |y log x| times.
  Value* power_of_absolute(Value* a, Value* y) {
    auto [k, t] = reduce_log(a);
    // log m = 2 artanh s, s = (m-1)/(m+1), |s| <= 1/5
    Value* s = div(widen(t), ir.CreateFAdd(widen(t), d(2)));
    Value* s2 = mul(s, s);
    Value* series = polynomial(s2, {2, 2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13});
    Value* log2 = fma(mul(s, series), d(kLog2e), widen(k));
    Value* p = mul(widen(y), log2);
    auto clamp = [&](Value* v, double low, double high) {
      v = select(ir.CreateFCmpOLT(v, d(low)), d(low), v);
      return select(ir.CreateFCmpOGT(v, d(high)), d(high), v);
    };
    p = clamp(p, -200, 200);
    constexpr double rounder = 0x1.8p52;
    Value* n = sub(add(p, d(rounder)), d(rounder));
    Value* r = narrow(mul(sub(p, n), d(kLn2)));
    Value* q = polynomial(r, {0.5, 1.666657700e-1, 4.166655463e-2, 8.363177630e-3, 1.392618181e-3});
    q = add(fma(mul(r, r), q, r), c(1));
    Value* shifted = ir.CreateShl(ir.CreateFPToSI(n, b.ichunk), b.ci(23));
    Value* z = scale(q, shifted);
    z = select(ir.CreateFCmpOLT(p, d(-126)), c(0), z);
    return select(ir.CreateFCmpOGE(p, d(128 - 0x1p-26)), c(kInf), z);
  }

  Value* pow(Value* x, Value* y) {
    Value* a = abs(x);
    Value* zero = ir.CreateFCmpOLT(a, c(0x1p-126));
    Value* z = power_of_absolute(a, y);
    Value* grows = ir.CreateFCmpOGT(y, c(0));
    z = select(zero, select(grows, c(0), c(kInf)), z);
    z = select(ir.CreateFCmpOEQ(a, c(kInf)), select(grows, c(kInf), c(0)), z);
    // |y| = inf: 0 or inf by whether |x| grows or shrinks
    Value* to_infinity = ir.CreateICmpEQ(ir.CreateFCmpOGT(a, c(1)), grows);
    z = select(ir.CreateFCmpOEQ(abs(y), c(kInf)), select(to_infinity, c(kInf), c(0)), z);
    z = select(ir.CreateFCmpOEQ(a, c(1)), c(1), z);
    // negative x: only integers y (all from 2^24 on are even)
    Value* small = ir.CreateFCmpOLT(abs(y), c(0x1p24));
    Value* whole = ir.CreateFPToSI(select(small, y, c(0)), b.ichunk);
    Value* integer = ir.CreateOr(ir.CreateNot(small), ir.CreateFCmpOEQ(ir.CreateSIToFP(whole, b.chunk), y));
    Value* negative = ir.CreateICmpSLT(b.bits(x), b.ci(0));
    Value* odd = ir.CreateShl(whole, b.ci(31));
    Value* signed_z = b.floats(ir.CreateXor(b.bits(z), odd));
    signed_z = select(integer, signed_z, select(zero, z, select(ir.CreateFCmpOEQ(a, c(kInf)), z, c(kNaN))));
    z = select(negative, signed_z, z);
    z = select(ir.CreateFCmpUNO(x, y), c(kNaN), z);
    Value* one = ir.CreateOr(ir.CreateFCmpOEQ(x, c(1)), ir.CreateFCmpOLT(abs(y), c(0x1p-126)));
    return select(one, c(1), z);
  }
};

}  // namespace

Value* emit_max(KernelBuilder& b, Value* x, Value* y) {
  Value* larger = b.ir.CreateSelect(b.ir.CreateFCmpOGT(x, y), x, y);  // one instruction; NaN only if y is
  return b.ir.CreateSelect(b.ir.CreateFCmpUNO(x, x), x, larger);
}

Value* emit_op(KernelBuilder& b, Op op, Value* x, Value* y) {
  Math m{b};
  auto& ir = b.ir;
  switch (op) {
    case Op::Neg: return m.neg(x);
    case Op::Exp: return m.exp(x);
    case Op::Log: return m.log(x);
    case Op::Sqrt: return ir.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, x);
    case Op::Abs: return m.abs(x);
    case Op::Sign: return m.sign(x);
    case Op::Sin: return m.sine(x, 0);
    case Op::Cos: return m.sine(x, 1);
    case Op::Sigmoid: return m.sigmoid(x);
    case Op::Tanh: return m.tanh(x);
    case Op::Relu: return ir.CreateSelect(ir.CreateFCmpOGT(b.c(0), x), b.c(0), x);
    case Op::Softplus: return m.softplus(x);
    case Op::Copy:
    case Op::Keep:
    case Op::Stop:
    case Op::ClipGradient: return x;
    case Op::Add:
    case Op::Onto:
    case Op::Sum: return ir.CreateFAdd(x, y);
    case Op::Sub: return ir.CreateFSub(x, y);
    case Op::Mul: return ir.CreateFMul(x, y);
    case Op::Div: return ir.CreateFDiv(x, y);
    case Op::Pow: return m.pow(x, y);
    case Op::Max: return emit_max(b, x, y);
    case Op::Min: return m.neg(emit_max(b, m.neg(x), m.neg(y)));
    case Op::Less: return m.one_or_zero(ir.CreateFCmpOLT(x, y));
    case Op::LessEqual: return m.one_or_zero(ir.CreateFCmpOLE(x, y));
    case Op::Equal: return m.one_or_zero(ir.CreateFCmpOEQ(x, y));
    case Op::OneHot:
    case Op::Coin:
    case Op::RowCount:
    case Op::Variable:
    case Op::Input:
    case Op::Constant:
    case Op::SumCols:
    case Op::MaxCols:
    case Op::ArgMax:
    case Op::SumRows:
    case Op::MaxRows:
    case Op::MatMul:
    case Op::SliceCols:
    case Op::ConcatCols:
    case Op::SliceRows:
    case Op::ConcatRows:
    case Op::TakeRows:
    case Op::PadRows:
    case Op::TailRows:
    case Op::Gather:
    case Op::ScatterAdd:
    case Op::ScatterMax:
    case Op::SplitCols:
    case Op::JoinRows:
    case Op::PairIndex:
    case Op::LastRows:
    case Op::Transpose:
    case Op::Scan:
    case Op::ScanResult: break;
  }
  throw KernelError("no elementwise op: " + std::string(info(op).name));
}

}  // namespace rnnc
