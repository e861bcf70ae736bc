// Saved models and the state from which training goes on.
#include "runtime/checkpoint.h"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "runtime/errors.h"
#include "runtime/files.h"

namespace rnnc {
namespace {

using Json = nlohmann::json;

// Keys of the metadata; "format" is what other readers of safetensors look for.
constexpr const char* kFormat = "format";
constexpr std::string_view kModelKind = "rnnc model", kStateKind = "rnnc state";
constexpr std::string_view kModelFormat = "rnnc model 1";
constexpr std::string_view kStateFormat = "rnnc state 2";

[[noreturn]] void refuse(const std::string& file, std::string why) {
  throw DataError({.file = file, .message = std::move(why), .notes = {}, .help = {}});
}

// A metadata entry; refuses a file that has none of this name.
const std::string& entry(const SafeTensors& file, const char* key, const std::string& path) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end())
    refuse(path, fmt::format("this file has no entry \"{}\": it is damaged", key));
  return found->second;
}

void check_format(const SafeTensors& file, std::string_view kind, std::string_view format, const char* what,
                  const std::string& path) {
  const auto found = file.metadata.find(kFormat);
  const std::string is = found == file.metadata.end() ? "" : found->second;
  if (is == format) return;
  if (is.starts_with(kind))
    throw DataError({.file = path,
                     .message = fmt::format("{} of another version of rnnc: its format is \"{}\", this "
                                            "version reads \"{}\"",
                                            what, is, format),
                     .notes = {},
                     .help = {"train it again, or use the version that wrote it"}});
  refuse(path, fmt::format("not {} of rnnc (its format is \"{}\", not \"{}\")", what, is, format));
}

Json parse(const std::string& text, const char* key, const std::string& path) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) refuse(path, fmt::format("its entry \"{}\" is not JSON: it is damaged", key));
  return json;
}

}  // namespace

void save_model(const std::string& path, std::span<const TensorView> parameters, const ModelInfo& info) {
  write_safetensors(path, parameters,
                    {{kFormat, std::string(kModelFormat)},
                     {"source_name", info.source_name},
                     {"source", info.source},
                     {"model", info.model},
                     {"data", info.data},
                     {"learned", to_json(info.learned).dump()},
                     {"extra", info.extra.dump()}});
}

SavedModel load_model(const std::string& path) {
  const std::string content = read_file(path, path);
  return parse_model(std::as_bytes(std::span(content)), path);
}

SavedModel parse_model(std::span<const std::byte> bytes, const std::string& path) {
  SafeTensors file = parse_safetensors(bytes, path);
  check_format(file, kModelKind, kModelFormat, "a saved model", path);
  SavedModel model;
  model.info.source_name = entry(file, "source_name", path);
  model.info.source = entry(file, "source", path);
  model.info.model = entry(file, "model", path);
  model.info.data = entry(file, "data", path);
  model.info.extra = parse(entry(file, "extra", path), "extra", path);
  try {
    model.info.learned = learned_from_json(parse(entry(file, "learned", path), "learned", path));
  } catch (const std::invalid_argument& problem) {
    refuse(path, fmt::format("its entry \"learned\" is damaged: {}", problem.what()));
  }
  model.parameters = std::move(file.tensors);
  return model;
}

std::vector<std::string> misfits(const SavedModel& model, std::span<const ParameterShape> expected) {
  std::vector<std::string> lines;
  std::map<std::string, bool> known;
  for (const ParameterShape& parameter : expected) {
    known[parameter.name] = true;
    const auto found = model.parameters.find(parameter.name);
    if (found == model.parameters.end())
      lines.push_back(fmt::format("{}: {} in the file, missing in the saved model", parameter.name,
                                  shape_text(parameter.shape)));
    else if (found->second.shape != parameter.shape)
      lines.push_back(fmt::format("{}: {} in the file, {} in the saved model", parameter.name,
                                  shape_text(parameter.shape), shape_text(found->second.shape)));
    else if (found->second.dtype != "F32")
      lines.push_back(
          fmt::format("{}: F32 in the file, {} in the saved model", parameter.name, found->second.dtype));
  }
  for (const auto& [name, tensor] : model.parameters)
    if (!known.contains(name))
      lines.push_back(
          fmt::format("{}: {} in the saved model, missing in the file", name, shape_text(tensor.shape)));
  return lines;
}

std::string state_path(const std::string& model_path) {
  return model_path + ".state";
}

void save_state(const std::string& path, std::span<const TensorView> tensors, const Json& rest) {
  write_safetensors(path, tensors, {{kFormat, std::string(kStateFormat)}, {"rest", rest.dump()}});
}

TrainingState load_state(const std::string& path) {
  const std::string content = read_file(path, path);
  return parse_state(std::as_bytes(std::span(content)), path);
}

TrainingState parse_state(std::span<const std::byte> bytes, const std::string& path) {
  SafeTensors file = parse_safetensors(bytes, path);
  check_format(file, kStateKind, kStateFormat, "a state of training", path);
  return {.tensors = std::move(file.tensors), .rest = parse(entry(file, "rest", path), "rest", path)};
}

}  // namespace rnnc
