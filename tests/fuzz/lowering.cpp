// See lowering.h. All files stand in one temporary folder of this process.
#include "tests/fuzz/lowering.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <vector>

#include "codegen/jit.h"
#include "driver/compile.h"
#include "driver/experiment.h"
#include "driver/train_settings.h"
#include "ir/verify.h"
#include "tests/fuzz/entries.h"
#include "tests/fuzz/tiny_data.h"

namespace rnnc::fuzz {
namespace {

namespace fs = std::filesystem;

/// A folder that goes away with the process, empty at each use.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "rnnc_fuzz_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& emptied() const {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(path_)) fs::remove_all(entry.path(), ignored);
    return path_;
  }

 private:
  std::string path_;
};

const std::string& empty_folder() {
  static const Folder folder;
  return folder.emptied();
}

/// No word of a message is about our insides.
void check_message(const std::string& text) {
  for (const char* word :
       {"std::", "rnnc::", "GraphError", "VerifyError", "basic_string", "vector::", "map::at", "what():"})
    if (text.find(word) != std::string::npos) broken("a message speaks of insides: " + text);
}

Experiment open(const std::string& text) {
  Experiment experiment = make_experiment({"fuzz.rnn", text}, Options());
  experiment.folder = {empty_folder(), true};
  for (const ast::Item& item : experiment.checked.file.items)
    if (const auto* data = std::get_if<ast::DataBlock>(&item))
      write_tiny_data(spec_of(experiment, *data), experiment.folder.path);
  return experiment;
}

void plan(const Lowered& lowered, CompileOptions options, bool code) {
  const Target target = target_by_name("host");
  Graph graph = build_graph(lowered, options);
  verify(graph);
  const PipelineOptions passes{{}, [](const Pass&, const Graph& g) { verify(g); }};
  graph = run_pipeline(graph, passes);
  const Plan plan =
      make_plan(graph, {target, options.batch_capacity, options.time_steps, lowered.model.dims});
  if (code) Jit(target).compile(plan.kernels);
}

void try_task(const Experiment& experiment, const Task& task, bool code) {
  constexpr int32_t kMostSteps = 4;
  const std::string& model = task.train->model.text;
  const TrainSettings settings = train_settings(experiment, *task.train, Options());
  const Dataset dataset = load_data(experiment, *task.data);
  const Lowered lowered =
      lower_model(experiment, model, task.train, *task.data, find_predict(experiment, model), dataset);
  CompileOptions options;
  options.optimizer = settings.optimizer;
  options.batch_capacity = 4;
  options.time_steps = longest_rows(dataset);
  for (int32_t& steps : options.time_steps) steps = std::min(steps, kMostSteps);
  for (const ProgramKind kind : {ProgramKind::Train, ProgramKind::Evaluate, ProgramKind::Predict}) {
    if (kind == ProgramKind::Predict && lowered.shows.empty()) continue;
    options.kind = kind;
    plan(lowered, options, code && kind == ProgramKind::Train);
  }
}

/// Data blocks of one field each, by format.
const std::map<std::string, std::vector<std::string>>& fields_of_formats() {
  static const std::vector<std::string> table = {
      "x: C[T] = chars(col(1))", "y: L = category(col(2))", "z: [] = number(col(1)) / 2",
      "n: [F] = standardize(col(1), col(2))", "w: W[T] = words(lower(col(2)), marks = yes, end = yes)"};
  static const std::vector<std::string> arrays = {"z: [] = number(col(1))", "y: L = category(col(1))",
                                                  "p: [Y, X] = number(col(1)) / 255",
                                                  "q: [F] = standardize(col(1))"};
  static const std::map<std::string, std::vector<std::string>> all = {
      {"lines",
       {"x: C[T] = chars(line)", "w: W[T] = words(line)", "b: B[T] = bytes(line)", "y: L = category(line)",
        "z: [] = number(line)"}},
      {"csv", table},
      {"tsv", table},
      {"columns",
       {"w: W[T] = words(rest(2))", "y: L = category(col(1))", "n: [F] = numbers(col(1), col(2))"}},
      {"blocks", {"w: W[T] = category(col(1))", "n: [T] = number(col(2))"}},
      {"stream",
       {"x: C[T] = chars(text)\n  chunk T = 2", "w: W[T] = words(text, end = yes)\n  sample T = 2"}},
      {"trees", {"w: W[tree N] = category(leaf)", "y: L[tree N] = category(label)", "A: [N, N] = links"}},
      {"idx", arrays},
      {"npy", arrays},
  };
  return all;
}

}  // namespace

Came lowering(const std::string& text, bool code) {
  try {
    const Experiment experiment = open(text);
    for (const Task& task : tasks(experiment, "")) try_task(experiment, task, code);
    return Came::ToPlans;
  } catch (const UserError& error) {
    check_message(error.what());
  } catch (const DataError& error) {
    check_message(error.what());
  }
  return Came::ToMessages;
}

void data_file(const std::string& bytes) {
  const size_t end = std::min(bytes.find('\n'), bytes.size());
  const std::string how = bytes.substr(0, end);
  const std::string format = how.substr(0, how.find(' '));
  const auto fields = fields_of_formats().find(format);
  if (fields == fields_of_formats().end()) return;
  std::string options;
  for (const char* option : {"header", "latin1"})
    if (how.find(option) != std::string::npos)
      options += (options.empty() ? "" : ", ") + std::string(option) + " = yes";
  const std::string as = options.empty() ? format : format + "(" + options + ")";
  for (const std::string& field : fields->second) {
    const std::string text = "data d {\n  read \"f\" as " + as + "\n  " + field + "\n}\n";
    try {
      Experiment experiment = make_experiment({"fuzz.rnn", text}, Options());
      experiment.folder = {empty_folder(), true};
      std::ofstream(experiment.folder.path + "/f", std::ios::binary)
          << bytes.substr(std::min(end + 1, bytes.size()));
      load_data(experiment, *find_data(experiment, "d"));
    } catch (const UserError& error) {
      check_message(error.what());
    } catch (const DataError& error) {
      check_message(error.what());
    }
  }
}

}  // namespace rnnc::fuzz
