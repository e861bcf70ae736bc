// From kernels to code in this process: IR -> object file by LLVM's code generator alone -> linked by ORC.
// The only file that includes ORC's headers, which take seconds to compile.
#include "codegen/jit.h"

#include <fmt/format.h>
#include <llvm/ExecutionEngine/JITSymbol.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/ExecutionEngine/Orc/RTDyldObjectLinkingLayer.h>
#include <llvm/ExecutionEngine/SectionMemoryManager.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "codegen/emit_gemm.h"
#include "codegen/emit_module.h"

namespace rnnc {
namespace {

// What one module is made of.
struct Work {
  std::vector<MicroKernel> micro = {};
  std::vector<std::pair<const Kernel*, std::string>> kernels = {};  // with the names of their functions
  bool peak = false;
  size_t entry = 0;  // that its object file belongs to
  size_t cost = 0;   // arithmetic instructions, roughly
};

// What is kept in the cache together: the kernels of one program that were missing, or the micro-kernels of
// one width, which all programs share.
struct Entry {
  std::string key;
  std::vector<Work> work;  // makes it, if the cache does not have it
  std::vector<std::string> objects = {};
  int functions = 0;
  bool found = false;
};

template <class T>
T take(llvm::Expected<T> value) {
  if (!value) throw JitError(llvm::toString(value.takeError()));
  return std::move(*value);
}

void take(llvm::Error error) {
  if (error) throw JitError(llvm::toString(std::move(error)));
}

std::unique_ptr<llvm::TargetMachine> target_machine(const Target& target) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    // Two passes that take a fifth of LLVM's time: the emitted loops have their addresses as pointers that
    // move on, or as one index beside constants, and no masks wander between register classes.
    const std::array<const char*, 3> off = {"rnnc", "-disable-lsr", "-disable-x86-domain-reassignment"};
    llvm::cl::ParseCommandLineOptions(int(off.size()), off.data());
  });
  std::string error;
  const llvm::Target* found = llvm::TargetRegistry::lookupTarget(target.triple, error);
  if (!found) throw JitError(error);
  std::unique_ptr<llvm::TargetMachine> machine(found->createTargetMachine(
      target.triple, target.cpu, target.features, llvm::TargetOptions(), llvm::Reloc::PIC_,
      llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default, true));
  if (!machine) throw JitError("LLVM makes no code for " + target.triple);
  return machine;
}

// Builds the module and hands it on; the context ends with the call.
template <class F>
auto with_module(const Target& target, llvm::TargetMachine& machine, const Work& work, F use) {
  llvm::LLVMContext context;
  llvm::Module module("rnnc", context);
  module.setTargetTriple(target.triple);
  module.setDataLayout(machine.createDataLayout());
  KernelBuilder b(module, target);
  for (const MicroKernel& micro : work.micro) emit_micro_kernel(b, micro);
  for (auto& [kernel, name] : work.kernels) emit_kernel(b, *kernel, name);
  if (work.peak) emit_peak(b, "peak");
  std::string complaint;
  llvm::raw_string_ostream out(complaint);
  if (llvm::verifyModule(module, &out)) throw JitError("invalid module: " + complaint);
  return use(module);
}

llvm::SmallVector<char, 0> generate(llvm::TargetMachine& machine, llvm::Module& module,
                                    llvm::CodeGenFileType type) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream out(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, out, nullptr, type))
    throw JitError("LLVM cannot write this kind of file");
  passes.run(module);
  return bytes;
}

std::vector<MicroKernel> micro_kernels(std::span<const Kernel> kernels, const Target& target) {
  std::set<MicroKernel> all;
  for (const Kernel& kernel : kernels)
    for (const MicroKernel& m : micro_kernels(kernel, target)) all.insert(m);
  return {all.begin(), all.end()};
}

// Everything that the kernels need, in one module, for reading.
Work readable(std::span<const Kernel> kernels, const Target& target) {
  Work work;
  work.micro = micro_kernels(kernels, target);
  for (const Kernel& kernel : kernels) {
    check(kernel);
    work.kernels.emplace_back(&kernel, fmt::format("kernel_{}", work.kernels.size()));
  }
  return work;
}

}  // namespace

