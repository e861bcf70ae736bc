// The compiler itself: cache, text, no foreign symbols, no spills in the innermost loops, and how long it
// takes.
#include "codegen/jit.h"

#include <set>
#include <sstream>

#include "codegen/peak.h"
#include "tests/unit/codegen/harness.h"

namespace rnnc {
namespace {

// One step of an LSTM: i f o g = parts, c = f c' + i g, h = o tanh c.
Kernel lstm_step() {
  Kernel k;
  k.operands = 9;
  k.row_counts = 2;
  k.product = {4, 1, {0, 2}, {1, 3}, 1};
  for (int p = 0; p < 4; ++p) k.body.push_back(part(p));
  k.body.push_back(compute(Op::Sigmoid, 0));  // 4
  k.body.push_back(compute(Op::Sigmoid, 1));
  k.body.push_back(compute(Op::Sigmoid, 2));
  k.body.push_back(compute(Op::Tanh, 3));
  k.body.push_back(load(4));  // 8: c'
  k.body.push_back(compute(Op::Mul, 5, 8));
  k.body.push_back(compute(Op::Mul, 4, 7));
  k.body.push_back(compute(Op::Add, 9, 10));  // 11: c
  k.body.push_back(compute(Op::Tanh, 11));
  k.body.push_back(compute(Op::Mul, 6, 12));
  k.body.push_back(store(11, 5));
  k.body.push_back(store(13, 6));
  return k;
}

Kernel softmax() {
  Kernel k;
  k.operands = 2;
  k.body = {load(0),
            reduce(Op::MaxCols, 0),
            compute(Op::Sub, 0, 1),
            compute(Op::Exp, 2),
            reduce(Op::SumCols, 3),
            compute(Op::Div, 3, 4),
            store(5, 1)};
  return k;
}

Kernel gradient() {
  Kernel k;
  k.kind = KernelKind::WeightGradient;
  k.operands = 3;
  k.chunks = 4;
  return k;
}

Kernel all_functions() {
  Kernel k;
  k.operands = 2;
  k.body = {load(0)};
  for (Op op : all_ops()) {
    if (op == Op::OneHot || op == Op::Coin || op == Op::RowCount || info(op).cls != OpClass::Elementwise)
      continue;
    int last = int(k.body.size()) - 1;
    k.body.push_back(compute(op, last, op == Op::Sum || info(op).arity == 2 ? 0 : -1));
  }
  k.body.push_back(store(int(k.body.size()) - 1, 1));
  return k;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> list;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) list.push_back(line);
  return list;
}

class JitOn : public OnTarget {};

TEST_P(JitOn, EqualKernelsAreCompiledOnce) {
  Jit fresh(jit->target());
  std::vector<Kernel> kernels{softmax(), lstm_step(), softmax()};
  std::vector<KernelFn> first = fresh.compile(kernels);
  EXPECT_EQ(first[0], first[2]);
  JitStats before = fresh.stats();
  EXPECT_EQ(before.kernels, 2);
  kernels.push_back(gradient());
  std::vector<KernelFn> second = fresh.compile(kernels);
  EXPECT_EQ(first[1], second[1]);
  EXPECT_EQ(fresh.stats().kernels, 3);
  EXPECT_GT(fresh.stats().micro_kernels, before.micro_kernels);
}

TEST_P(JitOn, TwoThreadsCompileTheSameCode) {
  Jit two(jit->target(), 2);
  std::vector<Kernel> kernels{softmax(), lstm_step(), gradient()};
  std::vector<KernelFn> fns = two.compile(kernels);
  std::mt19937 random(11);
  Matrix x(4, 30), y(4, 30), z(4, 30);
  x.fill(random);
  for (auto [fn, to] : {std::pair(fns[0], &y), std::pair(compile(softmax()), &z)}) {
    Call call;
    call.operand(x).operand(*to);
    call.rows = {4};
    call.cols = 30;
    KernelArgs args = call.args();
    fn(&args, 0, 4);
  }
  EXPECT_TRUE(y.same_bits(z));
}

TEST_P(JitOn, CodeCallsNothingOutside) {
  std::vector<Kernel> kernels{all_functions(), lstm_step(), softmax(), gradient()};
  Kernel& scatter = kernels.emplace_back();
  scatter.kind = KernelKind::Scatter;
  scatter.operands = 3;
  scatter.row_counts = 2;
  std::vector<std::string> text = lines(jit->assembly(kernels));
  std::set<std::string> labels;
  for (const std::string& line : text)
    if (!line.empty() && line[0] != '\t' && line.find(':') != std::string::npos)
      labels.insert(line.substr(0, line.find(':')));
  EXPECT_TRUE(labels.contains("kernel_0"));
  for (const std::string& line : text) {
    size_t at = line.find("\tcall");
    if (at == std::string::npos || line.find('*') != std::string::npos) continue;
    std::string callee = line.substr(line.find_first_of("\t ", at + 2) + 1);
    callee = callee.substr(0, callee.find_first_of("@ \t"));
    EXPECT_TRUE(labels.contains(callee)) << line;
  }
}

TEST_P(JitOn, MicroKernelsKeepTheirSumsInRegisters) {
  Kernel wide = gradient(), narrow = gradient();
  narrow.chunks = 3;
  std::vector<std::string> text = lines(jit->assembly(std::vector<Kernel>{lstm_step(), wide, narrow}));
  int loops = 0;
  std::string function;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string& line = text[i];
    if (line.empty() || line[0] == '\t' || line.find(':') == std::string::npos) continue;
    std::string label = line.substr(0, line.find(':'));
    if (label[0] != '.') function = label;
    if (function.rfind("product_", 0) != 0) continue;
    // a loop: from a label to the first jump back to it
    size_t end = i + 1;
    while (end < text.size() && (text[end].empty() || text[end][0] == '\t' || text[end][0] == ' ') &&
           text[end].find("\tj") == std::string::npos)
      ++end;
    if (end == text.size() || text[end].find("\tj") == std::string::npos ||
        text[end].find(label) == std::string::npos || label[0] != '.')
      continue;
    ++loops;
    int multiplies = 0;
    for (size_t j = i; j < end; ++j) {
      bool stack = text[j].find("(%rsp") != std::string::npos || text[j].find("(%rbp") != std::string::npos;
      bool vector = text[j].find("mm") != std::string::npos;
      EXPECT_FALSE(stack && vector) << function << ": " << text[j];
      multiplies += text[j].find("fmadd") != std::string::npos || text[j].find("mulps") != std::string::npos;
    }
    int rows = 0, vectors = 0;
    ASSERT_EQ(std::sscanf(function.c_str() + 8, "%dx%d", &rows, &vectors), 2);
    EXPECT_EQ(multiplies, rows * vectors) << function;
  }
  int want = jit->target().name == "avx512" ? 6 + 6 : 6;
  EXPECT_EQ(loops, want);
}

