// See memory_limit.h.
#include "driver/memory_limit.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "driver/options.h"
#include "runtime/memory.h"

namespace rnnc {
namespace {

/// What one way to cut needs.
struct Try {
  Segments segments;
  int64_t bytes = 0;
  std::string most;
};

class Search {
 public:
  Search(const Graph& graph, const CompileOptions& options, std::span<const Space> spaces,
         const Target& target)
      : graph_(graph), options_(options), plan_(plan_options(spaces, options, target)) {}

  Segments run() {
    least_ = measure({});
    if (fits(least_)) return {};
    for (size_t dim = 0; dim < plan_.time_steps.size(); ++dim) {
      if (const std::optional<Segments> found = along(int(dim))) return *found;
    }
    if (options_.kind != ProgramKind::Train) return least_.segments;
    refuse_command(
        fmt::format(
            "a training step needs at least {}, more than `--memory-limit` allows ({}); most of it: {}",
            bytes_text(least_.bytes), bytes_text(options_.memory_limit), least_.most),
        fmt::format("`--memory-limit {}`, a smaller `batch`, or shorter sequences by `chunk`",
                    rounded_up(least_.bytes)));
  }

 private:
  bool fits(const Try& t) const { return t.bytes <= options_.memory_limit; }

  /// The fewest segments that fit: more and more of them, by half, then between the last two.
  std::optional<Segments> along(int dim) {
    const int32_t T = plan_.time_steps[size_t(dim)];
    int64_t best = std::numeric_limits<int64_t>::max();
    int worse = 0;  // in a row: states between segments outgrow the segments
    for (int32_t count = 2, before = 1; count <= T && worse < 3; before = count, count = count * 3 / 2 + 1) {
      const Try t = measure({dim, (T + count - 1) / count});
      if (fits(t)) return longest(dim, t.segments.steps, (T + before - 1) / before);
      worse = t.bytes < best ? 0 : worse + 1;
      best = std::min(best, t.bytes);
    }
    return std::nullopt;
  }

  /// Segments of `low` steps fit, of `high` they do not.
  Segments longest(int dim, int32_t low, int32_t high) {
    while (high - low > std::max(1, low / 16)) {  // a few percent of the steps are not worth another plan
      const int32_t middle = low + (high - low) / 2;
      (fits(measure({dim, middle})) ? low : high) = middle;
    }
    return {dim, low};
  }

  Try measure(Segments segments) {
    const Graph fused =
        run_pipeline(graph_, {options_.disabled_passes, {}, {.notes = nullptr, .segments = segments}});
    const Program program = make_plan(fused, plan_).program;
    Try t{segments, memory_of(program), largest_values(program)};
    if (least_.bytes == 0 || t.bytes < least_.bytes) least_ = t;
    return t;
  }

  /// `300 MiB`: a little more than that, in a form that the option reads.
  static std::string rounded_up(int64_t bytes) {
    const int64_t unit = bytes >= int64_t{1} << 20 ? int64_t{1} << 20 : 1024;
    return fmt::format("{}{}", (bytes + unit - 1) / unit, unit == 1024 ? "KiB" : "MiB");
  }

  const Graph& graph_;
  const CompileOptions& options_;
  const PlanOptions plan_;
  Try least_;
};

}  // namespace

Segments fit_segments(const Graph& graph, const CompileOptions& options, std::span<const Space> spaces,
                      const Target& target) {
  return Search(graph, options, spaces, target).run();
}

std::string cut_text(const Segments& segments, const Program& program) {
  if (!segments.on()) return {};
  return fmt::format("{} is cut after every {}, and the forward pass is computed twice",
                     program.dimensions[size_t(segments.dim)],
                     segments.steps == 1 ? "step" : fmt::format("{} steps", segments.steps));
}

}  // namespace rnnc
