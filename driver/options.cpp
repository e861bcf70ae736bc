// The table of all switches, and what is done with it.
#include "driver/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <limits>

#include "codegen/target.h"
#include "frontend/language.h"
#include "frontend/suggest.h"
#include "ir/diagnostic.h"
#include "passes/pipeline.h"
#include "runtime/threads.h"

namespace rnnc {
namespace {

constexpr std::array<CommandInfo, 11> kCommands = {{
    {"check", "FILE", "names and shapes; prints the shape of every equation", "rnnc check surname.rnn"},
    {"train", "FILE [NAME]", "compile, train with progress, validate, save the best",
     "rnnc train surname.rnn --epochs 5"},
    {"eval", "FILE [NAME]", "loss and metrics of a saved model", "rnnc eval surname.rnn --on test"},
    {"predict", "FILE [NAME] [INPUT ...]", "inputs as arguments, or one a line on standard input",
     "rnnc predict surname.rnn Nakamura Rossi"},
    {"generate", "FILE [NAME] [START]", "a text from a saved model, printed as it comes",
     "rnnc generate namegen.rnn"},
    {"bench", "FILE [NAME]", "this model, unfused to fully fused, pass by pass",
     "rnnc bench surname.rnn --batch 32 --time-steps 20"},
    {"explain", "FILE [NAME]", "what was fused, what was not and why", "rnnc explain surname.rnn"},
    {"gradcheck", "FILE [NAME]", "every parameter's gradient against finite differences",
     "rnnc gradcheck surname.rnn"},
    {"compile", "FILE [NAME]", "any stage of the compiler, as text", "rnnc compile surname.rnn --emit=fused"},
    {"opt", "GRAPH.ir", "passes on a graph in text form", "rnnc opt graph.ir --passes=simplify,fuse_gates"},
    {"format", "FILE ...", "files in the one way they are written, in place", "rnnc format surname.rnn"},
}};

constexpr std::string_view kAll = "*";
constexpr std::string_view kModels =
    "train eval predict generate bench explain gradcheck compile";  // what reads data or compiles
constexpr std::string_view kSaved = "train eval predict generate";  // what has a saved model

// CLI11 takes `-3` for an option, and `--passes=` for one without a value; this sign in front makes a value.
constexpr char kValueMark = '\x01';

/// One switch: the commands that have it and how CLI11 hears of it.
struct Switch {
  std::string_view commands;
  void (*add)(CLI::App&, Options&);
};

/// The number that a whole text is.
template <typename Number>
std::optional<Number> read_number(const std::string& text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A check whose message says what is wanted, not how CLI11 found out.
CLI::Validator whole_number(int64_t most, int64_t least = 1) {
  return CLI::Validator(
      [most, least](const std::string& text) {
        const auto value = read_number<int64_t>(text);
        if (value && *value >= least && *value <= most) return std::string();
        return fmt::format("a whole number from {} to {} is needed, not `{}`", least, most, text);
      },
      "");
}

/// A size of memory becomes its number of bytes.
CLI::Validator size_of_memory() {
  return CLI::Validator(
      [](std::string& text) {
        const std::string given = text;
        try {
          const std::string wrong = CLI::AsSizeValue(true)(text);
          if (wrong.empty() && read_number<int64_t>(text).value_or(0) > 0) return std::string();
        } catch (const CLI::Error&) {  // so large that it overflows
        }
        return fmt::format("a size such as 2GiB or 500MB is needed, not `{}`", given);
      },
      "");
}

CLI::Validator one_of(std::vector<std::string> words) {
  return CLI::Validator(
      [words](const std::string& text) {
        if (contains(words, text)) return std::string();
        const std::string near = suggest(text, words);
        return fmt::format("{} is needed, not `{}`{}", fmt::join(words, " or "), text,
                           near.empty() ? "" : "; " + near);
      },
      "");
}

constexpr int64_t kMostThreads = 1024, kMostCount = 1'000'000'000;

void positive(CLI::Option* option) {
  option->check(whole_number(kMostCount));
}

const std::array<Switch, 32> kSwitches = {{
    {kModels,
     [](CLI::App& a, Options& o) {
       a.add_option("--data", o.data_folder, "where relative data paths start (default: beside FILE)")
           ->type_name("DIR");
     }},
    {kModels,
     [](CLI::App& a, Options& o) {
       a.add_option("--threads", o.threads, "threads to run with (default: physical cores)")
           ->type_name("N")
           ->envname("RNNC_THREADS")
           ->check(whole_number(kMostThreads));
     }},
    {kModels,
     [](CLI::App& a, Options& o) {
       a.add_option("--target", o.target, "host, avx512, avx2 or sse2")->type_name("NAME");
     }},
    {kModels,
     [](CLI::App& a, Options& o) {
       a.add_option("--seed", o.seed, "instead of the file's")
           ->type_name("N")
           ->check(whole_number(std::numeric_limits<int64_t>::max(), 0));
     }},
    {"check train eval predict generate bench explain gradcheck compile",
     [](CLI::App& a, Options& o) {
       a.add_option_function<std::vector<std::string>>(
            "--set",
            [&o](const std::vector<std::string>& all) {
              for (const std::string& one : all) {
                const size_t equals = one.find('=');
                if (equals == std::string::npos || equals == 0 || equals + 1 == one.size())
                  refuse_command(fmt::format("`--set {}` sets nothing", one), "`--set NAME=VALUE`");
                o.set.emplace_back(one.substr(0, equals), one.substr(equals + 1));
              }
            },
            "the value of a `dim`, a train or generate setting; repeatable")
           ->type_name("NAME=VALUE")
           ->allow_extra_args(false);
     }},
    {kModels,
     [](CLI::App& a, Options& o) {
       a.add_option("--disable-pass", o.disabled_passes, "leave a pass out; repeatable")
           ->type_name("PASS")
           ->allow_extra_args(false);
     }},
    {kAll, [](CLI::App& a, Options& o) { a.add_flag("--json", o.json, "results for machines"); }},
    {kAll, [](CLI::App& a, Options& o) { a.add_flag("--quiet", o.quiet, "no progress"); }},
    {kSaved,
     [](CLI::App& a, Options& o) {
       a.add_option("--model", o.model_file, "the saved model (default: as `save` says, or MODEL.model)")
           ->type_name("FILE");
     }},
    {"train",
     [](CLI::App& a, Options& o) { a.add_flag("--resume", o.resume, "go on where training stopped"); }},
    {"train",
     [](CLI::App& a, Options& o) {
       positive(a.add_option("--epochs", o.epochs, "instead of the file's")->type_name("N"));
     }},
    {"train",
     [](CLI::App& a, Options& o) {
       positive(a.add_option("--steps", o.steps, "stop after so many steps in all")->type_name("N"));
     }},
    {"train",
     [](CLI::App& a, Options& o) {
       positive(a.add_option("--checkpoint", o.checkpoint, "steps between two writings of the state")
                    ->type_name("N"));
     }},
    {"train",
     [](CLI::App& a, Options& o) {
       positive(a.add_option("--buckets", o.buckets, "sort the rows of N batches by length together")
                    ->type_name("N"));
     }},
    {"train",
     [](CLI::App& a, Options& o) {
       a.add_option("--metrics", o.metrics_file, "figures of every epoch (.csv, .jsonl)")->type_name("FILE");
     }},
    {"train",
     [](CLI::App& a, Options& o) {
       a.add_option("--plot", o.plot_file, "learning curves, a page or a picture (.html, .png)")->type_name("FILE");
     }},
    {"train",
     [](CLI::App& a, Options& o) {
       a.add_option("--gradients", o.gradients_file, "gradients by layer and step (.html, .json)")
           ->type_name("FILE");
     }},
    {"train eval predict generate bench gradcheck",
     [](CLI::App& a, Options& o) {
       a.add_option("--trace", o.trace_file, "where the time goes, for Chrome or Perfetto (.json)")
           ->type_name("FILE");
     }},
    {"eval",
     [](CLI::App& a, Options& o) {
       a.add_option("--on", o.part, "train, valid or test (default: test)")
           ->type_name("PART")
           ->check(one_of({"train", "valid", "test"}));
     }},
    {"bench explain compile gradcheck",
     [](CLI::App& a, Options& o) {
       positive(a.add_option("--batch", o.batch, "rows of a batch")->type_name("B"));
     }},
    {"bench explain compile gradcheck",
     [](CLI::App& a, Options& o) {
       positive(a.add_option("--time-steps", o.time_steps, "steps of a sequence")->type_name("T"));
     }},
    {"bench explain compile",
     [](CLI::App& a, Options& o) {
       a.add_option("--mode", o.mode, "train or infer")->check(one_of({"train", "infer"}))->type_name("MODE");
     }},
    {"bench",
     [](CLI::App& a, Options& o) {
       positive(a.add_option("--repeat", o.repeat, "runs of each row")->type_name("R"));
     }},
    {"compile", [](CLI::App& a, Options& o) { a.add_flag("--time", o.time, "how long each stage took"); }},
    {"compile",
     [](CLI::App& a, Options& o) {
       a.add_option("--emit", o.emit, "ast, model, graph, fused, plan, llvm, asm or dot")->type_name("STAGE");
     }},
    {kModels,
     [](CLI::App& a, Options& o) {
       a.add_flag("--no-cache", o.no_cache, "compile everything anew, keep nothing (or RNNC_NO_CACHE=1)")
           ->envname("RNNC_NO_CACHE");
     }},
    {"format",
     [](CLI::App& a, Options& o) {
       a.add_flag("--check", o.check_only, "only say which files would change (exit status 1)");
     }},
    {"opt",
     [](CLI::App& a, Options& o) {
       a.add_option_function<std::string>(
            "--passes",
            [&o](const std::string& list) {
              o.has_passes = true;
              for (size_t at = list.starts_with(kValueMark) ? 1 : 0; at < list.size();) {
                const size_t comma = std::min(list.find(',', at), list.size());
                if (comma > at) o.passes.push_back(list.substr(at, comma - at));
                at = comma + 1;
              }
            },
            "passes in their order, with commas")
           ->type_name("A,B");
     }},
    {"compile",
     [](CLI::App& a, Options&) {
       a.add_option_function<std::string>("--trace", [](const std::string&) {
          refuse_command("`compile` runs no kernel that a trace could show", "`--time`");
        })->group("");
     }},
    {"train compile",
     [](CLI::App& a, Options& o) {
       a.add_option("--memory-limit", o.memory_limit, "of a training step; less memory takes more time")
           ->transform(size_of_memory())
           ->type_name("SIZE");
     }},
    {kAll, [](CLI::App& a, Options& o) { a.add_option("FILE", o.file)->group(""); }},
    {kAll, [](CLI::App& a, Options& o) { a.add_option("NAME", o.inputs)->group(""); }},
}};

bool has(std::string_view commands, std::string_view command) {
  if (commands == kAll) return true;
  for (size_t at = 0; at < commands.size();) {
    const size_t end = std::min(commands.find(' ', at), commands.size());
    if (commands.substr(at, end - at) == command) return true;
    at = end + 1;
  }
  return false;
}

std::string did_you_mean(std::string_view written, std::span<const std::string> known,
                         std::string otherwise) {
  std::string near = suggest(written, known);
  return near.empty() ? otherwise : near;
}

bool negative_number(const std::string& text) {
  return text.size() > 1 && text[0] == '-' &&
         (std::isdigit(static_cast<unsigned char>(text[1])) || text[1] == '.');
}

/// What the words in `rnnc COMMAND FILE [NAME]` mean.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kArguments = {{
    {"FILE ...", "experiments; `-`: from standard input to standard output"},
    {"FILE", "the experiment (`.rnn`); `predict`, `eval`, `generate`: or a saved model"},
    {"[NAME]", "the model meant, where there are several"},
    {"[INPUT ...]", "rows, or files with rows; none: a row a line on standard input, with tabs"},
    {"[START]", "how the text begins, instead of `start`"},
    {"GRAPH.ir", "as `rnnc compile --emit=graph` prints it; `-`: standard input"},
}};

std::string arguments_of(const CommandInfo& command) {
  std::string text;
  std::string_view rest = command.arguments;
  for (const auto& [word, meaning] : kArguments) {
    if (!rest.starts_with(word)) continue;
    text += fmt::format("  {:<22} {}\n", word, meaning);
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  return text;
}

/// What CLI11 found, in our words, and help.
std::pair<std::string, std::string> complaint(const CLI::App& app, const CLI::ParseError& problem,
                                              const std::string& command) {
  const std::string text = problem.what();
  const std::string name = text.substr(0, text.find_first_of(": "));
  const CLI::Option* option = name.starts_with("--") ? app.get_option_no_throw(name) : nullptr;
  if (option != nullptr && dynamic_cast<const CLI::ArgumentMismatch*>(&problem) != nullptr) {
    if (option->count() > 1) return {fmt::format("`{}` is given twice", name), ""};
    if (option->get_expected_max() > 0)
      return {fmt::format("`{}` needs a value", name),
              fmt::format("`{} {}`: {}", name, option->get_type_name(), option->get_description())};
  }
  return {text, fmt::format("`rnnc {} --help`", command)};
}

std::string help_of(const CommandInfo& command, const CLI::App& app) {
  std::string text = fmt::format("rnnc {} {}\n  {}\n\n{}", command.name, command.arguments, command.summary,
                                 arguments_of(command));
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    const std::string type = option->get_expected_max() > 0 ? " " + option->get_type_name() : "";
    text += fmt::format("  {:<22} {}\n", option->get_name() + type, option->get_description());
  }
  return text + fmt::format("\nexample: {}\n", command.example);
}

[[noreturn]] void refuse_option(const CLI::App& app, const std::string& written, const std::string& command) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options())
    if (!option->get_group().empty()) known.push_back(option->get_name());
  known.emplace_back("--help");
  refuse_command(fmt::format("`{}` has no option `{}`", command, written),
                 did_you_mean(written.substr(0, written.find('=')), known,
                              fmt::format("`rnnc {} --help` lists them", command)));
}

