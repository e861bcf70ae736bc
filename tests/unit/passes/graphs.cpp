// See graphs.h.
#include "tests/unit/passes/graphs.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "ir/parse.h"
#include "ir/print.h"
#include "ir/verify.h"

namespace rnnc::test {

Graph graph(const std::string& text) {
  Graph g = parse_graph({"test.ir", text});
  verify(g);
  return g;
}

Sample sample(const Graph& graph, const std::vector<int64_t>& lengths0, const std::vector<int64_t>& lengths1,
              unsigned seed, bool negative) {
  Sample s;
  s.batch = int64_t(lengths0.size());
  for (int dim = 0; dim < 2; ++dim) {
    const auto& lengths = dim == 0 ? lengths0 : lengths1;
    auto& offsets = s.offsets[dim];
    offsets.assign(1, 0);
    for (int32_t t = 0; t < kSteps; ++t)
      offsets.push_back(offsets.back() +
                        std::count_if(lengths.begin(), lengths.end(), [&](int64_t n) { return n > t; }));
  }
  s.list = {s.offsets[0].data(), s.offsets[1].data()};
  s.capacity = {kSteps, kSteps};
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(0.2, 1.2);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph[id].op != Op::Input && graph[id].op != Op::Variable) continue;
    Tensor t = make_tensor(graph.shape(id), s.table());
    for (double& v : t.data) {
      v = uniform(random);
      if (negative && random() % 2) v = -v;
      if (t.shape.type == Type::I32) v = double(random() % 4) - 1;
    }
    s.values.emplace(graph.name(id), std::move(t));
  }
  return s;
}

void expect_same_values(const Graph& before, const Graph& after, double tolerance) {
  ASSERT_NO_THROW(verify(after)) << print(after);
  const std::vector<std::vector<int64_t>> lengths = {{4, 4, 4}, {4, 3, 1, 1}, {3, 2, 0}, {1}};
  for (size_t k = 0; k < lengths.size(); ++k) {
    const auto& other = lengths[k].size() == 3 ? lengths[2 - k] : lengths[k];
    const Sample s = sample(before, lengths[k], other, unsigned(k + 1));
    const RootValues want = interpret_roots(before, s.values, s.table());
    const RootValues got = interpret_roots(after, s.values, s.table());
    auto compare = [&](const Tensors& a, const Tensors& b) {
      ASSERT_EQ(a.size(), b.size());
      for (const auto& [name, value] : a) {
        ASSERT_TRUE(b.contains(name)) << name;
        const Tensor& other_value = b.find(name)->second;
        ASSERT_EQ(value.data.size(), other_value.data.size()) << name;
        double scale = 1;
        for (double v : value.data) scale = std::max(scale, std::isfinite(v) ? std::abs(v) : 0);
        for (size_t i = 0; i < value.data.size(); ++i) {
          const double x = value.data[i], y = other_value.data[i];
          if (std::isnan(x) && std::isnan(y)) continue;
          ASSERT_TRUE(x == y || std::abs(x - y) <= tolerance * scale)
              << name << " element " << i << ": " << x << " became " << y << "\nbefore\n"
              << print(before) << "after\n"
              << print(after);
        }
      }
    };
    compare(want.outputs, got.outputs);
    compare(want.assigned, got.assigned);
  }
}

int count(const Graph& graph, Op op) {
  const std::vector<bool> live = live_nodes(graph);
  int n = 0;
  for (NodeId id = 0; id < graph.size(); ++id) n += live[id] && graph[id].op == op;
  return n;
}

