// Learning curves: see plot.h.
#include "driver/plot.h"

#include <fmt/format.h>

#include <span>

#include "driver/chart.h"
#include "runtime/files.h"

namespace rnnc {
namespace {

template <typename Value>
Curve curve(const std::string& name, const std::vector<EpochRecord>& history, const Value& value) {
  Curve result{name, {}};
  for (const EpochRecord& record : history)
    result.points.emplace_back(static_cast<double>(record.epoch), value(record));
  return result;
}

std::vector<Chart> charts_of(const std::vector<EpochRecord>& history) {
  const bool valid = !history.empty() && history.front().valid.has_value();
  std::vector<Chart> charts;
  charts.push_back({"Loss", "epoch", "loss", {}});
  charts.back().curves.push_back(curve("train", history, [](const EpochRecord& r) { return r.train_loss; }));
  if (valid) {
    charts.back().curves.push_back(
        curve("valid", history, [](const EpochRecord& r) { return r.valid->loss; }));
    for (size_t i = 0; i < history.front().valid->metrics.size(); ++i) {
      const std::string& label = history.front().valid->metrics[i].first;
      charts.push_back({label, "epoch", "valid part", {}});
      charts.back().curves.push_back(
          curve("valid", history, [&](const EpochRecord& r) { return r.valid->metrics.at(i).second; }));
    }
  }
  charts.push_back({"Gradient norm before clipping, mean of the epoch", "epoch", "norm", {}, true});
  charts.back().curves.push_back(
      curve("norm", history, [](const EpochRecord& r) { return r.gradient_norm; }));
  charts.push_back({"Rate of the epoch's last step", "epoch", "rate", {}});
  charts.back().curves.push_back(curve("rate", history, [](const EpochRecord& r) { return r.rate; }));
  return charts;
}

std::string table_of(const std::vector<EpochRecord>& history, int64_t best_epoch) {
  const bool valid = !history.empty() && history.front().valid.has_value();
  std::string text = fmt::format("<p>{} epoch{}", history.size(), history.size() == 1 ? "" : "s");
  if (best_epoch > 0) text += fmt::format(", the best is {}", best_epoch);
  text += ".</p>\n<table><tr><th>epoch</th><th>train loss</th>";
  if (valid) text += "<th>valid loss</th>";
  text += "<th>rows a second</th></tr>\n";
  for (const EpochRecord& r : history) {
    text += fmt::format("<tr><td>{}</td><td>{}</td>", r.epoch, figure_text(r.train_loss));
    if (r.valid) text += fmt::format("<td>{}</td>", figure_text(r.valid->loss));
    text += fmt::format("<td>{:.0f}</td></tr>\n", r.rows_per_second);
  }
  return text + "</table>";
}

}  // namespace

std::string learning_curves(const std::string& model, const std::vector<EpochRecord>& history,
                            int64_t best_epoch, bool as_picture) {
  const std::string title = fmt::format("Training of {}", model);
  const std::vector<Chart> charts = charts_of(history);
  return as_picture ? picture(title, charts) : page(title, table_of(history, best_epoch), charts);
}

void write_page(const std::string& path, const std::string& content) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(content));
  replace_file(path, std::span(&bytes, 1));
}

}  // namespace rnnc
