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
  record.rows_per_second = number(json.at("rows_per_second"), kNone);
  record.rate = number(json.at("rate"), kNone);
  record.steps = json.at("steps").get<int64_t>();
  if (json.contains("valid_loss")) {
    record.valid = PartFigures{number(json.at("valid_loss"), kNone), {}, {}};
    for (const auto& [label, value] : json.at("metrics").items())
      record.valid->metrics.emplace_back(label, number(value, kNone));
  }
  return record;
}

constexpr size_t kMostListed = 12;  // differences in a message

void refuse_other_run(const std::string& path, std::vector<std::string> others) {
  if (others.empty()) return;
  if (others.size() > kMostListed) {
    const size_t more = others.size() - kMostListed + 1;
    others.resize(kMostListed - 1);
    others.push_back(fmt::format("and {} more", more));
  }
  throw UserError(in_file(path, 0, 0, "this state belongs to another training", std::move(others),
                          "train without `--resume`, or name another file with `--model`"));
}

[[noreturn]] void damaged(const std::string& path, const std::string& why) {
  throw DataError({.file = path,
                   .message = fmt::format("this state is damaged: {}", why),
                   .notes = {},
                   .help = {"train without `--resume`"}});
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
               {"seconds", number(record.seconds)},
               {"rows_per_second", number(record.rows_per_second)},
               {"rate", number(record.rate)},
               {"steps", record.steps}};
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
                     {"buckets", run.buckets},
                     {"fingerprint", run.fingerprint},
                     {"text", to_json(run.text)},
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
  std::vector<std::string> others;  // what differs
  Position p;
  try {
    const auto same = [&](const char* key, const auto& now) {
      const auto then = rest.at(key).get<std::decay_t<decltype(now)>>();
      if (then != now) others.push_back(fmt::format("{} was {}, now it is {}", key, then, now));
    };
    same("model", run.model);
    same("data", run.data);
    same("train block", run.number);
    same("seed", run.seed);
    same("batch", run.batch);
    same("train rows", run.train_rows);
    same("buckets", run.buckets);
    if (others.empty() && rest.at("fingerprint").get<uint64_t>() != run.fingerprint)
      others.push_back(fmt::format("the data of `{}` are others, or in another order", run.data));
    for (std::string& line : differences(run_text_from_json(rest.at("text")), run.text, run.model, run.data,
                                         static_cast<size_t>(run.number) - 1))
      others.push_back(std::move(line));
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
    damaged(path, problem.what());
  }
  for (const auto& [name, variable] : current.all()) {
    const auto found = state.tensors.find(kCurrent + name);
    const std::vector<int64_t> shape = {variable->rows, variable->cols};
    if (found == state.tensors.end()) others.push_back(fmt::format("it has no `{}`", name));
    else if (found->second.shape != shape)
      others.push_back(
          fmt::format("`{}` was {}, now it is {}", name, shape_text(found->second.shape), shape_text(shape)));
  }
  for (const auto& [name, tensor] : state.tensors)
    if (name.starts_with(kCurrent) && !current.has(name.substr(kCurrent.size())))
      others.push_back(
          fmt::format("`{}` is in it, and nothing of this name here", name.substr(kCurrent.size())));
  refuse_other_run(path, std::move(others));
  for (const auto& [name, tensor] : state.tensors) {
    if (name.starts_with(kCarried)) {
      p.carried[name.substr(kCarried.size())] = tensor.floats();
    } else if (name.starts_with(kBest)) {
      const std::string parameter = name.substr(kBest.size());
      const std::vector<float>& values = best[parameter] = tensor.floats();
      if (!current.has(parameter) || values.size() != current.at(parameter).values().size())
        damaged(path, fmt::format("`{}` has another shape than its best values", parameter));
    } else if (name.starts_with(kCurrent)) {
      const std::vector<float> values = tensor.floats();
      std::copy(values.begin(), values.end(), current.at(name.substr(kCurrent.size())).values().begin());
    }
  }
  return p;
}

}  // namespace rnnc