struct Jit::Impl {
  Target target;
  int threads;
  ObjectCache disk;
  std::string version;  // of everything in front of a key
  std::unique_ptr<llvm::orc::LLJIT> linker;
  std::map<std::string, KernelFn> cache;  // by Kernel::key
  std::set<MicroKernel> micro;            // already linked
  std::optional<Peak> peak;
  JitStats stats;

  using Missing = std::map<std::string, std::pair<const Kernel*, std::string>>;  // by key: kernel, its name
  Entry entry_of(const Missing& missing) const;
  std::vector<Entry> entries_of(const std::vector<MicroKernel>& micro) const;
  void make_objects(std::vector<Entry>& entries) const;
  void add_objects(std::vector<Entry> entries);
};

Jit::Jit(const Target& target, int threads, ObjectCache cache) : impl_(std::make_unique<Impl>()) {
  impl_->target = target;
  impl_->threads = std::max(threads, 1);
  impl_->disk = std::move(cache);
  impl_->version = fmt::format("{}\n{} {} {} {} {}\n", emitter_version(), target.name, target.lanes,
                               target.triple, target.cpu, target.features);
  auto machine = target_machine(target);
  llvm::orc::JITTargetMachineBuilder machines{llvm::Triple(target.triple)};
  machines.setCPU(target.cpu);
  impl_->linker =
      take(llvm::orc::LLJITBuilder()
               .setJITTargetMachineBuilder(machines)
               .setDataLayout(machine->createDataLayout())
               .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
               .setLinkProcessSymbolsByDefault(false)
               .setObjectLinkingLayerCreator([](llvm::orc::ExecutionSession& session, const llvm::Triple&) {
                 return std::make_unique<llvm::orc::RTDyldObjectLinkingLayer>(
                     session, [] { return std::make_unique<llvm::SectionMemoryManager>(); });
               })
               .create());
}

Jit::~Jit() = default;

// The kernels of a program, spread over as many modules as there are threads.
Entry Jit::Impl::entry_of(const Missing& missing) const {
  Entry entry{.key = version, .work = std::vector<Work>(size_t(threads)), .functions = int(missing.size())};
  for (const auto& [key, kernel] : missing) {
    entry.key += key + '\n';
    Work& work = *std::min_element(entry.work.begin(), entry.work.end(),
                                   [](const Work& a, const Work& b) { return a.cost < b.cost; });
    work.cost += 20 + 8 * kernel.first->body.size();
    work.kernels.push_back(kernel);
  }
  return entry;
}

std::vector<Entry> Jit::Impl::entries_of(const std::vector<MicroKernel>& micro) const {
  std::map<int, std::vector<MicroKernel>> by_width;
  for (const MicroKernel& m : micro) by_width[m.vectors].push_back(m);
  std::vector<Entry> entries;
  for (const auto& [width, members] : by_width) {
    Entry entry{.key = version, .work = std::vector<Work>(1), .functions = int(members.size())};
    for (const MicroKernel& m : members) {
      entry.key += m.name() + '\n';
      entry.work[0].cost += size_t(10 + 3 * m.rows * m.vectors);
    }
    entry.work[0].micro = members;
    entries.push_back(std::move(entry));
  }
  return entries;
}

