// Finds out what the machine can do, and how micro-kernels use its registers.
#include "codegen/target.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <llvm/ADT/StringMap.h>
#include <llvm/TargetParser/Host.h>

#include <algorithm>
#include <array>

namespace rnnc {
namespace {

struct Family {
  std::string_view name;
  int lanes, registers;
  bool has_fma, has_masks;
  std::string_view cpu;  // empty: the host's own name and features
  std::vector<std::string_view> needs;
};

// Best first. The two smaller ones are compiled for a plain CPU of their generation, so that they behave on a
// bigger machine as on their own.
const std::array<Family, 3>& families() {
  static const std::array<Family, 3> all{{
      {"avx512", 16, 32, true, true, "", {"avx512f", "avx512vl", "avx512bw", "avx512dq", "fma"}},
      {"avx2", 8, 16, true, false, "haswell", {"avx2", "fma"}},
      {"sse2", 4, 16, false, false, "x86-64", {"sse2"}},
  }};
  return all;
}

std::vector<std::string_view> missing(const Family& family, const llvm::StringMap<bool>& has) {
  std::vector<std::string_view> list;
  for (std::string_view feature : family.needs) {
    auto it = has.find(llvm::StringRef(feature.data(), feature.size()));
    if (it == has.end() || !it->second) list.push_back(feature);
  }
  return list;
}

Target make(const Family& family, const llvm::StringMap<bool>& has) {
  Target t{std::string(family.name), family.lanes,
           family.registers,         family.has_fma,
           family.has_masks,         llvm::sys::getProcessTriple(),
           std::string(family.cpu),  ""};
  if (!t.cpu.empty()) return t;
  t.cpu = llvm::sys::getHostCPUName().str();
  std::vector<std::string> features;
  for (const auto& entry : has)
    features.push_back(fmt::format("{}{}", entry.second ? '+' : '-', entry.first().str()));
  std::sort(features.begin(), features.end());  // the map has no order, and the string goes into cache keys
  t.features = fmt::format("{}", fmt::join(features, ","));
  return t;
}

}  // namespace

Target host_target() {
  llvm::StringMap<bool> has = llvm::sys::getHostCPUFeatures();
  for (const Family& family : families())
    if (missing(family, has).empty()) return make(family, has);
  throw TargetError("this machine is none of the targets (avx512, avx2, sse2)");
}

Target target_by_name(std::string_view name) {
  if (name == "host") return host_target();
  llvm::StringMap<bool> has = llvm::sys::getHostCPUFeatures();
  for (const Family& family : families()) {
    if (family.name != name) continue;
    std::string lacks;
    for (std::string_view feature : missing(family, has)) lacks += fmt::format(" {}", feature);
    if (lacks.empty()) return make(family, has);
    throw TargetError(fmt::format("this machine cannot run target `{}`: it lacks{}", name, lacks));
  }
  throw TargetError(fmt::format("no target `{}`; there are host, avx512, avx2 and sse2", name));
}

std::vector<std::string_view> target_names() {
  std::vector<std::string_view> names;
  for (const Family& family : families()) names.push_back(family.name);
  return names;
}

Tiling tiling(const Target& target, int chunks) {
  int vectors = chunks * 16 / target.lanes;
  int widest = target.registers >= 32 ? 4 : 2;  // vectors of a pass
  int count = (vectors + widest - 1) / widest;
  Tiling t;
  for (int p = 0; p < count; ++p) t.passes.push_back(vectors / count + (p < vectors % count));
  // rows * vectors + vectors + 1 <= registers. More rows would fit beside fewer vectors, but are no faster,
  // and every height is one function more to compile.
  t.rows = std::min(6, (target.registers - 1) / t.passes[0] - 1);
  return t;
}

}  // namespace rnnc
