// Tandem repeats of the command sequence: see plan_loops.h. Nothing remembers that commands came from time
// steps: with the commands in their order, the sequence of kernels is periodic, and a position in the period
// advances evenly, since families lie in one array.
#include "codegen/plan_loops.h"

#include <map>
#include <string>

namespace rnnc::planning {
namespace {

constexpr int32_t kLongestPeriod = 400;

/// Everything of a command but its steps: equal for the same command at another step.
std::string signature(const Command& c) {
  std::string s;
  auto put = [&](int64_t v) { s.append(reinterpret_cast<const char*>(&v), sizeof v); };
  put(c.kernel);
  put(c.cols);
  put(c.units);
  for (const Place2D& p : c.operands) {
    put(p.slab);
    put(int64_t(p.row) << 32 | uint32_t(p.col));
    put(p.step >= 0);
  }
  for (int64_t d : c.depth) put(d);
  for (const Count& n : c.rows) {
    put(int64_t(n.rows.kind) << 8 | n.rows.dim);
    put(n.rows.kind == RowRange::Steps ? n.rows.end - n.rows.begin : n.rows.begin);
  }
  put(c.segments.by_step);
  put(c.reshape.block);
  put(c.reshape.split);
  return s;
}

class Roller {
 public:
  explicit Roller(Program& p) : p_(p) {
    std::map<std::string, int32_t> ids;
    for (const Command& c : p.commands) {
      // Packs and weight gradients over steps stand once.
      const bool alone = c.kernel == Command::kPack || c.segments.by_step;
      key_.push_back(alone ? -1 - int32_t(key_.size())
                           : ids.try_emplace(signature(c), int32_t(ids.size())).first->second);
    }
  }

  void run() {
    std::vector<Command> commands;
    const auto n = int32_t(key_.size());
    for (int32_t at = 0; at < n;) {
      int32_t period = 1, count = 1;
      for (int32_t q = 1; q <= std::min(kLongestPeriod, (n - at) / 2); ++q) {
        if (key_[size_t(at)] != key_[size_t(at + q)]) continue;
        const int32_t r = repeats(at, q);
        if (r > 1 && (r - 1) * q > (count - 1) * period) period = q, count = r;
        if (int64_t(r) * q > 2 * kLongestPeriod) break;  // a long loop: no longer period does better
      }
      p_.loops.push_back({int32_t(commands.size()), period, count});
      for (int32_t i = 0; i < period; ++i) {
        Command c = p_.commands[size_t(at + i)];
        if (count > 1) set_moves(c, p_.commands[size_t(at + i + period)]);
        for (int32_t turn = 1; turn < count; ++turn)
          c.barrier = c.barrier || p_.commands[size_t(at + turn * period + i)].barrier;
        commands.push_back(std::move(c));
      }
      at += period * count;
    }
    p_.commands = std::move(commands);
  }

 private:
  /// How often the `period` commands from `at` on repeat with even steps.
  int32_t repeats(int32_t at, int32_t period) const {
    const auto n = int32_t(key_.size());
    int32_t count = 1;
    while (at + (count + 1) * period <= n) {
      for (int32_t i = 0; i < period; ++i) {
        const int32_t here = at + count * period + i;
        if (key_[size_t(here)] != key_[size_t(at + i)]) return count;
        if (count > 1 && !even(p_.commands[size_t(here - 2 * period)], p_.commands[size_t(here - period)],
                               p_.commands[size_t(here)]))
          return count;
      }
      ++count;
    }
    return count;
  }

  static bool even(const Command& a, const Command& b, const Command& c) {
    for (size_t i = 0; i < a.operands.size(); ++i) {
      if (b.operands[i].step - a.operands[i].step != c.operands[i].step - b.operands[i].step) return false;
    }
    for (size_t i = 0; i < a.rows.size(); ++i) {
      if (a.rows[i].rows.kind != RowRange::Steps) continue;
      if (b.rows[i].rows.begin - a.rows[i].rows.begin != c.rows[i].rows.begin - b.rows[i].rows.begin)
        return false;
    }
    return true;
  }

  static void set_moves(Command& c, const Command& next) {
    for (size_t i = 0; i < c.operands.size(); ++i)
      c.operands[i].moves = next.operands[i].step - c.operands[i].step;
    for (size_t i = 0; i < c.rows.size(); ++i)
      c.rows[i].moves = next.rows[i].rows.begin - c.rows[i].rows.begin;
  }

  Program& p_;
  std::vector<int32_t> key_;
};

}  // namespace

void roll_loops(Program& program) {
  Roller(program).run();
}

}  // namespace rnnc::planning
