// `rnnc check`: names and shapes of a file, without its data.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "driver/commands.h"
#include "driver/data_spec.h"
#include "driver/diagnostic_json.h"
#include "driver/experiment.h"
#include "ir/diagnostic.h"
#include "runtime/errors.h"

namespace rnnc {
namespace {

using Json = nlohmann::json;

/// `surname.h`: names of equations repeat from model to model.
Json shapes(const Checked& checked) {
  Json result = Json::object();
  for (const CheckedDefinition& definition : checked.definitions)
    for (const TypedName& name : definition.names)
      if (name.role != Role::Instance) result[definition.syntax->name + "." + name.name] = name.type.str();
  return result;
}

void print_json(const std::vector<Diagnostic>& diagnostics, Json shapes) {
  const Json result = {{"diagnostics", to_json(diagnostics)}, {"shapes", std::move(shapes)}};
  // A file that is not UTF-8 may be quoted in a message.
  fmt::print("{}\n", result.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

int check_command(const Options& options) {
  try {
    const Experiment experiment = open_experiment(options);
    if (options.json) print_json(experiment.checked.warnings, shapes(experiment.checked));
    else fmt::print("{}", print_types(experiment.checked));
    return kDone;
  } catch (const UserError& problem) {
    if (options.json) print_json(problem.diagnostics(), Json::object());
    throw;
  } catch (const DataError& problem) {  // the file itself cannot be read
    if (options.json) print_json({to_diagnostic(problem.message())}, Json::object());
    throw;
  }
}

}  // namespace rnnc
