// BLEU-4 of a corpus with one reference for each text (Papineni, Roukos, Ward, Zhu: "BLEU: a Method for
// Automatic Evaluation of Machine Translation", ACL 2002), without smoothing.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace rnnc {

class Bleu {
 public:
  static constexpr size_t kOrders = 4;

  /// Takes in one text and its reference, as numbers of words.
  void add(std::span<const int32_t> written, std::span<const int32_t> reference);

  /// From 0 to 100: the geometric mean of the shares of n-grams (n = 1 .. 4) that also stand in the
  /// reference, each counted at most as often as there, over all texts together; times e^(1 - r / c) if the c
  /// words written are fewer than the r words of the references. 0 where one of the shares is 0.
  double value() const;

 private:
  std::array<int64_t, kOrders> found_{}, all_{};  // n-grams of the texts, in the reference and at all
  int64_t written_ = 0, reference_ = 0;           // words
};

}  // namespace rnnc
