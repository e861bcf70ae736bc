// The command loop: see program.h.
#include "runtime/program.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include "runtime/memory.h"
#include "runtime/trace.h"

namespace rnnc {

Variables::Variable& Variables::add(const std::string& name, int64_t rows, int64_t cols) {
  auto& slot = by_name_[name];
  if (!slot) {
    slot = std::make_unique<Variable>();
    slot->rows = rows;
    slot->cols = cols;
    slot->data.assign(size_t(rows * cols + kOverread), 0.0f);
  } else if (slot->rows != rows || slot->cols != cols) {
    throw std::logic_error("variable " + name + " has two shapes");
  }
  return *slot;
}

/// What a thread needs to call a kernel; kept, so that a run allocates nothing once warm.
struct Session::Scratch {
  std::vector<void*> data;
  std::vector<int64_t> stride, rows;
  std::vector<Segment> segments;
  std::vector<PackPiece> pieces;
};

Session::Session(Program program, Variables& variables) : program_(std::move(program)) {
  check_fits(program_, available_memory());
  arena_ = Arena(size_t(program_.arena_bytes));
  for (const Slab& slab : program_.slabs) {
    if (slab.variable >= 0) {
      auto& v = variables.add(program_.variable_names[size_t(slab.variable)], slab.rows.begin, slab.cols);
      base_.push_back(reinterpret_cast<std::byte*>(v.data.data()));
    } else {
      base_.push_back(arena_.data() + slab.offset);
    }
  }
}

void Session::set_rows(RowTables rows) {
  if (rows.batch > program_.batch_capacity)
    throw std::logic_error("batch is larger than the program's capacity");
  // Nothing is written past the end of a slab: what has no room is refused before it runs.
  for (size_t space = 0; space < rows.batch_rows.size(); ++space) {
    const int64_t inside = space < program_.inner_rows.size() ? program_.inner_rows[space] : 1;
    int64_t most = rows.batch_rows[space];
    const int32_t steps =
        space < program_.capacity.size() && space < rows.row_offset.size() ? program_.capacity[space] : 0;
    for (int32_t t = 0; t < steps; ++t)
      most = std::max(most, rows.row_offset[space][t + 1] - rows.row_offset[space][t]);
    if (most > program_.batch_capacity * inside)
      throw std::logic_error("a batch has more rows inside its examples than the program has room for");
  }
  rows_ = std::move(rows);
  check_reshapes();
}

/// A narrow side with other rows than the wide one has blocks would be written past its end.
void Session::check_reshapes() const {
  for (const Loop& loop : program_.loops) {
    for (int32_t i = loop.first; i < loop.first + loop.length; ++i) {
      const Command& c = program_.commands[size_t(i)];
      if (c.kernel != Command::kReshape) continue;
      for (int32_t turn = 0; turn < loop.count; ++turn) {
        const int64_t wide = rows_.count(c.rows[0].rows, turn * c.rows[0].moves);
        const int64_t narrow = rows_.count(c.rows[1].rows, turn * c.rows[1].moves);
        if (wide * c.reshape.blocks != narrow)
          throw std::logic_error("a batch does not have the rows that split or joined rows need");
      }
    }
  }
}

std::byte* Session::address(const Place2D& place, int32_t turn) const {
  const Slab& slab = program_.slabs[size_t(place.slab)];
  int64_t row = place.row;
  if (slab.rows.kind == RowRange::Steps) {
    const int64_t* offset = rows_.row_offset[slab.rows.dim];
    row += offset[place.step + turn * place.moves] - offset[slab.rows.begin];
  }
  return base_[size_t(place.slab)] + (row * slab.stride + place.col) * 4;
}

template <typename T>
void Session::copy_in(const std::string& name, std::span<const T> values) {
  const auto it = program_.inputs.find(name);
  if (it == program_.inputs.end()) return;
  const Slab& slab = program_.slabs[size_t(it->second)];
  const int64_t rows = rows_.count(slab.rows);
  if (int64_t(values.size()) < rows * slab.cols)
    throw std::logic_error("input " + name + " has too few values");
  auto* to = reinterpret_cast<T*>(base_[size_t(it->second)]);
  for (int64_t r = 0; r < rows; ++r)
    std::copy_n(values.data() + r * slab.cols, slab.cols, to + r * slab.stride);
}
void Session::set_input(const std::string& name, std::span<const float> values) {
  copy_in(name, values);
}
void Session::set_input(const std::string& name, std::span<const int32_t> values) {
  copy_in(name, values);
}

void Session::set_step_segments(const StepSegments& of, std::vector<Segment>& segments) const {
  const int64_t* offset = rows_.row_offset[of.dim];
  for (int32_t t = of.begin; t < of.end; ++t) {
    const int64_t n = offset[t + 1] - offset[t];
    if (n == 0) break;
    const Segment step{offset[t + of.shift_a] - offset[of.begin + of.shift_a],
                       offset[t + of.shift_b] - offset[of.begin + of.shift_b], n};
    Segment* last = segments.empty() ? nullptr : &segments.back();
    // Steps in which as many rows are left are one run: longer products, the same order of summing.
    if (last != nullptr && last->a + last->n == step.a && last->b + last->n == step.b) last->n += n;
    else segments.push_back(step);
  }
  if (segments.empty()) segments.push_back({0, 0, 0});
}

bool Session::execute(const Command& c, int32_t turn, int thread, int threads, Scratch& s) {
  int64_t units = c.units;
  if (c.kernel != Command::kPack) {
    s.rows.clear();
    for (const Count& count : c.rows) s.rows.push_back(rows_.count(count.rows, turn * count.moves));
    if (units == 0) units = s.rows[0];
  }
  // This thread's share: whole grains, one thread for little work.
  int64_t begin = 0, end = units;
  if (threads > 1) {
    if (units * c.unit_cost < 20'000) {
      if (thread != 0) return false;
    } else {
      const int64_t grains = (units + c.grain - 1) / c.grain;
      begin = std::min(units, grains * thread / threads * c.grain);
      end = std::min(units, grains * (thread + 1) / threads * c.grain);
    }
  }
  if (begin >= end) return false;

  if (c.kernel == Command::kPack) {
    s.pieces.clear();
    for (const PlacedPiece& p : c.pieces) {
      s.pieces.push_back({reinterpret_cast<const float*>(address(p.place, 0)),
                          program_.slabs[size_t(p.place.slab)].stride, p.transposed, p.first_k, p.k, p.part,
                          p.first_col, p.cols});
    }
    pack(c.panels, s.pieces, reinterpret_cast<float*>(address(c.operands[0], 0)), begin, end);
    return true;
  }
  if (c.kernel == Command::kReshape) {
    const Place2D &from = c.operands[0], &to = c.operands[1];
    reshape(c.reshape, address(from, turn), program_.slabs[size_t(from.slab)].stride, address(to, turn),
            program_.slabs[size_t(to.slab)].stride, begin, end);
    return true;
  }
  s.data.clear();
  s.stride.clear();
  for (const Place2D& place : c.operands) {
    s.data.push_back(address(place, turn));
    s.stride.push_back(program_.slabs[size_t(place.slab)].stride);
  }
  s.segments.clear();
  if (!c.segments.by_step) s.segments.push_back({0, 0, s.rows[0]});
  else set_step_segments(c.segments, s.segments);
  const KernelArgs args{s.data.data(),  s.stride.data(),   s.rows.data(),
                        c.depth.data(), s.segments.data(), int64_t(s.segments.size()),
                        c.cols};
  program_.kernels[size_t(c.kernel)](&args, begin, end);
  return true;
}

/// No row of this batch is left at the steps of this turn: a program for long sequences runs short ones at no
/// cost.
static bool idle(const Program& program, const RowTables& rows, const Loop& loop, int32_t turn) {
  if (loop.count == 1) return false;
  for (int32_t i = loop.first; i < loop.first + loop.length; ++i) {
    const Command& c = program.commands[size_t(i)];
    if (c.units != 0 || c.kernel == Command::kPack) return false;
    if (rows.count(c.rows[0].rows, turn * c.rows[0].moves) != 0) return false;
  }
  return true;
}

void Session::run(Team& team) {
  const int threads = team.size();
  Trace* trace = team.trace();
  if (trace != nullptr && !trace->wants_kernels()) trace = nullptr;
  if (trace != nullptr && trace_names_.empty()) {
    for (const Command& c : program_.commands)
      trace_names_.push_back(trace->name((c.kernel < 0 ? "pack " : "") + c.name));
  }
  team.run([&](int thread) {
    Scratch scratch;
    bool owed = false;  // a barrier stood in a turn that was left out
    for (const Loop& loop : program_.loops) {
      for (int32_t turn = 0; turn < loop.count; ++turn) {
        if (idle(program_, rows_, loop, turn)) {
          for (int32_t i = 0; i < loop.length; ++i)
            owed = owed || program_.commands[size_t(loop.first + i)].barrier;
          continue;
        }
        for (int32_t i = 0; i < loop.length; ++i) {
          const Command& command = program_.commands[size_t(loop.first + i)];
          if ((command.barrier || owed) && threads > 1) team.barrier();
          owed = false;
          if (packed_ && command.once) continue;
          if (trace == nullptr) {
            execute(command, turn, thread, threads, scratch);
            continue;
          }
          const auto begin = Trace::Clock::now();
          if (execute(command, turn, thread, threads, scratch))
            trace->kernel(thread, trace_names_[size_t(loop.first + i)], begin, Trace::Clock::now());
        }
      }
    }
  });
  packed_ = held_;
}

void Session::hold() {
  held_ = true;
  packed_ = false;
}

void Session::run_timed(std::vector<double>& seconds) {
  seconds.resize(program_.commands.size());
  const FlushSubnormals flush;
  Scratch scratch;
  for (const Loop& loop : program_.loops) {
    for (int32_t turn = 0; turn < loop.count; ++turn) {
      for (int32_t i = loop.first; i < loop.first + loop.length; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        execute(program_.commands[size_t(i)], turn, 0, 1, scratch);
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
        seconds[size_t(i)] += time.count();
      }
    }
  }
}

std::vector<float> Session::output(const std::string& name) const {
  for (const ProgramOutput& output : program_.outputs) {
    if (output.name != name) continue;
    const int64_t rows = rows_.count(output.rows), stride = program_.slabs[size_t(output.place.slab)].stride;
    const std::byte* from = address(output.place, 0);
    std::vector<float> values;
    values.reserve(size_t(rows * output.cols));
    for (int64_t r = 0; r < rows; ++r) {
      for (int32_t c = 0; c < output.cols; ++c) {
        const std::byte* at = from + (r * stride + c) * 4;
        float value;
        int32_t whole;
        std::memcpy(&value, at, 4);
        std::memcpy(&whole, at, 4);
        values.push_back(output.integer ? float(whole) : value);
      }
    }
    return values;
  }
  throw std::logic_error("program has no output " + name);
}

}  // namespace rnnc
