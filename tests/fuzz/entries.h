// What the fuzzers feed and the test of the kept corpus runs: any bytes end in a result or in messages to the
// user. Anything else (a crash, another exception, a broken promise) is a bug of ours.
#pragma once

#include <cstdlib>
#include <iostream>
#include <string>

#include "frontend/check.h"
#include "frontend/format.h"
#include "ir/diagnostic.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "passes/pipeline.h"

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

}  // namespace rnnc::fuzz
