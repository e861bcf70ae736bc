// See models.h.
#include "tests/unit/driver/models.h"

#include <fmt/format.h>
#include <algorithm>
#include <bit>
#include <random>

#include "frontend/parser.h"
#include "ir/verify.h"

namespace rnnc::test {

namespace {

/// `x: C[S, T]`: T lies within S. -1 for a dimension of the rows.
std::vector<int> within(const ast::DataBlock& data, const std::vector<std::string>& sequences) {
  const auto number = [&](const ast::Size& size) {
    return int(std::ranges::find(sequences, size.value.text) - sequences.begin());
  };
  std::vector<int> result(sequences.size(), -1);
  for (const ast::Field& field : data.fields) {
    if (field.type.vocabulary.empty() || field.type.sizes.size() != 2) continue;
    result.at(size_t(number(field.type.sizes[1]))) = number(field.type.sizes[0]);
  }
  return result;
}

}  // namespace

Lowered lower_text(const std::string& text, std::map<std::string, int64_t> sizes,
                   std::vector<std::string> sequences) {
  const Source source{"test.rnn", text};
  const Checked checked = check(source);
  const ast::Train* train = nullptr;
  const ast::DataBlock* data = nullptr;
  const ast::Use* predict = nullptr;
  for (const ast::Item& item : checked.file.items) {
    if (const auto* t = std::get_if<ast::Train>(&item)) train = t;
    if (const auto* d = std::get_if<ast::DataBlock>(&item)) data = d;
    if (const auto* u = std::get_if<ast::Use>(&item)) predict = u;
  }
  for (const auto& [name, value] : checked.dims) sizes[name] = value;
  const std::vector<int> inside = within(*data, sequences);
  const LowerInput input{checked.file,
                         checked.library,
                         source,
                         checked.library_source,
                         sizes,
                         std::move(sequences),
                         inside,
                         [&sizes](const std::string& vocabulary, const std::string& entry) -> int64_t {
                           if (entry == "<blank>" || entry == "<bos>") return 0;
                           const auto number = int64_t(entry.at(0)) - 'a';  // entries are a, b, c, ...
                           return entry.size() == 1 && number < sizes.at(vocabulary) ? number : -1;
                         }};
  Lowered lowered = lower(input, train->model.text, train, data, predict);
  verify(lowered.model);
  return lowered;
}

RowTables TestBatch::rows() const {
  return {int64_t(lengths.size()), {row_offset.data()}};
}
RowTable TestBatch::table() const {
  RowTable t;
  t.batch = int64_t(lengths.size());
  t.row_offset = offsets_list.data();
  t.capacity = &capacity;
  return t;
}

TestBatch make_batch(const Graph& graph, std::vector<int64_t> lengths, int32_t capacity, int64_t ids,
                     unsigned seed) {
  TestBatch b;
  b.lengths = std::move(lengths);
  b.capacity = capacity;
  b.row_offset.assign(1, 0);
  for (int32_t t = 0; t < capacity; ++t) {
    const auto running = std::count_if(b.lengths.begin(), b.lengths.end(), [&](int64_t n) { return n > t; });
    b.row_offset.push_back(b.row_offset.back() + running);
  }
  b.offsets_list = {b.row_offset.data()};
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, 0.4);
  const RowTable table = b.table();
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& n = graph[id];
    if (n.op != Op::Input && n.op != Op::Variable) continue;
    const std::string& name = graph.name(id);
    Tensor t = make_tensor(n.shape, table);
    for (double& v : t.data)
      v = n.shape.type == Type::I32 ? double(random() % uint64_t(ids)) : double(float(normal(random)));
    for (size_t r = 0; r < b.lengths.size(); ++r) {
      if (name == last_index_input(0))
        t.data[r] = b.lengths[r] ? double(b.row_offset[size_t(b.lengths[r] - 1)] + int64_t(r)) : -1;
      if (name == length_input(0)) t.data[r] = double(b.lengths[r]);
    }
    if (name == kRateInput) t.data = {0.1};
    if (name == kCorrection1Input) t.data = {0.1};
    if (name == kCorrection2Input) t.data = {0.001};
    if (name.find('%') != std::string::npos && n.op == Op::Variable) {
      for (double& v : t.data) v = std::abs(v);  // optimizer state: a mean of squares
    }
    b.values[name] = std::move(t);
  }
  return b;
}

Results run_compiled(const Compiled& compiled, const TestBatch& batch, int threads) {
  Variables variables;
  Session session(compiled.plan.program, variables);
  Team team(threads);
  session.set_rows(batch.rows());
  for (const auto& [name, tensor] : batch.values) {
    if (variables.has(name)) {
      std::copy(tensor.data.begin(), tensor.data.end(), variables.at(name).data.begin());
    } else if (session.has_input(name)) {
      if (tensor.shape.type == Type::I32) {
        session.set_input(name, std::vector<int32_t>(tensor.data.begin(), tensor.data.end()));
      } else {
        session.set_input(name, std::vector<float>(tensor.data.begin(), tensor.data.end()));
      }
    }
  }
  session.run(team);
  std::map<std::string, std::vector<float>> result;
  for (const ProgramOutput& output : compiled.plan.program.outputs)
    result[output.name] = session.output(output.name);
  for (const auto& [name, variable] : variables.all()) {
    const auto values = variable->values();
    result["variable " + name] = {values.begin(), values.end()};
  }
  return result;
}