TEST_P(JitOn, TextNamesKernelsAndMicroKernels) {
  std::string ir = jit->ir(std::vector<Kernel>{lstm_step()});
  EXPECT_NE(ir.find("define void @kernel_0"), std::string::npos);
  EXPECT_NE(ir.find("define void @product_6x"), std::string::npos);
}

TEST_P(JitOn, CompileTimeIsPrinted) {
  for (int threads : {1, 2}) {
    Jit fresh(jit->target(), threads);
    fresh.compile(std::vector<Kernel>{lstm_step(), softmax(), gradient()});
    const JitStats& s = fresh.stats();
    std::printf("  %s, %d thread(s): %d kernels, %d micro-kernels, %lld bytes, %.1f ms\n", GetParam().c_str(),
                threads, s.kernels, s.micro_kernels, static_cast<long long>(s.bytes), s.milliseconds);
    EXPECT_GT(s.bytes, 0);
  }
  Jit fresh(jit->target());
  for (auto [name, kernel] :
       {std::pair("lstm", lstm_step()), std::pair("softmax", softmax()), std::pair("gradient", gradient()),
        std::pair("all functions", all_functions())}) {
    fresh.compile(std::vector<Kernel>{kernel});
    double before = fresh.stats().milliseconds;
    kernel.operands += 1;  // another kernel, with the micro-kernels already there
    if (kernel.kind == KernelKind::WeightGradient) kernel.operands = 3, kernel.row_counts = 2;
    fresh.compile(std::vector<Kernel>{kernel});
    std::printf("    %-14s %.1f ms\n", name, fresh.stats().milliseconds - before);
  }
}

TEST_P(JitOn, PeakIsPositive) {
  Team team(1);
  EXPECT_GT(measure_peak_gflops(*jit, team), 0.1);
}

INSTANTIATE_TEST_SUITE_P(Targets, JitOn, kAllTargets, target_name);

}  // namespace
}  // namespace rnnc
