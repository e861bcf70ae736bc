// What the fuzzers feed and the test of the kept corpus runs: any bytes end in a result or in messages to the
// user. Anything else (a crash, another exception, a broken promise) is a bug of ours.
#pragma once

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "frontend/check.h"
#include "frontend/format.h"
#include "ir/diagnostic.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "passes/pipeline.h"
#include "runtime/checkpoint.h"
#include "runtime/errors.h"

namespace rnnc::fuzz {

[[noreturn]] inline void broken(const std::string& promise) {
  std::cerr << "broken promise: " << promise << '\n';
  std::abort();
}

/// `rnnc check`: at most ten errors, or the types of everything.
inline void frontend(const std::string& text) {
  try {
    print_types(check({"fuzz.rnn", text}));
  } catch (const UserError& error) {
    if (error.diagnostics().size() > 10) broken("at most ten messages");
  }
}

/// `rnnc format`: what parses is formatted, and that once is enough. (That the meaning stays is checked
/// inside.)
inline void formatter(const std::string& text) {
  std::string once;
  try {
    once = format({"fuzz.rnn", text});
  } catch (const UserError&) {
    return;
  }
  if (format({"fuzz.rnn", once}) != once) broken("formatting twice is formatting once");
}

/// `rnnc opt`: a graph in text form goes through all passes and can be read again.
inline void graph(const std::string& text) {
  Graph graph;
  try {
    graph = parse_graph({"fuzz.ir", text});
    verify(graph);
  } catch (const UserError&) {
    return;
  } catch (const VerifyError&) {  // the answer to a graph that breaks a rule
    return;
  }
  for (const Pass& pass : pipeline()) {
    graph = pass.run(graph);
    verify(graph);
  }
  if (print(parse_graph({"fuzz.ir", print(graph)})) != print(graph))
    broken("a printed graph reads as itself");
}

/// Loading of saved models and of states: read, or refused with a message; what was read can be written and
/// read again.
inline void saved(const std::string& bytes) {
  const std::span<const std::byte> all = std::as_bytes(std::span(bytes));
  try {
    const SavedModel model = parse_model(all, "fuzz.model");
    for (const auto& [name, tensor] : model.parameters)
      if (tensor.dtype == "F32") tensor.floats();
    misfits(model, {});
    const nlohmann::json learned = to_json(model.info.learned);
    if (to_json(learned_from_json(learned)) != learned) broken("what was learned reads as itself");
  } catch (const DataError&) {
  }
  try {
    parse_state(all, "fuzz.state");
  } catch (const DataError&) {
  }
}

}  // namespace rnnc::fuzz
