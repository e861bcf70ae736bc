// Commands by name, and the one place where everything that was thrown ends.
#include "driver/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "codegen/target.h"
#include "driver/commands.h"
#include "driver/data_spec.h"
#include "driver/metrics_file.h"
#include "driver/options.h"
#include "driver/parameters.h"
#include "driver/train.h"
#include "ir/diagnostic.h"
#include "runtime/arena.h"
#include "runtime/errors.h"
#include "runtime/trace.h"

namespace rnnc {
namespace {

struct Entry {
  std::string_view name;
  int (*run)(const Options&);
};

constexpr std::array<Entry, 11> kEntries = {{{"check", check_command},
                                             {"train", train_command},
                                             {"eval", eval_command},
                                             {"predict", predict_command},
                                             {"generate", generate_command},
                                             {"bench", bench_command},
                                             {"explain", explain_command},
                                             {"gradcheck", gradcheck_command},
                                             {"compile", compile_command},
                                             {"opt", opt_command},
                                             {"format", format_command}}};

/// The command, and its trace if one is asked for.
int run(const Entry& entry, Options options) {
  if (options.trace_file.empty()) return entry.run(options);
  check_ending("--trace", options.trace_file, {".json"});
  check_writable(options.trace_file);
  Trace trace(thread_count(options));
  options.trace = &trace;
  const int status = entry.run(options);
  trace.write(options.trace_file);
  return status;
}

int dispatch(const std::vector<std::string>& arguments) {
  const ParsedLine line = parse_options(arguments);
  if (!line.help.empty()) {
    fmt::print("{}", line.help);
    return kDone;
  }
  for (const Entry& entry : kEntries)
    if (entry.name == line.options.command) return run(entry, line.options);
  refuse_command(fmt::format("`{}` is not built yet", line.options.command));
}

int failed(std::string_view what) {
  fmt::print(stderr, "rnnc: {}\n", what);
  return kFailed;
}

}  // namespace

int run_command_line(int argc, char** argv) noexcept {
  try {
    try {
      const int status = dispatch(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
      // A full disk or a closed pipe shows only when what was printed is written out.
      const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
      if (!written && status == kDone) return failed("error: cannot write the result");
      return status;
    } catch (const UserError& problem) {
      fmt::print(stderr, "{}", problem.what());
      return kUserMistake;
    } catch (const DataError& problem) {
      fmt::print(stderr, "{}", render(to_diagnostic(problem.message())));
      return kUserMistake;
    } catch (const TrainingFailed& problem) {
      fmt::print(stderr, "{}", problem.what());
      return kFailed;
    } catch (const TargetError& problem) {
      failed(std::string("error: ") + problem.what());
      return kUserMistake;
    } catch (const RunError& problem) {
      return failed(std::string("error: ") + problem.what());
    } catch (const ArenaError& problem) {
      return failed(std::string("error: ") + problem.what());
    } catch (const std::bad_alloc&) {
      return failed("error: out of memory");
    } catch (const std::system_error& problem) {  // of files, threads and output
      return failed(std::string("error: ") + problem.what());
    } catch (const std::exception& problem) {
      return failed(std::string("internal error: ") + problem.what());
    }
  } catch (...) {
    std::fputs("rnnc: internal error\n", stderr);
    return kFailed;
  }
}

}  // namespace rnnc
