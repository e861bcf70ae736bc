// Dimensions as sums of products of names, and the types of values.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace rnnc {

class Dim;

/// Known sizes by name, from `dim` (or the data, later).
using DimValues = std::map<std::string, int64_t>;
/// What the local dimensions of a cell or layer stand for where it is used.
using DimBindings = std::map<std::string, Dim>;

/// A dimension outgrew what can be computed with: numbers beyond 2^53, hundreds of terms.
struct DimTooLarge : std::runtime_error {
  DimTooLarge() : std::runtime_error("this size is too large") {}
};

/// A dimension: a sum of products of names and whole numbers, where a factor may also be such a sum
/// divided by a number, rounded up. Multiplied out, so that equal dimensions compare equal.
class Dim {
 public:
  /// The number `n`. Zero is the empty sum.
  explicit Dim(int64_t n = 0);
  /// The dimension called `name`.
  static Dim named(const std::string& name);

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  /// This divided by `divisor` > 0, rounded up: ⌈d/k⌉.
  Dim divided_up(int64_t divisor) const;
  friend bool operator==(const Dim& a, const Dim& b) { return a.terms_ == b.terms_; }

  /// The number, if there is no name in it.
  std::optional<int64_t> number() const;
  /// The size where `known` has all its names.
  std::optional<int64_t> value(const DimValues& known) const;
  /// The name, if it is nothing but one.
  std::optional<std::string> single_name() const;
  /// All names in it, in alphabetical order.
  std::vector<std::string> names() const;
  bool has_names() const { return !number().has_value(); }
  /// With names replaced by what they stand for; names not in `bindings` stay.
  Dim substitute(const DimBindings& bindings) const;
  /// `2*H`, `K*E + 1`, `T/2`: the highest products first.
  std::string str() const;

 private:
  struct Quotient;
  /// A name, or a quotient; both are told apart and compared by how they are written.
  struct Factor {
    std::string text;
    std::shared_ptr<const Quotient> quotient;
    friend bool operator==(const Factor& a, const Factor& b) { return a.text == b.text; }
    friend bool operator<(const Factor& a, const Factor& b) { return a.text < b.text; }
  };
  using Product = std::vector<Factor>;  // in order; empty: the constant term

  void add(const Product& product, int64_t coefficient);

  std::map<Product, int64_t> terms_;  // no coefficient is 0
};

/// The type of a value: numbers, or categories of a vocabulary, and its sizes.
struct ValueType {
  std::string vocabulary;  ///< empty: numbers
  std::vector<Dim> sizes;

  bool is_category() const { return !vocabulary.empty(); }
  bool is_number() const { return !is_category() && sizes.empty(); }
  /// `[]`, `[T, E]`, `L`, `C[T]`
  std::string str() const;
  friend bool operator==(const ValueType&, const ValueType&) = default;
};

/// `T, 2*H`
std::string join(const std::vector<Dim>& dims);

/// Do two dimensions fit? Equal ones do; where one has no name in it, values are compared, as far as
/// `known` gives them.
bool fits(const Dim& a, const Dim& b, const DimValues& known);
bool fits(const std::vector<Dim>& a, const std::vector<Dim>& b, const DimValues& known);

}  // namespace rnnc
