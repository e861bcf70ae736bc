// Parameters between their places: see parameters.h.
#include "driver/parameters.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "ir/diagnostic.h"
#include "runtime/errors.h"
#include "runtime/initialize.h"
#include "runtime/random.h"

namespace rnnc {
namespace {

InitialValues first_values(const Initial& initial) {
  const auto as = [&](InitialKind kind) { return InitialValues{kind, initial.amount}; };
  switch (initial.kind) {
    case Initial::Constant: return as(InitialKind::Constant);
    case Initial::Glorot: return as(InitialKind::Glorot);
    case Initial::He: return as(InitialKind::He);
    case Initial::Orthogonal: return as(InitialKind::Orthogonal);
    case Initial::Identity: return as(InitialKind::Identity);
    case Initial::Uniform: return as(InitialKind::Uniform);
    case Initial::Normal: return as(InitialKind::Normal);
    case Initial::File:
      return {InitialKind::Normal, 0.1};  // until the file is read, and where it says nothing
  }
  return as(InitialKind::Constant);
}

bool fits(const SavedTensor& tensor, const Parameter& parameter) {
  return tensor.dtype == "F32" && tensor.shape == declared_shape(parameter);
}

void copy(const SavedTensor& from, Variables::Variable& to) {
  const std::vector<float> values = from.floats();
  std::copy(values.begin(), values.end(), to.values().begin());
}

}  // namespace

std::vector<int64_t> declared_shape(const Parameter& parameter) {
  return {parameter.dims.begin(), parameter.dims.end()};
}

void initialize_parameters(const Model& model, uint64_t seed, Variables& variables) {
  for (const Parameter& p : model.parameters) {
    Variables::Variable& variable = variables.add(p.name, p.rows, p.cols);
    const auto size = static_cast<int64_t>(variable.values().size());
    const int64_t in = p.dims.empty() ? 1 : p.dims[0];  // the first dimension; out: the product of the rest
    initialize(variable.values(), in, in > 0 ? size / in : 0, first_values(p.initial), seed,
               place_of(p.name));
  }
}

void set_parameters(const Model& model, const SavedModel& saved, const std::string& path,
                    Variables& variables) {
  std::vector<ParameterShape> expected;
  for (const Parameter& p : model.parameters) expected.push_back({p.name, declared_shape(p)});
  std::vector<std::string> lines = misfits(saved, expected);
  if (!lines.empty())
    throw UserError(in_file(path, 0, 0, fmt::format("this saved model does not fit model `{}`", model.name),
                            std::move(lines), "train it again, or name another file with `--model`"));
  for (const Parameter& p : model.parameters)
    copy(saved.parameters.at(p.name), variables.add(p.name, p.rows, p.cols));
}

std::vector<std::string> load_parameters(const Model& model, const SavedModel& saved, Variables& variables) {
  std::vector<std::string> others;
  for (const Parameter& p : model.parameters) {
    const auto found = saved.parameters.find(p.name);
    if (found != saved.parameters.end() && fits(found->second, p)) copy(found->second, variables.at(p.name));
    else others.push_back(p.name);
  }
  return others;
}

void check_writable(const std::string& path) {
  const auto refuse = [&](std::string_view why) {
    throw UserError(in_file(path, 0, 0, fmt::format("the model cannot be saved here: {}", why), {},
                            "`--model FILE` names another place"));
  };
  if (std::filesystem::is_directory(path)) refuse("this is a folder");
  // Only trying tells: permissions, read-only file systems, folders that do not exist.
  const std::string probe = fmt::format("{}.{}.probe", path, ::getpid());
  const int file = ::open(probe.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) refuse(std::strerror(errno));
  ::close(file);
  ::unlink(probe.c_str());
}

SavedModel read_saved_model(const std::string& path, const std::string& model) {
  if (!std::filesystem::exists(path))
    throw UserError(in_file(path, 0, 0, fmt::format("there is no saved model of `{}`", model), {},
                            "`rnnc train` makes one; `--model FILE` names it"));
  return load_model(path);
}

}  // namespace rnnc
