// What can be said on the command line. All switches stand in one table in options.cpp, with the commands
// that have them; nothing else reads arguments or the environment.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rnnc {

inline constexpr int kDone = 0, kFailed = 1, kUserMistake = 2, kInterrupted = 130;

class Trace;

struct Options {
  std::string command;
  std::string file;                 // the .rnn file; of `opt` the graph
  std::string name;                 // the block meant; empty: not said
  std::vector<std::string> inputs;  // of `predict`; the first may be the name

  std::string data_folder;  // --data; empty: the folder of the file
  int threads = 0;          // --threads or RNNC_THREADS; 0: as many as are worth it
  std::string target = "host";
  std::optional<uint64_t> seed;
  std::vector<std::pair<std::string, std::string>> set;  // --set NAME=VALUE
  std::vector<std::string> disabled_passes;
  bool json = false;
  bool quiet = false;

  std::string model_file;  // --model; empty: as the train block says
  bool resume = false;
  std::optional<int64_t> epochs;
  std::optional<int64_t> steps;       // --steps: stop after so many in all
  std::optional<int64_t> checkpoint;  // --checkpoint: steps between two writings of the state
  std::optional<int64_t> buckets;     // --buckets: batches whose rows are sorted by length together
  std::string metrics_file, plot_file, gradients_file, trace_file;
  Trace* trace = nullptr;  // of this command, if --trace asks for one
  std::string part;        // --on

  int64_t memory_limit = 0;  // --memory-limit: bytes; 0: none
  std::optional<int64_t> batch, time_steps;
  std::string mode = "train";
  int64_t repeat = 20;
  bool time = false;
  std::string emit;
  bool no_cache = false;
  std::vector<std::string> passes;  // of `opt`
  bool check_only = false;          // of `format`: --check
  bool has_passes = false;          // --passes was given, perhaps empty
};

struct CommandInfo {
  std::string_view name;
  std::string_view arguments;
  std::string_view summary;
  std::string_view example;
};

/// All commands, in the order of the help.
std::span<const CommandInfo> commands();

/// The text of `rnnc --help`.
std::string general_help();

struct ParsedLine {
  Options options;
  std::string help;  // not empty: print it, and that is all
};

/// Reads a command line without the program's name. Throws UserError for whatever is wrong with it, with the
/// nearest command or option.
ParsedLine parse_options(std::span<const std::string> arguments);

/// The number of threads to run with.
int thread_count(const Options& options);

/// Where compiled code is kept: in $XDG_CACHE_HOME or ~/.cache. Empty: nowhere (--no-cache, or no home).
std::string cache_folder(const Options& options);

/// A mistake on the command line: `rnnc: error: MESSAGE`.
[[noreturn]] void refuse_command(std::string message, std::string help = {});

/// The value of `--set NAME=TEXT` where a number above 0, or a whole one, is needed; refuses others.
double set_number(const std::string& name, const std::string& text);
int64_t set_count(const std::string& name, const std::string& text);

}  // namespace rnnc
