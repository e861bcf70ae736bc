// Arrays of other programs, as bytes written by hand.
#include "runtime/arrays.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "runtime/errors.h"

namespace rnnc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <typename Number>
std::string npy(const std::string& type, const std::string& order, const std::string& shape,
                const std::vector<Number>& numbers) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  header.resize((header.size() + 10 + 64) / 64 * 64 - 11, ' ');
  header += '\n';
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 255);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number));
  return bytes;
}

std::string refusal(const std::string& bytes) {
  try {
    read_npy(bytes, "w.npy");
  } catch (const DataError& error) {
    return error.message().message;
  }
  return "";
}

TEST(Arrays, Npy) {
  const NumberArray a = read_npy(npy<float>("<f4", "False", "(2, 3)", {1, 2, 3, 4, 5, 6.5f}), "w.npy");
  EXPECT_THAT(a.shape, ElementsAre(2, 3));
  EXPECT_THAT(a.values, ElementsAre(1, 2, 3, 4, 5, 6.5f));
  const NumberArray b = read_npy(npy<double>("<f8", "False", "(2,)", {0.25, -1}), "w.npy");
  EXPECT_THAT(b.shape, ElementsAre(2));
  EXPECT_THAT(b.values, ElementsAre(0.25f, -1));
  EXPECT_TRUE(read_npy(npy<float>("<f4", "False", "()", {3}), "w.npy").shape.empty());
}

TEST(Arrays, NpyRefusals) {
  EXPECT_THAT(refusal("hello"), HasSubstr("no .npy"));
  EXPECT_THAT(refusal(npy<int64_t>("<i8", "False", "(1,)", {3})), HasSubstr("not float32"));
  EXPECT_THAT(refusal(npy<float>("|O", "False", "(1,)", {3})), HasSubstr("not float32"));
  EXPECT_THAT(refusal(npy<float>("<f4", "True", "(1, 2)", {3, 4})), HasSubstr("C order"));
  EXPECT_THAT(refusal(npy<float>("<f4", "False", "(3,)", {3, 4})), HasSubstr("8 bytes for 3 numbers"));
  EXPECT_THAT(refusal(npy<float>("<f4", "False", "(-3,)", {3, 4})), HasSubstr("shape"));
  EXPECT_THAT(refusal(npy<float>("<f4", "False", "(1,)", {3}).substr(0, 40)),
              HasSubstr("ends in its header"));
}

TEST(Arrays, Vectors) {
  const Vocabulary words({"<unk>", "a", "b", "ü"});
  std::vector<float> table(8, 9);
  EXPECT_EQ(read_vectors("3 2\na 1 2\nother 3 4\r\n\xc3\xbc\t-1e-1 0.5\na 7 7\n", "v.txt", words, 2, table),
            2);
  EXPECT_THAT(table, ElementsAre(9, 9, 1, 2, 9, 9, -0.1f, 0.5f));
  for (const auto& [text, message] :
       {std::pair<std::string, std::string>{"a 1 2\nb 1\n", "1 numbers behind `b`"},
        {"a 1 x\n", "`x` is not a number"}}) {
    try {
      read_vectors(text, "v.txt", words, 2, table);
      ADD_FAILURE() << text;
    } catch (const DataError& error) {
      EXPECT_THAT(error.message().message, HasSubstr(message));
      EXPECT_GT(error.message().line, 0);
    }
  }
}

}  // namespace
}  // namespace rnnc
