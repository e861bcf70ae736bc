// First values from files: see initial_files.h.
#include "driver/initial_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "ir/diagnostic.h"
#include "runtime/arrays.h"
#include "runtime/errors.h"
#include "runtime/files.h"

namespace rnnc {

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
      const NumberArray array = read_npy(bytes, file.name);
      if (!std::ranges::equal(array.shape, p.dims))
        refuse(fmt::format("{} is [{}], `{}` is [{}]", initial.file, fmt::join(array.shape, ", "), p.name,
                           fmt::join(p.dims, ", ")));
      std::ranges::copy(array.values, values.begin());
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
