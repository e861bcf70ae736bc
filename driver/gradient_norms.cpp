// Norms of gradients by layer and time step: see gradient_norms.h.
//
// The model gets what `watch gradient(...)` would give it (passes/watch_gradients.cpp): for the results of
// every scan a root `gradient.K`, and an input that stands for the derivative of `row_loss`, here the batch's
// loss.
#include "driver/gradient_norms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "driver/binder.h"
#include "driver/chart.h"
#include "driver/piece_inputs.h"
#include "ir/diagnostic.h"

namespace rnnc {
namespace {

constexpr int64_t kBatches = 8, kRows = 64;
constexpr size_t kCharts = 6;

/// One result of a scan that is watched.
struct Watched {
  std::string layer;
  uint8_t dim = 0;
};

std::string root(const char* prefix, size_t number) {
  return fmt::format("{}.{}", prefix, number);
}

const ast::Definition* cell_named(const Experiment& experiment, const std::string& name) {
  for (const ast::File* file : {&experiment.checked.file, &experiment.checked.library})
    for (const ast::Item& item : file->items)
      if (const auto* d = std::get_if<ast::Definition>(&item); d && d->name == name) return d;
  return nullptr;
}

/// `h.lstm.1` of parameters `h.lstm.1.Wi`, `h.lstm.1.Ui`; without parameters the equation.
std::string layer_of(const Graph& g, NodeId scan, const Graph& body) {
  std::string path;
  for (NodeId id = 0; id < body.size(); ++id) {
    if (body[id].op != Op::Variable) continue;
    const std::string& name = body.name(id);
    const std::string before = name.substr(0, std::min(name.rfind('.'), name.size()));
    if (path.empty() || before.size() < path.size()) path = before;
  }
  return path.empty() ? g.origins[g[scan].origin].equation : path;
}

/// The name of a result among several: that of the cell's state, if results and states are the same.
std::string result_name(const Experiment& experiment, const std::string& layer, const ScanBody& scan,
                        size_t result) {
  std::string cell = layer;
  while (!cell.empty()) {
    const size_t dot = cell.rfind('.');
    const ast::Definition* d = cell_named(experiment, dot == std::string::npos ? cell : cell.substr(dot + 1));
    if (d != nullptr && d->states.size() == scan.results.size()) return d->states[result].name;
    cell.resize(dot == std::string::npos ? 0 : dot);
  }
  return fmt::format("result {}", result + 1);
}

/// The model with nothing but the gradients as its roots.
Lowered watched_model(const Experiment& experiment, const Lowered& lowered, std::vector<Watched>& watched) {
  Lowered result = lowered;
  Graph& g = result.model.graph;
  NodeId loss = kNoNode;
  for (const Root& r : g.roots)
    if (r.name == "loss") loss = r.node;
  std::vector<Root> roots = {{"row_loss", loss}};
  std::map<NodeId, int> results;  // of each scan that are read
  for (NodeId id = 0; id < g.size(); ++id)
    if (g[id].op == Op::ScanResult) ++results[g.arg(id, 0)];
  const NodeId count = g.size();
  for (NodeId id = 0; id < count; ++id) {
    if (g[id].op != Op::ScanResult || g.shape(id).rows.kind != Rows::Steps) continue;
    const NodeId node = g.arg(id, 0);
    const ScanBody& scan = result.model.scans[static_cast<size_t>(g[node].attr.offset)];
    if (!scan.cell || g.shape(id).type != Type::F32) continue;
    Watched w{layer_of(g, node, scan.body), g.shape(id).rows.dim};
    if (results[node] > 1)
      w.layer += " " + result_name(experiment, w.layer, scan, static_cast<size_t>(g[id].attr.offset));
    const size_t number = watched.size();
    roots.push_back({root("gradient", number), id});
    roots.push_back({root("watch", number), g.input("%" + root("gradient", number), g.shape(id))});
    watched.push_back(std::move(w));
  }
  g.roots = std::move(roots);
  return result;
}

}  // namespace

struct GradientNorms::Program {
  Program(const Experiment& experiment, const Lowered& lowered, const Dataset& dataset,
          CompileOptions options, Jit& jit, Variables& variables)
      : model(watched_model(experiment, lowered, watched)),
        steps(longest_rows(dataset)),
        batches(dataset, Part::Train, kRows, batch_steps(steps), Batches::Purpose::Evaluation),
        session([&] {
          options.kind = ProgramKind::Evaluate;
          options.batch_capacity = batches.batch_size();
          options.time_steps = steps;
          options.trees = tree_sizes(dataset);
          return Session(compile(model, options, jit).plan.program, variables);
        }()),
        binder(model.model),
        states(session) {}