void check_passes(const Options& options) {
  std::vector<std::string> optional;
  for (const Pass& pass : pipeline())
    if (pass.optional) optional.emplace_back(pass.name);
  for (const std::string& name : options.disabled_passes) {
    const Pass* pass = find_pass(name);
    if (pass == nullptr)
      refuse_command(fmt::format("there is no pass `{}`", name),
                     did_you_mean(name, optional, "there are: " + join(optional)));
    if (!pass->optional) refuse_command(fmt::format("pass `{}` cannot be left out", name));
  }
}

}  // namespace

std::span<const CommandInfo> commands() {
  return kCommands;
}

void refuse_command(std::string message, std::string help) {
  throw UserError(
      with_code(Code::CommandLine, in_file("rnnc", 0, 0, std::move(message), {}, std::move(help))));
}

double set_number(const std::string& name, const std::string& text) {
  const auto value = read_number<double>(text);
  if (!value || !(*value > 0))
    refuse_command(fmt::format("`{}` of `--set {}={}` is a number above 0", name, name, text));
  return *value;
}

int64_t set_count(const std::string& name, const std::string& text) {
  const auto value = read_number<int64_t>(text);
  if (!value || *value < 1)
    refuse_command(fmt::format("`{}` of `--set {}={}` is a whole number above 0", name, name, text));
  return *value;
}

