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
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>

#include <algorithm>
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
  std::vector<MicroKernel> micro;
  std::vector<std::pair<const Kernel*, std::string>> kernels;  // with the names of their functions
  bool peak = false;
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
  std::unique_ptr<llvm::orc::LLJIT> linker;
  std::map<std::string, KernelFn> cache;  // by Kernel::key
  std::set<MicroKernel> micro;            // already linked
  std::optional<Peak> peak;
  int next_name = 0;
  JitStats stats;

  void add_objects(const std::vector<Work>& work);
};

Jit::Jit(const Target& target, int threads) : impl_(std::make_unique<Impl>()) {
  impl_->target = target;
  impl_->threads = std::max(threads, 1);
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

// Compiles each piece of work on its own thread, with its own context, and hands the object files to the
// linker.
void Jit::Impl::add_objects(const std::vector<Work>& work) {
  std::vector<llvm::SmallVector<char, 0>> objects(work.size());
  std::vector<std::exception_ptr> failed(work.size());
  auto make = [&](size_t i) {
    try {
      auto machine = target_machine(target);
      objects[i] = with_module(target, *machine, work[i], [&](llvm::Module& module) {
        return generate(*machine, module, llvm::CodeGenFileType::ObjectFile);
      });
    } catch (...) {
      failed[i] = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < work.size(); ++i) others.emplace_back(make, i);
  make(0);
  for (std::thread& t : others) t.join();
  for (const std::exception_ptr& e : failed)
    if (e) std::rethrow_exception(e);
  for (auto& object : objects) {
    stats.bytes += int64_t(object.size());
    take(linker->addObjectFile(std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(object), false)));
  }
}

std::vector<KernelFn> Jit::compile(std::span<const Kernel> kernels) {
  auto began = std::chrono::steady_clock::now();
  std::vector<std::string> keys;
  std::map<std::string, std::pair<const Kernel*, std::string>> missing;  // by key: the kernel and its name
  for (const Kernel& kernel : kernels) {
    check(kernel);
    keys.push_back(kernel.key());
    if (!impl_->cache.contains(keys.back()) && !missing.contains(keys.back()))
      missing[keys.back()] = {&kernel, fmt::format("kernel_{}", impl_->next_name++)};
  }
  if (!missing.empty()) {
    std::vector<Work> work(size_t(impl_->threads));
    std::vector<size_t> load(work.size());  // arithmetic instructions, roughly
    auto lightest = [&](size_t cost) -> Work& {
      size_t w = size_t(std::min_element(load.begin(), load.end()) - load.begin());
      load[w] += cost;
      return work[w];
    };
    for (auto& [key, entry] : missing) lightest(20 + 8 * entry.first->body.size()).kernels.push_back(entry);
    std::vector<MicroKernel> micro = micro_kernels(kernels, impl_->target);
    std::erase_if(micro, [&](const MicroKernel& m) { return impl_->micro.contains(m); });
    for (const MicroKernel& m : micro) lightest(size_t(10 + 3 * m.rows * m.vectors)).micro.push_back(m);
    std::erase_if(work, [](const Work& w) { return w.kernels.empty() && w.micro.empty(); });
    impl_->add_objects(work);

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
  Work work;
  work.peak = true;
  impl_->add_objects({work});
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
