// idx and npy: numbers of all types and both orders; files that are none of these.
#include "runtime/arrays.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using namespace std::string_literals;
using test::refusal;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<double> entry(const NumberArray& array, int64_t row) {
  std::vector<double> numbers(static_cast<size_t>(array.width()));
  array.entry(row, numbers);
  return numbers;
}

std::string npy(const std::string& type, const std::string& order, const std::string& shape,
                const std::string& numbers) {
  const std::string header =
      "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  return "\x93NUMPY\x01\x00"s + static_cast<char>(header.size()) + '\0' + header + numbers;
}

std::string why_idx(const std::string& bytes) {
  return refusal([&] { parse_idx("f", bytes); });
}
std::string why_npy(const std::string& bytes) {
  return refusal([&] { parse_npy("f", bytes); });
}

TEST(Idx, NumbersAreBigEndian) {
  const NumberArray bytes = parse_idx("f", "\0\0\x08\x03\0\0\0\2\0\0\0\1\0\0\0\2\1\2\xFF\4"s);
  EXPECT_EQ(bytes.rows(), 2);
  EXPECT_THAT(bytes.shape(), ElementsAre(1, 2));
  EXPECT_THAT(entry(bytes, 1), ElementsAre(255, 4));
  const NumberArray shorts = parse_idx("f", "\0\0\x0B\x01\0\0\0\2\1\2\xFF\xFE"s);
  EXPECT_THAT(entry(shorts, 0), ElementsAre(258));
  EXPECT_THAT(entry(shorts, 1), ElementsAre(-2));
}

TEST(Idx, WhatIsNone) {
  EXPECT_THAT(why_idx(""), HasSubstr("f: error: "));
  EXPECT_THAT(why_idx("text, no numbers"), HasSubstr("no idx file"));
  EXPECT_THAT(why_idx("\0\0\x07\x01\0\0\0\0"s), HasSubstr("there is no type of numbers 0x07"));
  EXPECT_THAT(why_idx("\0\0\x08\0"s), HasSubstr("an idx file without dimensions has no rows"));
  EXPECT_THAT(why_idx("\0\0\x08\x02\0\0\0\1"s), HasSubstr("cut short within its dimensions"));
  EXPECT_THAT(why_idx("\0\0\x08\x01\0\0\0\3\1\2"s),
              HasSubstr("cut short: its header says 11 bytes, it has 10"));
  EXPECT_THAT(why_idx("\0\0\x08\x01\0\0\0\1\1\2"s), HasSubstr("bytes after the last number"));
  EXPECT_THAT(why_idx("\0\0\x08\x03\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s),
              HasSubstr("more numbers than any file has"));
}

TEST(Npy, TypesAndOrders) {
  const NumberArray floats = parse_npy("f", npy("<f4", "False", "(2, 1)", "\0\0\x80\x3F\0\0\0\xC0"s));
  EXPECT_THAT(entry(floats, 0), ElementsAre(1));
  EXPECT_THAT(entry(floats, 1), ElementsAre(-2));
  EXPECT_THAT(entry(parse_npy("f", npy(">i2", "False", "(1,)", "\1\2")), 0), ElementsAre(258));
  EXPECT_THAT(entry(parse_npy("f", npy("<f2", "False", "(1,)", "\0\x3E"s)), 0), ElementsAre(1.5));
  EXPECT_THAT(entry(parse_npy("f", npy("|b1", "False", "(1,)", "\1")), 0), ElementsAre(1));
  const NumberArray columns = parse_npy("f", npy("|u1", "True", "(2, 3)", "\1\2\3\4\5\6"));
  EXPECT_THAT(entry(columns, 0), ElementsAre(1, 3, 5));
  EXPECT_THAT(entry(columns, 1), ElementsAre(2, 4, 6));
}

TEST(Npy, WhatIsNone) {
  EXPECT_THAT(why_npy(""), HasSubstr("no npy file"));
  EXPECT_THAT(why_npy("PK\3\4rest"), HasSubstr("an archive (npz) of several arrays"));
  EXPECT_THAT(why_npy(npy("|O", "False", "(1,)", "")), HasSubstr("Python objects"));
  EXPECT_THAT(why_npy(npy("<U4", "False", "(1,)", "")), HasSubstr("is none of numbers that are read"));
  EXPECT_THAT(why_npy(npy("<f4", "Maybe", "(1,)", "1234")), HasSubstr("no `fortran_order`"));
  EXPECT_THAT(why_npy(npy("<f4", "False", "()", "1234")), HasSubstr("one number alone has no rows"));
  EXPECT_THAT(why_npy(npy("<f4", "False", "(99999999999999999999,)", "")), HasSubstr("is too large"));
  EXPECT_THAT(why_npy(npy("<f4", "False", "(2,)", "1234")), HasSubstr("cut short"));
  EXPECT_THAT(why_npy("\x93NUMPY\x01\0\xFF\xFF{"s), HasSubstr("cut short within its header"));
  EXPECT_THAT(why_npy("\x93NUMPY\x09\0\1\0{"s), HasSubstr("npy of version 9 is not known"));
}

TEST(Arrays, AnyBytesAreReadOrRefused) {
  std::mt19937 random(1);
  const std::vector<std::string> seeds = {"\0\0\x08\x02\0\0\0\2\0\0\0\2\1\2\3\4"s,
                                          npy("<f4", "False", "(2, 1)", "12345678")};
  for (int i = 0; i < 4000; ++i) {
    for (const std::string& seed : seeds) {
      std::string bytes = seed;
      for (int n = 0; n < 3; ++n) bytes[random() % bytes.size()] = static_cast<char>(random());
      if (random() % 4 == 0) bytes.resize(random() % bytes.size());
      for (const auto& parse : {parse_idx, parse_npy}) {
        refusal([&] {
          const NumberArray array = parse("f", bytes);
          if (array.rows() > 0 && array.width() < 100) entry(array, array.rows() - 1);
        });
      }
    }
  }
}

}  // namespace
}  // namespace rnnc