// Compiles what the cache does not have: the threads take one module after the other, the largest first, each
// with a context of its own.
void Jit::Impl::make_objects(std::vector<Entry>& entries) const {
  std::vector<const Work*> queue;
  for (size_t e = 0; e < entries.size(); ++e) {
    for (Work& work : entries[e].work) {
      if (entries[e].found || (work.kernels.empty() && work.micro.empty() && !work.peak)) continue;
      work.entry = e;
      queue.push_back(&work);
    }
  }
  std::stable_sort(queue.begin(), queue.end(),
                   [](const Work* a, const Work* b) { return a->cost > b->cost; });
  std::vector<std::string> objects(queue.size());
  std::vector<std::exception_ptr> failed(queue.size());
  std::atomic<size_t> next = 0;
  const auto make = [&] {
    for (size_t i = next++; i < queue.size(); i = next++) {
      try {
        auto machine = target_machine(target);
        objects[i] = with_module(target, *machine, *queue[i], [&](llvm::Module& module) {
          const auto bytes = generate(*machine, module, llvm::CodeGenFileType::ObjectFile);
          return std::string(bytes.begin(), bytes.end());
        });
      } catch (...) {
        failed[i] = std::current_exception();
      }
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min(size_t(threads), queue.size()); ++i) others.emplace_back(make);
  make();
  for (std::thread& t : others) t.join();
  for (const std::exception_ptr& e : failed)
    if (e) std::rethrow_exception(e);
  for (size_t i = 0; i < queue.size(); ++i) entries[queue[i]->entry].objects.push_back(std::move(objects[i]));
}

void Jit::Impl::add_objects(std::vector<Entry> entries) {
  for (Entry& entry : entries) {
    if (entry.functions == 0) continue;
    if (auto objects = disk.find(entry.key)) {
      entry.objects = std::move(*objects);
      entry.found = true;
      stats.from_disk += entry.functions;
    }
  }
  make_objects(entries);
  for (const Entry& entry : entries) {
    if (!entry.found && entry.functions > 0) disk.store(entry.key, entry.objects);
    for (const std::string& object : entry.objects) {
      stats.bytes += int64_t(object.size());
      llvm::SmallVector<char, 0> bytes(object.begin(), object.end());
      take(linker->addObjectFile(std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(bytes), false)));
    }
  }
}

std::vector<KernelFn> Jit::compile(std::span<const Kernel> kernels) {
  auto began = std::chrono::steady_clock::now();
  std::vector<std::string> keys;
  Impl::Missing missing;
  for (const Kernel& kernel : kernels) {
    check(kernel);
    keys.push_back(kernel.key());
    // the name is the same in every process, as the code in the cache is
    if (!impl_->cache.contains(keys.back()))
      missing.try_emplace(keys.back(), &kernel, "kernel_" + name_of_text(keys.back()));
  }
  if (!missing.empty()) {
    std::vector<MicroKernel> micro = micro_kernels(kernels, impl_->target);
    std::erase_if(micro, [&](const MicroKernel& m) { return impl_->micro.contains(m); });
    std::vector<Entry> entries = impl_->entries_of(micro);
    entries.push_back(impl_->entry_of(missing));
    impl_->add_objects(std::move(entries));

    llvm::orc::SymbolLookupSet names;
    auto& session = impl_->linker->getExecutionSession();
    for (auto& [key, entry] : missing) names.add(impl_->linker->mangleAndIntern(entry.second));
    auto found = take(session.lookup(
        {{&impl_->linker->getMainJITDylib(), llvm::orc::JITDylibLookupFlags::MatchAllSymbols}}, names));
    for (auto& [key, entry] : missing)
      impl_->cache[key] = found[impl_->linker->mangleAndIntern(entry.second)].getAddress().toPtr<KernelFn>();
    impl_->stats.kernels += int(missing.size());
    impl_->micro.insert(micro.begin(), micro.end());
    impl_->stats.micro_kernels += int(micro.size());
  }
  std::vector<KernelFn> functions;
  for (const std::string& key : keys) functions.push_back(impl_->cache.at(key));
  std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  impl_->stats.milliseconds += took.count();
  return functions;
}

std::string Jit::ir(std::span<const Kernel> kernels) const {
  auto machine = target_machine(impl_->target);
  return with_module(impl_->target, *machine, readable(kernels, impl_->target), [](llvm::Module& module) {
    std::string text;
    llvm::raw_string_ostream out(text);
    module.print(out, nullptr);
    return text;
  });
}

std::string Jit::assembly(std::span<const Kernel> kernels) const {
  auto machine = target_machine(impl_->target);
  return with_module(impl_->target, *machine, readable(kernels, impl_->target), [&](llvm::Module& module) {
    auto bytes = generate(*machine, module, llvm::CodeGenFileType::AssemblyFile);
    return std::string(bytes.begin(), bytes.end());
  });
}

Jit::Peak Jit::peak() {
  if (impl_->peak) return *impl_->peak;
  impl_->add_objects({Entry{.key = {}, .work = {Work{.peak = true}}}});
  auto address = take(impl_->linker->lookup("peak"));
  impl_->peak = Peak{address.toPtr<void (*)(int64_t, float*)>(), peak_flops(impl_->target)};
  return *impl_->peak;
}

const Target& Jit::target() const {
  return impl_->target;
}
const JitStats& Jit::stats() const {
  return impl_->stats;
}

}  // namespace rnnc
