// Polynomials of dimension names, kept multiplied out.
#include "frontend/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

namespace rnnc {
namespace {

constexpr int64_t kLargest = int64_t{1} << 53;
constexpr size_t kMostTerms = 64;
constexpr size_t kMostFactors = 32;
constexpr size_t kLongestText = 1000;

int64_t checked(int64_t value, bool overflow) {
  if (overflow || value > kLargest || value < -kLargest) throw DimTooLarge();
  return value;
}

int64_t checked_product(int64_t a, int64_t b) {
  int64_t result = 0;
  const bool overflow = __builtin_mul_overflow(a, b, &result);
  return checked(result, overflow);
}

int64_t checked_sum(int64_t a, int64_t b) {
  int64_t result = 0;
  const bool overflow = __builtin_add_overflow(a, b, &result);
  return checked(result, overflow);
}

/// ⌈n/k⌉ for k > 0.
int64_t divide_up(int64_t n, int64_t k) {
  return n / k + (n % k > 0);
}

}  // namespace

struct Dim::Quotient {
  Dim dividend;
  int64_t divisor;
};

Dim::Dim(int64_t n) {
  add({}, checked(n, false));
}

Dim Dim::named(const std::string& name) {
  Dim result;
  result.add({Factor{name, nullptr}}, 1);
  return result;
}

void Dim::add(const Product& product, int64_t coefficient) {
  if (coefficient == 0) return;
  if (product.size() > kMostFactors) throw DimTooLarge();
  int64_t& term = terms_[product];
  term = checked_sum(term, coefficient);
  if (term == 0) terms_.erase(product);
  if (terms_.size() > kMostTerms) throw DimTooLarge();
}

Dim operator+(const Dim& a, const Dim& b) {
  Dim result = a;
  for (const auto& [product, coefficient] : b.terms_) result.add(product, coefficient);
  return result;
}

Dim operator-(const Dim& a, const Dim& b) {
  return a + b * Dim(-1);
}

Dim operator*(const Dim& a, const Dim& b) {
  Dim result;
  for (const auto& [left, x] : a.terms_) {
    for (const auto& [right, y] : b.terms_) {
      Dim::Product product = left;
      product.insert(product.end(), right.begin(), right.end());
      std::sort(product.begin(), product.end());
      result.add(product, checked_product(x, y));
    }
  }
  return result;
}

Dim Dim::divided_up(int64_t divisor) const {
  if (const auto n = number()) return Dim(divide_up(*n, divisor));
  if (divisor == 1) return *this;
  const auto& [product, coefficient] = *terms_.begin();
  const bool plain = terms_.size() == 1 && coefficient == 1 && product.size() == 1;
  const std::string text =
      plain ? fmt::format("{}/{}", str(), divisor) : fmt::format("({})/{}", str(), divisor);
  if (text.size() > kLongestText) throw DimTooLarge();
  Dim result;
  result.add({Factor{text, std::make_shared<Quotient>(Quotient{*this, divisor})}}, 1);
  return result;
}

std::optional<int64_t> Dim::number() const {
  if (terms_.empty()) return 0;
  if (terms_.size() == 1 && terms_.begin()->first.empty()) return terms_.begin()->second;
  return std::nullopt;
}

std::optional<int64_t> Dim::value(const DimValues& known) const {
  int64_t sum = 0;
  for (const auto& [product, coefficient] : terms_) {
    int64_t term = coefficient;
    for (const Factor& factor : product) {
      std::optional<int64_t> value;
      if (factor.quotient) {
        value = factor.quotient->dividend.value(known);
        if (value) value = divide_up(*value, factor.quotient->divisor);
      } else if (const auto it = known.find(factor.text); it != known.end()) {
        value = it->second;
      }
      if (!value) return std::nullopt;
      term = checked_product(term, *value);
    }
    sum = checked_sum(sum, term);
  }
  return sum;
}

std::optional<std::string> Dim::single_name() const {
  if (terms_.size() != 1 || terms_.begin()->second != 1) return std::nullopt;
  const Product& product = terms_.begin()->first;
  if (product.size() != 1 || product[0].quotient) return std::nullopt;
  return product[0].text;
}

std::vector<std::string> Dim::names() const {
  std::set<std::string> result;
  for (const auto& [product, coefficient] : terms_) {
    for (const Factor& factor : product) {
      if (!factor.quotient) {
        result.insert(factor.text);
      } else {
        for (std::string& name : factor.quotient->dividend.names()) result.insert(std::move(name));
      }
    }
  }
  return {result.begin(), result.end()};
}

Dim Dim::substitute(const DimBindings& bindings) const {
  Dim result;
  for (const auto& [product, coefficient] : terms_) {
    Dim term(coefficient);
    for (const Factor& factor : product) {
      if (factor.quotient) {
        term = term * factor.quotient->dividend.substitute(bindings).divided_up(factor.quotient->divisor);
      } else if (const auto it = bindings.find(factor.text); it != bindings.end()) {
        term = term * it->second;
      } else {
        term = term * named(factor.text);
      }
    }
    result = result + term;
  }
  return result;
}

std::string Dim::str() const {
  if (terms_.empty()) return "0";
  // Highest products first, positive terms before negative ones: `T - K + 1`.
  std::vector<std::pair<Product, int64_t>> terms(terms_.begin(), terms_.end());
  std::sort(terms.begin(), terms.end(), [](const auto& a, const auto& b) {
    if (a.first.size() != b.first.size()) return a.first.size() > b.first.size();
    if ((a.second > 0) != (b.second > 0)) return a.second > 0;
    return a.first < b.first;
  });
  std::string out;
  for (const auto& [product, coefficient] : terms) {
    const int64_t size = std::abs(coefficient);
    if (out.empty()) {
      if (coefficient < 0) out.push_back('-');
    } else {
      out += coefficient < 0 ? " - " : " + ";
    }
    if (size != 1 || product.empty()) out += fmt::format("{}{}", size, product.empty() ? "" : "*");
    for (size_t i = 0; i < product.size(); ++i) out.append(i > 0 ? "*" : "").append(product[i].text);
  }
  return out;
}

std::string join(const std::vector<Dim>& dims) {
  std::string out;
  for (const Dim& dim : dims) out += (out.empty() ? "" : ", ") + dim.str();
  return out;
}

std::string ValueType::str() const {
  if (is_category() && sizes.empty()) return vocabulary;
  return fmt::format("{}[{}]", vocabulary, join(sizes));
}

bool fits(const Dim& a, const Dim& b, const DimValues& known) {
  if (a == b) return true;
  if (a.has_names() && b.has_names()) return false;
  const auto x = a.value(known), y = b.value(known);
  return x && y && *x == *y;
}

bool fits(const std::vector<Dim>& a, const std::vector<Dim>& b, const DimValues& known) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](const Dim& x, const Dim& y) { return fits(x, y, known); });
}

}  // namespace rnnc
