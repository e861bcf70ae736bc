// See rows_world.h.
#include "tests/unit/driver/rows_world.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "codegen/jit.h"

namespace rnnc::test {
namespace {

Jit& jit() {
  static Jit one(target_by_name("host"));
  return one;
}

std::vector<double> packed(const BatchRows& rows, const Shape& shape, const std::vector<double>& values,
                           const std::vector<int64_t>& numbers_before) {
  std::vector<int64_t> first;
  for (int64_t n : numbers_before) first.push_back(n / shape.cols);
  std::vector<double> to;
  pack_rows<double>(rows, shape.rows, first, values, size_t(shape.cols), to);
  return to;
}

}  // namespace

RowsWorld::RowsWorld(Lowered lowered, ProgramKind kind, Examples given)
    : lowered_(std::move(lowered)), given_(std::move(given)), inputs_(lowered_.model.spaces) {
  options_.kind = kind;
  options_.batch_capacity = given_.count + 1;
  options_.verify = true;
  for (const std::vector<int32_t>& lengths : given_.lengths)
    options_.time_steps.push_back(*std::max_element(lengths.begin(), lengths.end()) + 1);
  inputs_.take(given_, capacity_of(lowered_.model.spaces, options_));
}

void RowsWorld::add(const std::string& field, const std::vector<double>& values) {
  std::vector<double>& all = fields_[field];
  elements_[field].push_back(int64_t(all.size()));
  all.insert(all.end(), values.begin(), values.end());
}

Tensors RowsWorld::tensors(const Graph& graph) {
  Tensors result;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph[id].op != Op::Input && graph[id].op != Op::Variable) continue;
    const std::string& name = graph.name(id);
    Tensor t = make_tensor(graph.shape(id), table());
    if (graph[id].op == Op::Variable) {
      for (size_t i = 0; i < t.data.size(); ++i) t.data[i] = 0.25 * double(i * 3 % 5) - 0.45;
    } else if (fields_.contains(name)) {
      t.data = packed(inputs_.rows(), graph.shape(id), fields_[name], elements_[name]);
    } else if (const auto* values = inputs_.find(name, graph.shape(id).rows, graph.shape(id).cols)) {
      if (values->ids.empty()) t.data.assign(values->numbers.begin(), values->numbers.end());
      else t.data.assign(values->ids.begin(), values->ids.end());
    } else {
      throw std::logic_error("the test gives no values for " + name);
    }
    result[name] = std::move(t);
  }
  return result;
}

std::vector<float> RowsWorld::run(const std::string& output, int threads) {
  const Compiled compiled = compile(lowered_, options_, jit());
  Variables variables;
  Session session(compiled.plan.program, variables);
  const Tensors values = tensors(graph());
  for (const auto& [name, variable] : variables.all()) {
    const std::vector<double>& from = values.find(name)->second.data;
    std::copy(from.begin(), from.end(), variable->data.begin());
  }
  inputs_.set(session);
  for (const ModelInput& in : lowered_.model.inputs) {
    if (!fields_.contains(in.name)) continue;
    const std::vector<double> all = packed(inputs_.rows(), in.shape, fields_[in.name], elements_[in.name]);
    if (in.shape.type == Type::I32) session.set_input(in.name, std::vector<int32_t>(all.begin(), all.end()));
    else session.set_input(in.name, std::vector<float>(all.begin(), all.end()));
  }
  Team team(threads);
  session.run(team);
  return session.output(output);
}

std::vector<double> RowsWorld::output(const std::string& name) {
  const Graph g = graph();
  const Tensors outputs = interpret_roots(g, tensors(g), table()).outputs;
  std::vector<double> want = outputs.find(name)->second.data;
  for (const bool fused : {true, false}) {
    options_.fused = fused;
    for (const int threads : {1, 2}) {
      const std::vector<float> got = run(name, threads);
      EXPECT_EQ(got.size(), want.size());
      for (size_t i = 0; i < std::min(want.size(), got.size()); ++i)
        EXPECT_NEAR(got[i], want[i], 1e-4 * std::max(1.0, std::abs(want[i])))
            << name << " element " << i << (fused ? "" : ", not fused");
    }
  }
  return want;
}

}  // namespace rnnc::test
