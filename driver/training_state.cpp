// The state of a training run: see training_state.h.
#include "driver/training_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "ir/diagnostic.h"
#include "runtime/checkpoint.h"
#include "runtime/errors.h"

namespace rnnc {
namespace {

using Json = nlohmann::json;

const std::string kCurrent = "current/", kBest = "best/", kCarried = "carried/";

// JSON knows no infinity and no NaN: null stands for both.
Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}
double number(const Json& json, double otherwise) {
  return json.is_null() ? otherwise : json.get<double>();
}

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Json history_json(const std::vector<EpochRecord>& history) {
  Json list = Json::array();
  for (const EpochRecord& record : history) list.push_back(to_json(record));
  return list;
}

EpochRecord record_from_json(const Json& json) {
  EpochRecord record;
  record.epoch = json.at("epoch").get<int64_t>();
  record.train_loss = number(json.at("train_loss"), kNone);
  record.gradient_norm = number(json.at("gradient_norm"), kNone);
  record.seconds = number(json.at("seconds"), kNone);
  if (json.contains("valid_loss")) {
    record.valid = PartFigures{number(json.at("valid_loss"), kNone), {}, {}};
    for (const auto& [label, value] : json.at("metrics").items())
      record.valid->metrics.emplace_back(label, number(value, kNone));
  }
  return record;
}

}  // namespace

Json to_json(const PartFigures& figures) {
  Json metrics = Json::object();
  for (const auto& [label, value] : figures.metrics) metrics[label] = number(value);
  Json json = {{"loss", number(figures.loss)}, {"metrics", metrics}};
  for (const auto& [label, values] : figures.watches) json["watches"][label] = values;
  return json;
}

Json to_json(const EpochRecord& record) {
  Json json = {{"epoch", record.epoch},
               {"train_loss", number(record.train_loss)},
               {"gradient_norm", number(record.gradient_norm)},
               {"seconds", number(record.seconds)}};
  if (!record.valid) return json;
  const Json valid = to_json(*record.valid);
  json["valid_loss"] = valid["loss"];
  json["metrics"] = valid["metrics"];
  if (valid.contains("watches")) json["watches"] = valid["watches"];
  return json;
}

void write_state(const std::string& path, const RunIdentity& run, const Position& p, const Variables& current,
                 const Values& best) {
  std::vector<TensorView> tensors;
  for (const auto& [name, variable] : current.all())
    tensors.push_back(tensor_view(kCurrent + name, {variable->rows, variable->cols},
                                  static_cast<const Variables::Variable&>(*variable).values()));
  for (const auto& [name, values] : best)
    tensors.push_back(tensor_view(kBest + name, {static_cast<int64_t>(values.size())}, values));
  for (const auto& [name, values] : p.carried)
    tensors.push_back(tensor_view(kCarried + name, {static_cast<int64_t>(values.size())}, values));
  const Json rest = {{"model", run.model},
                     {"data", run.data},
                     {"seed", run.seed},
                     {"train block", run.number},
                     {"batch", run.batch},
                     {"train rows", run.train_rows},
                     {"epoch", p.epoch},
                     {"step", p.step},
                     {"total_steps", p.total_steps},
                     {"loss_sum", number(p.loss_sum)},
                     {"rows", p.rows},
                     {"norm_sum", number(p.norm_sum)},
                     {"seconds", number(p.seconds)},
                     {"best_epoch", p.best_epoch},
                     {"best_loss", number(p.best_loss)},
                     {"since_best", p.since_best},
                     {"since_halving", p.since_halving},
                     {"halvings", p.halvings},
                     {"history", history_json(p.history)}};
  save_state(path, tensors, rest);
}

Position read_state(const std::string& path, const RunIdentity& run, Variables& current, Values& best) {
  const TrainingState state = load_state(path);
  const Json& rest = state.rest;
  const auto other_run = [&](const std::string& what) {
    throw UserError(in_file(path, 0, 0, fmt::format("this state belongs to another training: {}", what), {},
                            "train without `--resume`, or name another file with `--model`"));
  };
  Position p;
  try {
    const auto same = [&](const char* key, const auto& now) {
      const auto then = rest.at(key).get<std::decay_t<decltype(now)>>();
      if (then != now) other_run(fmt::format("{} was {}, now it is {}", key, then, now));
    };
    same("model", run.model);
    same("data", run.data);
    same("train block", run.number);
    same("seed", run.seed);
    same("batch", run.batch);
    same("train rows", run.train_rows);
    p.epoch = rest.at("epoch").get<int64_t>();
    p.step = rest.at("step").get<int64_t>();
    p.total_steps = rest.at("total_steps").get<int64_t>();
    p.loss_sum = number(rest.at("loss_sum"), kNone);
    p.rows = rest.at("rows").get<int64_t>();
    p.norm_sum = number(rest.at("norm_sum"), kNone);
    p.seconds = number(rest.at("seconds"), 0);
    p.best_epoch = rest.at("best_epoch").get<int64_t>();
    p.best_loss = number(rest.at("best_loss"), std::numeric_limits<double>::infinity());
    p.since_best = rest.at("since_best").get<int64_t>();
    p.since_halving = rest.at("since_halving").get<int64_t>();
    p.halvings = rest.at("halvings").get<int64_t>();
    for (const Json& record : rest.at("history")) p.history.push_back(record_from_json(record));
  } catch (const Json::exception& problem) {
    throw DataError({.file = path,
                     .message = fmt::format("this state is damaged: {}", problem.what()),
                     .notes = {},
                     .help = {"train without `--resume`"}});
  }
  for (const auto& [name, variable] : current.all()) {
    const auto found = state.tensors.find(kCurrent + name);
    const std::vector<int64_t> shape = {variable->rows, variable->cols};
    if (found == state.tensors.end()) other_run(fmt::format("it has no `{}`", name));
    if (found->second.shape != shape)
      other_run(
          fmt::format("`{}` was {}, now it is {}", name, shape_text(found->second.shape), shape_text(shape)));
  }
  for (const auto& [name, tensor] : state.tensors) {
    if (name.starts_with(kCarried)) {
      p.carried[name.substr(kCarried.size())] = tensor.floats();
    } else if (name.starts_with(kBest)) {
      const std::string parameter = name.substr(kBest.size());
      const std::vector<float>& values = best[parameter] = tensor.floats();
      if (!current.has(parameter) || values.size() != current.at(parameter).values().size())
        other_run(fmt::format("`{}` has another shape", parameter));
    } else if (name.starts_with(kCurrent) && current.has(name.substr(kCurrent.size()))) {
      const std::vector<float> values = tensor.floats();
      std::copy(values.begin(), values.end(), current.at(name.substr(kCurrent.size())).values().begin());
    }
  }
  return p;
}

}  // namespace rnnc