std::string first_difference(const Results& want, const Results& got) {
  if (want.size() != got.size()) return "other results";
  for (const auto& [name, values] : want) {
    const auto it = got.find(name);
    if (it == got.end() || it->second.size() != values.size()) return name + " has another size";
    for (size_t i = 0; i < values.size(); ++i) {
      if (std::bit_cast<uint32_t>(values[i]) != std::bit_cast<uint32_t>(it->second[i]))
        return fmt::format("{} element {}: {} and {}", name, i, values[i], it->second[i]);
    }
  }
  return {};
}

std::map<std::string, std::vector<double>> run_interpreter(const Graph& graph, const TestBatch& batch) {
  const RootValues roots = interpret_roots(graph, batch.values, batch.table());
  std::map<std::string, std::vector<double>> result;
  for (const auto& [name, tensor] : roots.outputs) result[name] = tensor.data;
  for (const auto& [name, tensor] : roots.assigned) result["variable " + name] = tensor.data;
  return result;
}

std::string classifier(const std::string& cell, const std::string& scan) {
  return cell + fmt::format(R"(
data d {{
  read "t.tsv" as tsv
  x: C[T] = chars(col(1))
  y: L    = category(col(2))
}}
model m(x: C[T]) -> (logits: [L]) {{
  h      = {}
  logits = linear[L](final(h))
}}
train m on d {{
  loss      cross_entropy(logits, y)
  metric    accuracy(logits, y)
  optimizer adam(rate = 1e-3)
  epochs    1
}}
predict m {{
  show top(softmax(logits), 3)
}}
)",
                            scan);
}

/// A language model over the pieces of a stream: states that go on, also those of a delay.
constexpr const char* kCarried = R"(
data d {
  read "t.txt" as stream
  x: C[T] = chars(text)
  chunk T = 6
}
cell late(x: [E]; h: [H]) {
  param W: [E, H] ~ glorot
  param U: [H, H] ~ orthogonal
  h' = tanh(x @ W + delay(x) @ W + h @ U)
}
model m(x: C[T]) -> (logits: [T, C]) {
  h      = scan late[12] over embed[6](x) from h = 0.5 carry
  logits = linear[C](h)
}
train m on d {
  loss      cross_entropy(logits, next(x))
  metric    accuracy(logits, next(x))
  optimizer adam(rate = 1e-3)
  epochs    1
}
predict m {
  show argmax(logits)
}
)";

const std::vector<std::pair<std::string, std::string>>& models() {
  static const char* peephole = R"(
cell peephole(x: [E]; h: [H], c: [H]) {
  param Wi, Wf, Wg, Wo: [E, H] ~ glorot
  param Ui, Uf, Ug, Uo: [H, H] ~ orthogonal
  param pi, pf, po: [H] ~ normal(0.1)
  param bi, bf, bg, bo: [H] = 0
  i  = sigmoid(x @ Wi + h @ Ui + pi * c + bi)
  f  = sigmoid(x @ Wf + h @ Uf + pf * c + bf)
  g  = tanh(x @ Wg + h @ Ug + bg)
  c' = f * c + i * g
  o  = sigmoid(x @ Wo + h @ Uo + po * c' + bo)
  h' = o * tanh(c')
}
)";
  static const char* before = R"(
cell gru_before(x: [E]; h: [H]) {
  param Wz, Wr, Wn: [E, H] ~ glorot
  param Uz, Ur, Un: [H, H] ~ orthogonal
  param bz, br, bn: [H] = 0
  z  = sigmoid(x @ Wz + h @ Uz + bz)
  r  = sigmoid(x @ Wr + h @ Ur + br)
  n  = tanh(x @ Wn + (r * h) @ Un + bn)
  h' = (1 - z) * n + z * h
}
)";
  static const char* normed = R"(
cell normed(x: [E]; h: [H]) {
  param W: [E, H] ~ glorot
  param U: [H, H] ~ orthogonal
  a  = x @ W + h @ U
  d  = a - mean(a)
  h' = tanh(d / sqrt(mean(d^2) + 1e-5))
}
)";
  static const char* delayed = R"(
cell delayed(x: [E]; h: [H]) {
  param W: [3*E, H] ~ glorot
  param U: [H, H] ~ orthogonal
  param v: [H] ~ normal(0.5)
  h' = tanh(window(x, 3) @ W + h @ U + v * delay(h, 2))
}
)";
  static const std::vector<std::pair<std::string, std::string>> list = {
      {"rnn", classifier("", "scan rnn[20] over embed[12](x)")},
      {"lstm", classifier("", "scan lstm[16] over embed[8](x)")},
      {"gru", classifier("", "scan gru[24] over embed[8](x)")},
      {"reverse", classifier("", "scan reverse(lstm[16]) over embed[8](x)")},
      {"both", classifier("", "scan both(gru[16]) over embed[8](x)")},
      {"stack", classifier("", "scan stack(lstm[16], 2) over embed[8](x)")},
      {"stack_both", classifier("", "scan stack(both(gru[16]), 2) over embed[8](x)")},
      {"peephole", classifier(peephole, "scan peephole[16] over embed[8](x)")},
      {"gru_before", classifier(before, "scan gru_before[16] over embed[8](x)")},
      {"normed", classifier(normed, "scan normed[16] over embed[8](x)")},
      {"from", classifier("", "scan lstm[16] over embed[8](x) from c = 0.5")},
      {"delayed", classifier(delayed, "scan delayed[12] over embed[6](x)")},
      {"windows", classifier("", "scan rnn[12] over window(delay(embed[4](x)), 3, center = yes)")},
      {"carried", kCarried},
  };
  return list;
}

}  // namespace rnnc::test
