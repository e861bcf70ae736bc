// `rnnc opt`: passes on a graph in text form, so that any pass can be tried alone from the shell.
#include <fmt/format.h>

#include <charconv>
#include <iostream>
#include <sstream>

#include "driver/commands.h"
#include "driver/given_file.h"
#include "frontend/language.h"
#include "frontend/suggest.h"
#include "ir/diagnostic.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "passes/pipeline.h"

namespace rnnc {
namespace {

std::string read_text(const std::string& path) {
  if (path != "-") return read_given_file(path, ".ir");
  std::ostringstream text;
  text << std::cin.rdbuf();
  return text.str();
}

/// `recompute=8`: segments of eight steps along the first dimension; the number is taken from the name.
PassContext context_of(std::string& name) {
  const size_t at = name.find('=');
  if (!name.starts_with("recompute=")) return {};
  int32_t steps = 0;
  const auto [end, error] = std::from_chars(name.data() + at + 1, name.data() + name.size(), steps);
  if (error != std::errc() || end != name.data() + name.size() || steps < 1)
    refuse_command(fmt::format("`{}` names no number of steps", name), "`recompute=8`");
  name.resize(at);
  return {nullptr, {0, steps}};
}

}  // namespace

int opt_command(const Options& options) {
  Graph graph = parse_graph({options.file, read_text(options.file)});
  try {
    verify(graph);
  } catch (const VerifyError& error) {  // here it is the user's graph that breaks a rule
    const std::string_view what = error.what();
    throw UserError(in_file(options.file, 0, 0, std::string(what.substr(0, what.find('\n')))));
  }
  std::vector<std::string> names;
  for (const Pass& pass : pipeline()) names.emplace_back(pass.name);
  const std::vector<std::string>& wanted = options.has_passes ? options.passes : names;
  for (std::string name : wanted) {
    const PassContext context = context_of(name);
    const Pass* pass = find_pass(name);
    if (!pass) {
      const std::string near = suggest(name, names);
      refuse_command(fmt::format("there is no pass `{}`", name),
                     near.empty() ? "there are: " + join(names) : near);
    }
    graph = pass->run(graph, context);
    verify(graph);
  }
  fmt::print("{}", print(graph));
  return kDone;
}

}  // namespace rnnc