std::string general_help() {
  std::string text = "rnnc: a compiler for recurrent neural networks\n\n";
  for (const CommandInfo& c : kCommands)
    text += fmt::format("  rnnc {:<9} {:<24} {}\n", c.name, c.arguments, c.summary);
  text +=
      "\nNAME is the model meant; it may be left out where there is one.\n"
      "`rnnc COMMAND --help` lists the options of a command.\n\n"
      "example: rnnc train surname.rnn && rnnc predict surname.rnn Nakamura\n";
  return text;
}

ParsedLine parse_options(std::span<const std::string> arguments) {
  ParsedLine result;
  Options& options = result.options;
  if (arguments.empty()) refuse_command("what is to be done?", "`rnnc --help`");
  if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    if (arguments.size() > 1 && arguments[0] == "help")
      return parse_options(std::vector<std::string>{arguments[1], "--help"});
    result.help = general_help();
    return result;
  }
  if (arguments[0] == "--version") {
    result.help = RNNC_VERSION "\n";
    return result;
  }
  if (arguments[0].starts_with('-'))
    refuse_command(fmt::format("`{}` is no command", arguments[0]),
                   "`rnnc COMMAND FILE [OPTION ...]`; `rnnc --help` lists the commands");
  options.command = arguments[0];
  const auto* command = std::ranges::find(kCommands, std::string_view(options.command), &CommandInfo::name);
  if (command == kCommands.end()) {
    if (options.command.ends_with(".rnn"))
      refuse_command(fmt::format("what is to be done with {}?", options.command),
                     fmt::format("`rnnc train {0}`, `rnnc check {0}`", options.command));
    std::vector<std::string> known;
    for (const CommandInfo& c : kCommands) known.emplace_back(c.name);
    refuse_command(fmt::format("there is no command `{}`", options.command),
                   did_you_mean(options.command, known, "there are: " + join(known)));
  }

  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  bool help = false;
  app.add_flag("-h,--help", help)->group("");
  for (const Switch& s : kSwitches)
    if (has(s.commands, options.command)) s.add(app, options);

  std::vector<std::string> rest;  // CLI11 takes them from the back
  bool values_only = false;
  for (const std::string& argument : arguments.subspan(1)) {
    values_only = values_only || argument == "--";
    const bool number = !values_only && negative_number(argument);
    std::string word = number ? kValueMark + argument : argument;
    if (!values_only && word == "--passes=") word += kValueMark;
    rest.insert(rest.begin(), std::move(word));
  }
  try {
    app.parse(rest);
  } catch (const CLI::ParseError& problem) {
    if (!help) {
      auto [message, way_out] = complaint(app, problem, options.command);
      refuse_command(std::move(message), std::move(way_out));
    }
  }
  if (help) {
    result.help = help_of(*command, app);
    return result;
  }
  for (const std::string& extra : app.remaining())
    if (extra.starts_with('-') && extra != "--") refuse_option(app, extra, options.command);
  for (std::string& input : options.inputs)
    if (!input.empty() && input[0] == kValueMark) input.erase(0, 1);
  if (options.file.empty())
    refuse_command(fmt::format("`rnnc {}` of which file?", options.command),
                   fmt::format("`{}`", command->example));
  const bool many =
      options.command == "predict" || options.command == "generate" || options.command == "format";
  if (!many) {
    const size_t most = options.command == "check" || options.command == "opt" ? 0 : 1;
    if (options.inputs.size() > most)
      refuse_command(fmt::format("`{}` is one argument too many", options.inputs[most]),
                     fmt::format("`rnnc {} {}`", options.command, command->arguments));
    if (!options.inputs.empty()) options.name = options.inputs[0];
    options.inputs.clear();
  }
  check_passes(options);
  return result;
}

int thread_count(const Options& options) {
  return options.threads > 0 ? options.threads : default_thread_count();
}

std::string cache_folder(const Options& options) {
  if (options.no_cache) return {};
  const auto folder = [](const char* variable, const char* below) -> std::string {
    const char* value = std::getenv(variable);
    // a relative name is to be ignored, says the XDG Base Directory Specification
    return value != nullptr && value[0] == '/' ? std::string(value) + below : std::string();
  };
  const std::string cache = folder("XDG_CACHE_HOME", "/rnnc");
  return cache.empty() ? folder("HOME", "/.cache/rnnc") : cache;
}

}  // namespace rnnc
