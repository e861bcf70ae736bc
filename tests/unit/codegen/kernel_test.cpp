// Kernels and targets as values: keys, units, refusals.
#include "codegen/kernel.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/unit/codegen/harness.h"

namespace rnnc {
namespace {

Kernel copy_kernel() {
  Kernel k;
  k.operands = 2;
  k.body = {load(0), store(0, 1)};
  return k;
}

TEST(Kernel, KeysAreEqualExactlyForEqualKernels) {
  Kernel a = copy_kernel(), b = copy_kernel();
  EXPECT_EQ(a.key(), b.key());
  std::vector<Kernel> others(8, a);
  others[0].body[0].access = Access::RowVector;
  others[1].body[0].limit = 0;
  others[2].body[0].type = Type::I32;
  others[3].operands = 3;
  others[4].row_counts = 2;
  others[5].body.insert(others[5].body.begin() + 1, constant(0.0f));
  others[6].body.insert(others[6].body.begin() + 1, constant(-0.0f));
  others[7].product = {2, 1, {0}, {0}, 0};
  std::set<std::string> keys{a.key()};
  for (const Kernel& k : others) keys.insert(k.key());
  EXPECT_EQ(keys.size(), others.size() + 1);
}

TEST(Kernel, BestChunksWastesLeast) {
  EXPECT_EQ(best_chunks(64), 4);
  EXPECT_EQ(best_chunks(128), 4);
  EXPECT_EQ(best_chunks(48), 3);
  EXPECT_EQ(best_chunks(96), 3);
  EXPECT_EQ(best_chunks(10), 1);
  EXPECT_EQ(best_chunks(32), 2);
  EXPECT_EQ(best_chunks(80), 3);  // 96 columns in three chunks cost less than 80 one by one
  EXPECT_EQ(best_chunks(1), 1);
}

TEST(Kernel, NonsenseIsRefused) {
  auto refused = [](Kernel k, const char* why) {
    try {
      check(k);
      ADD_FAILURE() << "not refused: " << why;
    } catch (const KernelError& e) {
      EXPECT_THAT(e.what(), testing::HasSubstr(why));
    }
  };
  Kernel k = copy_kernel();
  check(k);
  k.body[0].operand = 2;
  refused(k, "no operand 2");
  k = copy_kernel();
  k.body[1].a = 1;
  refused(k, "no value 1");
  k = copy_kernel();
  k.body[0].limit = 1;
  refused(k, "no row count 1");
  k = copy_kernel();
  k.body[1].access = Access::ColVector;
  refused(k, "varies along the row");
  k = copy_kernel();
  k.body.insert(k.body.begin() + 1, compute(Op::MatMul, 0, 0));
  refused(k, "element by element");
  k = copy_kernel();
  k.body.insert(k.body.begin() + 1, part(0));
  refused(k, "no part 0");
  k = copy_kernel();
  k.product = {2, 1, {0}, {1}, 0};
  k.body.insert(k.body.begin() + 1, reduce(Op::SumCols, 0));
  refused(k, "beside a product");
  k = copy_kernel();
  k.kind = KernelKind::WeightGradient;
  refused(k, "3 operands");
  k.kind = KernelKind::ColumnSum;
  refused(k, "a store in a sum of rows");
}

TEST(Target, TilesFitIntoTheRegisters) {
  for (auto [lanes, registers] : {std::pair(16, 32), std::pair(8, 16), std::pair(4, 16), std::pair(4, 32)}) {
    Target t;
    t.lanes = lanes;
    t.registers = registers;
    for (int chunks = 1; chunks <= 12; ++chunks) {
      Tiling tiles = tiling(t, chunks);
      int vectors = 0;
      for (int pass : tiles.passes) {
        EXPECT_LE(tiles.rows * pass + pass + 1, t.registers);
        vectors += pass;
      }
      EXPECT_EQ(vectors * t.lanes, chunks * 16);
      EXPECT_GE(tiles.rows, 6);
    }
  }
}

TEST(Target, UnknownNamesAreRefused) {
  EXPECT_THROW(target_by_name("avx1024"), TargetError);
  Target host = host_target();
  EXPECT_EQ(target_by_name("host"), host);
  EXPECT_EQ(target_by_name(host.name), host);
}

}  // namespace
}  // namespace rnnc
