// What was learned from the training part, as JSON in a saved model.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "runtime/dataset.h"

namespace rnnc {

using Json = nlohmann::json;

Json to_json(const Learned& learned) {
  Json vocabularies = Json::object(), normalisation = Json::object();
  for (const auto& [name, vocabulary] : learned.vocabularies) vocabularies[name] = to_json(vocabulary);
  for (const auto& [field, norm] : learned.normalisation)
    normalisation[field] = {{"mean", norm.mean}, {"deviation", norm.deviation}};
  return {{"vocabularies", vocabularies}, {"normalisation", normalisation}, {"columns", learned.columns},
          {"longest", learned.longest},   {"shapes", learned.shapes},       {"lists", learned.lists}};
}

Learned learned_from_json(const Json& json) {
  Learned learned;
  try {
    for (const auto& [name, vocabulary] : json.at("vocabularies").items())
      learned.vocabularies[name] = vocabulary_from_json(vocabulary);
    for (const auto& [field, norm] : json.at("normalisation").items()) {
      Normalisation& to = learned.normalisation[field];
      norm.at("mean").get_to(to.mean);
      norm.at("deviation").get_to(to.deviation);
      if (to.mean.size() != to.deviation.size())
        throw std::invalid_argument(fmt::format("normalisation of {}: {} means, {} deviations", field,
                                                to.mean.size(), to.deviation.size()));
    }
    json.at("columns").get_to(learned.columns);
    json.at("longest").get_to(learned.longest);
    // Models saved by earlier versions have none of these.
    if (json.contains("shapes")) json.at("shapes").get_to(learned.shapes);
    if (json.contains("lists")) json.at("lists").get_to(learned.lists);
  } catch (const Json::exception& problem) {
    throw std::invalid_argument(problem.what());
  }
  return learned;
}

}  // namespace rnnc
