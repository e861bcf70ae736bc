// First values from files: see initial_files.h.
#include "driver/initial_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "ir/diagnostic.h"
#include "runtime/arrays.h"
#include "runtime/errors.h"
#include "runtime/files.h"
#include "runtime/word_vectors.h"

namespace rnnc {
namespace {

void copy_rows(const NumberArray& array, std::span<float> to) {
  std::vector<double> row(static_cast<size_t>(array.width()));
  auto at = to.begin();
  for (int64_t i = 0; i < array.rows(); ++i) {
    array.entry(i, row);
    at = std::ranges::transform(row, at, [](double v) { return static_cast<float>(v); }).out;
  }
}

}  // namespace

void read_first_values(const Experiment& experiment, const Model& model, const Dataset& dataset,
                       Variables& variables) {
  for (const Parameter& p : model.parameters) {
    if (p.initial.kind != Initial::File) continue;
    const Initial& initial = p.initial;
    const Source& source =
        initial.place.source == Place::kOwnFile ? experiment.source : experiment.checked.library_source;
    const auto refuse = [&](std::string message, std::string help = {}) {
      throw UserError(at_place(source, initial.place, std::move(message), {}, std::move(help)));
    };
    const DataFile file = data_file(experiment.folder.path, initial.file);
    std::string bytes;
    try {
      bytes = read_file(file.path, file.name);
    } catch (const DataError& error) {
      refuse(fmt::format("{}: {}", initial.file, error.message().message));
    }
    const std::span<float> values = variables.at(p.name).values();
    if (bytes.starts_with("\x93NUMPY")) {
      const NumberArray array = parse_npy(file.name, std::move(bytes));
      std::vector<int64_t> dims(1, array.rows());
      dims.insert(dims.end(), array.shape().begin(), array.shape().end());
      if (!std::ranges::equal(dims, p.dims))
        refuse(fmt::format("{} is [{}], `{}` is [{}]", initial.file, fmt::join(dims, ", "), p.name,
                           fmt::join(p.dims, ", ")));
      copy_rows(array, values);
      continue;
    }
    const auto vocabulary = dataset.learned.vocabularies.find(initial.vocabulary);
    if (vocabulary == dataset.learned.vocabularies.end() || p.dims.size() != 2)
      refuse(fmt::format("{} is no .npy file", initial.file),
             "a text file of vectors is for a table of one vector for each entry of a vocabulary");
    if (read_vectors(bytes, file.name, vocabulary->second, p.dims[1], values) == 0)
      refuse(fmt::format("{} has no entry of vocabulary `{}`", initial.file, initial.vocabulary));
  }
}

}  // namespace rnnc