  std::vector<Watched> watched;
  Lowered model;
  std::vector<int32_t> steps;
  Batches batches;
  Session session;
  Binder binder;
  CarriedStates states;
};

GradientNorms::GradientNorms(const Experiment& experiment, const Lowered& lowered, const Dataset& dataset,
                             CompileOptions options, Jit& jit, Variables& variables)
    : dataset_(dataset),
      program_(std::make_unique<Program>(experiment, lowered, dataset, std::move(options), jit, variables)) {
  if (program_->watched.empty())
    throw UserError(in_file(experiment.source.name, 0, 0,
                            fmt::format("`--gradients`: model `{}` has no recurrence", lowered.model.name),
                            {}, "train without `--gradients`"));
}

GradientNorms::~GradientNorms() = default;

void GradientNorms::measure(int64_t epoch, Team& team) {
  Program& p = *program_;
  EpochNorms result{epoch, {}};
  std::vector<std::vector<int64_t>> seen(p.watched.size());  // batches that had each step
  for (const Watched& w : p.watched) result.layers.push_back({w.layer, {}});
  for (int64_t b = 0; b < std::min(p.batches.steps(), kBatches); ++b) {
    const Batch& batch = p.batches.batch(b);
    p.binder.bind(p.session, dataset_, batch);
    p.states.set(p.session, batch);
    p.session.run(team);
    p.states.take(p.session);
    for (size_t k = 0; k < p.watched.size(); ++k) {
      const std::vector<float> values = p.session.output(root("watch", k));
      const std::vector<int64_t>& offset = p.binder.rows().row_offset(p.watched[k].dim);
      std::vector<double>& squares = result.layers[k].norms;
      const size_t cols = values.empty() ? 0 : values.size() / static_cast<size_t>(offset.back());
      for (size_t t = 0; t + 1 < offset.size() && offset[t + 1] > offset[t]; ++t) {
        if (squares.size() <= t) {
          squares.push_back(0);
          seen[k].push_back(0);
        }
        ++seen[k][t];
        for (auto i = static_cast<size_t>(offset[t]) * cols; i < static_cast<size_t>(offset[t + 1]) * cols;
             ++i)
          squares[t] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
      }
    }
  }
  for (size_t k = 0; k < p.watched.size(); ++k)
    for (size_t t = 0; t < seen[k].size(); ++t)
      result.layers[k].norms[t] = std::sqrt(result.layers[k].norms[t] / static_cast<double>(seen[k][t]));
  found_.push_back(std::move(result));
}

nlohmann::json to_json(const std::vector<EpochNorms>& found) {
  nlohmann::json list = nlohmann::json::array();
  for (const EpochNorms& epoch : found) {
    nlohmann::json layers = nlohmann::json::object();
    for (const LayerNorms& layer : epoch.layers) {
      nlohmann::json norms = nlohmann::json::array();
      for (const double norm : layer.norms)
        norms.push_back(std::isfinite(norm) ? nlohmann::json(norm) : nullptr);
      layers[layer.layer] = std::move(norms);
    }
    list.push_back({{"epoch", epoch.epoch}, {"norms", std::move(layers)}});
  }
  return list;
}

std::string gradients_page(const std::string& model, const std::vector<EpochNorms>& found) {
  std::vector<Chart> charts;
  size_t last = found.size();  // shown last
  for (size_t i = 0; i < std::min(found.size(), kCharts); ++i) {
    const size_t at = i * (found.size() - 1) / std::max<size_t>(std::min(found.size(), kCharts) - 1, 1);
    if (at == last) continue;
    last = at;
    const EpochNorms& epoch = found[at];
    Chart chart{epoch.epoch == 0 ? "Before training" : fmt::format("After epoch {}", epoch.epoch),
                "time step",
                "norm of the gradient",
                {},
                true};
    for (const LayerNorms& layer : epoch.layers) {
      Curve curve{layer.layer, {}};
      for (size_t t = 0; t < layer.norms.size(); ++t)
        curve.points.emplace_back(static_cast<double>(t), layer.norms[t]);
      chart.curves.push_back(std::move(curve));
    }
    charts.push_back(std::move(chart));
  }
  return page(
      fmt::format("Gradients of {}", model),
      "<p>How long the gradient of the loss by the state of each layer is, at each time step: all rows of a "
      "batch together, without dropout and clipping. A curve that falls towards early steps is a gradient "
      "that vanishes, one that rises is one that explodes.</p>",
      charts);
}

}  // namespace rnnc