namespace {

class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed) : random_(seed) {}

  Graph run() {
    for (int k = 0; k < 3; ++k) weights_.push_back(g_.variable(fmt::format("W{}", k), kWidth, kWidth));
    const NodeId table = g_.variable("E", 3, kWidth);
    for (int dim = 0; dim < 2; ++dim) {
      const NodeId stack =
          g_.input(fmt::format("x{}", dim), {Type::F32, Rows::steps(dim, 0, kSteps), kWidth});
      const NodeId index = g_.input(fmt::format("i{}", dim), {Type::I32, Rows::steps(dim, 0, kSteps), 1});
      for (int32_t t = 0; t < kSteps; ++t) {
        const Rows step = Rows::step(dim, t);
        values_.push_back(g_.slice_rows(stack, step));
        const NodeId at = g_.slice_rows(index, step);
        values_.push_back(g_.binary(Op::Gather, table, at));
        indices_[{int(Rows::Steps) * 2 + dim, t}] = at;
      }
    }
    for (int dim = 0; dim < 2; ++dim) {
      values_.push_back(g_.input(fmt::format("h{}", dim), {Type::F32, Rows::batch(dim), kWidth}));
      indices_[{int(Rows::Batch) * 2 + dim, 0}] =
          g_.input(fmt::format("j{}", dim), {Type::I32, Rows::batch(dim), 1});
    }
    values_.push_back(g_.input("b", {Type::F32, {}, kWidth}));
    for (int k = 0; k < 60; ++k) grow();
    for (int k = 0; k < 4; ++k) g_.roots.push_back({fmt::format("y{}", k), pick()});
    g_.roots.push_back({"last", values_.back()});
    return std::move(g_);
  }

 private:
  static constexpr int32_t kWidth = 3;  // of all values but slices, so that most pairs fit

  uint32_t below(size_t n) { return uint32_t(random_() % n); }
  NodeId pick() {  // recent values more often: deep graphs
    const size_t n = values_.size();
    return values_[below(3) == 0 ? below(n) : n - 1 - below(std::min<size_t>(n, 12))];
  }
  NodeId pick(Rows rows) {
    for (int tries = 0; tries < 40; ++tries) {
      const NodeId v = pick();
      if (g_.shape(v).rows == rows) return v;
    }
    return g_.constant(below(2), rows, kWidth);
  }
  void keep(NodeId id) { values_.push_back(id); }

  /// Some index in -1 .. 2 for each row; kNoNode: there is none for such rows.
  NodeId index_of(Rows rows) {
    const auto it = indices_.find({int(rows.kind) * 2 + rows.dim, rows.begin});
    return it == indices_.end() ? kNoNode : it->second;
  }
  /// A row, the sum of rows that four rows of three became.
  NodeId cut_and_joined(NodeId four) {
    const NodeId narrow = g_.split_cols(four, Rows::fixed(12), 1);
    const NodeId wide = g_.join_rows(below(2) ? g_.unary(Op::Sigmoid, narrow) : narrow, Rows::fixed(2), 6);
    return g_.unary(Op::SumRows, g_.split_cols(wide, Rows::fixed(4), kWidth));
  }

  void grow() {
    const NodeId a = pick();
    const Shape s = g_.shape(a);
    static constexpr Op kUnary[] = {Op::Tanh, Op::Sigmoid, Op::Neg, Op::Abs, Op::Copy};
    static constexpr Op kBinary[] = {Op::Add, Op::Mul, Op::Sub, Op::Max};
    switch (below(14)) {
      case 0: return keep(g_.unary(kUnary[below(std::size(kUnary))], a));
      case 1:
      case 2: return keep(g_.binary(kBinary[below(std::size(kBinary))], a, pick(s.rows)));
      case 3:
      case 4:
      case 5:
        return keep(g_.matmul(a, weights_[below(weights_.size())], uint8_t(below(2) * kTransposeRight)));
      case 6: {
        std::vector<NodeId> terms;
        for (uint32_t n = 2 + below(9); n-- > 0;) {
          terms.push_back(below(2) ? g_.matmul(pick(s.rows), weights_[below(weights_.size())])
                                   : pick(s.rows));
        }
        return keep(g_.sum(terms));
      }
      case 7: {  // what differentiation makes: a sum of weight gradients, used as a weight again
        std::vector<NodeId> terms;
        for (uint32_t n = 2 + below(4); n-- > 0;) {
          const NodeId left = pick();
          terms.push_back(g_.matmul(left, pick(g_.shape(left).rows), kTransposeLeft));
        }
        const NodeId w = g_.unary(Op::Tanh, g_.sum(terms));
        if (below(3) == 0) weights_.push_back(w);
        return keep(g_.unary(Op::SumRows, w));
      }
      case 8: {
        const NodeId parts[] = {g_.slice_cols(a, 1, 2), g_.slice_cols(pick(s.rows), 0, 1)};
        return keep(g_.concat_cols(parts));
      }
      case 9:
        if (s.rows.kind == Rows::Batch) return keep(g_.take_rows(a, Rows::step(s.rows.dim, 0)));
        if (s.rows.is_step() && s.rows.begin + 1 < kSteps)
          return keep(g_.take_rows(a, Rows::step(s.rows.dim, s.rows.begin + 1)));
        return;
      case 10:
        if (!s.rows.is_step()) return;
        if (s.rows.begin == 0 || below(3) == 0) return keep(g_.pad_rows(a, Rows::batch(s.rows.dim)));
        return keep(g_.pad_rows(a, Rows::step(s.rows.dim, s.rows.begin - 1)));
      case 11:
        if (s.rows.is_step()) {
          if (s.rows.begin + 1 == kSteps) return;  // a program has no step there
          return keep(g_.tail_rows(a, s.rows.begin + 1));
        }
        return keep(g_.unary(Op::SumRows, a));
      case 12: {  // the largest of each place, which may be nobody's, in rows of another width and back
        const NodeId index = index_of(s.rows);
        if (index == kNoNode) return;
        return keep(cut_and_joined(g_.scatter(Op::ScatterMax, a, index, Rows::fixed(4))));
      }
      case 13: {
        const NodeId index = index_of(s.rows);
        if (index == kNoNode) return;
        const NodeId most = g_.scatter(below(2) ? Op::ScatterMax : Op::ScatterAdd, a, index, Rows::fixed(3));
        return keep(g_.binary(Op::Gather, most, index));
      }
    }
  }

  std::mt19937 random_;
  Graph g_;
  std::vector<NodeId> values_, weights_;
  std::map<std::pair<int, int32_t>, NodeId> indices_;  // by kind and dimension, step
};

}  // namespace

Graph random_graph(unsigned seed) {
  return RandomGraph(seed).run();
}

}  // namespace rnnc::test
