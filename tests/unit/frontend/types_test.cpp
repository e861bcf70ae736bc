// Dimensions: equal after multiplying out, written the same way.
#include <gtest/gtest.h>

#include "frontend/types.h"

namespace rnnc {
namespace {

const Dim H = Dim::named("H"), K = Dim::named("K"), T = Dim::named("T");

TEST(Dim, MultipliesOut) {
  EXPECT_EQ((H + Dim(1)) * (H - Dim(1)), H * H - Dim(1));
  EXPECT_EQ(K * H, H * K);
  EXPECT_FALSE(H == K);
  EXPECT_EQ((H - H).number(), 0);
}

TEST(Dim, IsWrittenHighestProductsFirst) {
  EXPECT_EQ((Dim(1) + K * H).str(), "H*K + 1");
  EXPECT_EQ((T - K + Dim(1)).str(), "T - K + 1");
  EXPECT_EQ((Dim(2) * H).str(), "2*H");
  EXPECT_EQ(Dim().str(), "0");
  EXPECT_EQ((Dim(-1) * H).str(), "-H");
}

TEST(Dim, DividesRoundingUp) {
  EXPECT_EQ(Dim(5).divided_up(2).number(), 3);
  EXPECT_EQ(T.divided_up(2).str(), "T/2");
  EXPECT_EQ((T + Dim(1)).divided_up(2).str(), "(T + 1)/2");
  EXPECT_EQ(T.divided_up(2).value({{"T", 7}}), 4);
  EXPECT_EQ(T.divided_up(2).substitute({{"T", H.divided_up(2)}}).str(), "H/2/2");
  EXPECT_EQ(T.divided_up(2).names(), std::vector<std::string>{"T"});
  EXPECT_FALSE(T.divided_up(2).single_name());
}

TEST(Dim, FitsByNameAndByValueWhereThereIsNoName) {
  const DimValues known = {{"H", 256}, {"K", 256}};
  EXPECT_TRUE(fits(Dim(2) * H, Dim(512), known));
  EXPECT_FALSE(fits(H, K, known));
  EXPECT_FALSE(fits(T, Dim(3), known));
}

TEST(Dim, RefusesToOutgrowNumbers) {
  Dim big(int64_t{1} << 40);
  EXPECT_THROW(big * big, DimTooLarge);
  Dim many(1);
  EXPECT_THROW(for (int i = 0; i < 20; ++i) many =
                   many * (Dim::named(std::string(1, static_cast<char>('a' + i))) + Dim(1)),
               DimTooLarge);
}

TEST(ValueType, IsWrittenAsInTheLanguage) {
  EXPECT_EQ((ValueType{"", {}}).str(), "[]");
  EXPECT_EQ((ValueType{"", {T, H}}).str(), "[T, H]");
  EXPECT_EQ((ValueType{"C", {T}}).str(), "C[T]");
  EXPECT_EQ((ValueType{"L", {}}).str(), "L");
}

}  // namespace
}  // namespace rnnc
