// `--metrics FILE`: see metrics_file.h.
#include "driver/metrics_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "driver/options.h"
#include "runtime/errors.h"

namespace rnnc {
namespace {

// A field of a CSV file (RFC 4180).
std::string quoted(const std::string& text) {
  if (text.find_first_of("\",\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

// As many digits as the number needs; what is no number is an empty field.
std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "";
}

}  // namespace

void check_ending(const std::string& option, const std::string& path,
                  const std::vector<std::string>& endings) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (std::ranges::find(endings, ending) != endings.end()) return;
  refuse_command(
      fmt::format("`{} {}`: a name that ends in {} is needed", option, path, fmt::join(endings, " or ")));
}

std::string numbered(const std::string& path, size_t number) {
  if (path.empty() || number == 1) return path;
  const std::filesystem::path name(path);
  std::filesystem::path result = name.parent_path() / name.stem();
  result += fmt::format(".{}", number) + name.extension().string();
  return result.string();
}

MetricsFile::MetricsFile(std::string path, std::string model, const std::vector<EpochRecord>& history)
    : path_(std::move(path)), model_(std::move(model)), csv_(path_.ends_with(".csv")) {
  const std::ofstream anew(path_, std::ios::binary | std::ios::trunc);
  if (!anew) throw RunError(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
  for (const EpochRecord& record : history) add(record);
}

void MetricsFile::add(const EpochRecord& record) {
  if (csv_ && !has_header_) append(csv_header(record));
  has_header_ = true;
  append(line(record));
}

void MetricsFile::append(const std::string& text) {
  std::ofstream file(path_, std::ios::binary | std::ios::app);
  file << text << '\n' << std::flush;
  if (!file) throw RunError(fmt::format("{}: cannot be written: {}", path_, std::strerror(errno)));
}

std::string MetricsFile::csv_header(const EpochRecord& record) const {
  std::string text = "model,epoch,steps,train_loss,valid_loss";
  if (record.valid)
    for (const auto& [label, value] : record.valid->metrics) text += "," + quoted(label);
  return text + ",gradient_norm,rate,seconds,rows_per_second";
}

std::string MetricsFile::line(const EpochRecord& record) const {
  if (!csv_) {
    nlohmann::json json = to_json(record);
    json["model"] = model_;
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  std::string text = fmt::format("{},{},{},{},{}", quoted(model_), record.epoch, record.steps,
                                 number(record.train_loss), record.valid ? number(record.valid->loss) : "");
  if (record.valid)
    for (const auto& [label, value] : record.valid->metrics) text += "," + number(value);
  return text + fmt::format(",{},{},{},{}", number(record.gradient_norm), number(record.rate),
                            number(record.seconds), number(record.rows_per_second));
}

}  // namespace rnnc
