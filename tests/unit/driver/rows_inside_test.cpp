// Values with several dimensions, some of them variable: what the equations mean, computed by loops over the
// examples, against the interpreter and the compiled program.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "tests/unit/driver/models.h"
#include "tests/unit/driver/rows_world.h"

namespace rnnc {
namespace {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

/// One example: x is T x 2, s is S x 2, v is 2, p is 3 x 4, a is T x T.
struct Example {
  Matrix x, s, p, a;
  Vector v;
};

const std::vector<int32_t> kLongT{4, 3, 2, 0}, kLongS{2, 0, 3, 1};

Matrix random_matrix(size_t rows, size_t cols, std::mt19937& random) {
  std::uniform_real_distribution<double> uniform(-1, 1);
  Matrix m(rows, Vector(cols));
  for (Vector& row : m)
    for (double& x : row) x = uniform(random);
  return m;
}

std::vector<Example> examples() {
  std::mt19937 random(11);
  std::vector<Example> list;
  for (size_t r = 0; r < kLongT.size(); ++r) {
    const auto t = size_t(kLongT[r]), s = size_t(kLongS[r]);
    list.push_back({random_matrix(t, 2, random), random_matrix(s, 2, random), random_matrix(3, 4, random),
                    random_matrix(t, t, random), random_matrix(1, 2, random)[0]});
  }
  return list;
}

Vector flat(const Matrix& m) {
  Vector all;
  for (const Vector& row : m) all.insert(all.end(), row.begin(), row.end());
  return all;
}

std::string model_text(const std::string& definitions, const std::string& equations,
                       const std::string& show) {
  return "dim E = 2\n" + definitions + R"(
data d {
  read "x.npy" as npy
  x: [T, E] = number(col(1))
  s: [S, E] = number(col(2))
  v: [E]    = number(col(3))
  p: [Y, X] = number(col(4))
  a: [T, T] = number(col(5))
}
model m(x: [T, E], s: [S, E], v: [E], p: [Y, X], a: [T, T]) -> (out: []) {
  )" + equations +
         R"(
  out = sum(v)
}
train m on d {
  loss      mean(out)
  optimizer sgd(rate = 0.1)
  epochs    1
}
predict m {
  show )" +
         show + "\n}\n";
}

/// The value shown, in the order of its rows.
Vector shown(const std::string& equations, const std::string& show, const std::string& definitions) {
  Examples given;
  given.count = int64_t(kLongT.size());
  given.lengths = {kLongT, kLongS};
  test::RowsWorld world(
      test::lower_text(model_text(definitions, equations, show), {{"Y", 3}, {"X", 4}}, {"T", "S"}),
      ProgramKind::Predict, given);
  for (const Example& e : examples()) {
    world.add("x", flat(e.x));
    world.add("s", flat(e.s));
    world.add("v", e.v);
    world.add("p", flat(e.p));
    world.add("a", flat(e.a));
  }
  return world.output("show.0");
}

/// What `value` is of each example, one after the other.
void expect_shown(const std::string& equations, const std::string& show,
                  const std::function<Vector(const Example&)>& value, const std::string& definitions = "") {
  SCOPED_TRACE(equations + " | " + show);
  const Vector got = shown(equations, show, definitions);
  Vector want;
  for (const Example& e : examples())
    for (double x : value(e)) want.push_back(x);
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-9) << "element " << i;
}

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
Vector softmax(const Vector& x) {
  Vector y;
  double total = 0;
  for (double v : x) total += std::exp(v);
  for (double v : x) y.push_back(std::exp(v) / total);
  return y;
}
/// Σ w[i] m[i]
Vector mixed(const Vector& w, const Matrix& m) {
  Vector y(2);
  for (size_t i = 0; i < m.size(); ++i)
    for (size_t c = 0; c < 2; ++c) y[c] += w[i] * m[i][c];
  return y;
}
Vector attended(const Vector& q, const Matrix& m) {
  Vector scores;
  for (const Vector& k : m) scores.push_back(dot(k, q) / std::sqrt(2));
  return mixed(softmax(scores), m);
}

TEST(RowsInside, EachStepMeetsEachElementOfAnotherSequence) {
  const std::string layer = "layer pair(q: [E]) with (k: [S, E]) -> (y: [S]) {\n  y = k @ q\n}\n";
  expect_shown(
      "y = pair(x, k = s)", "sum over T, S (y ^ 2)",
      [](const Example& e) {
        double sum = 0;
        for (const Vector& q : e.x)
          for (const Vector& k : e.s) sum += dot(q, k) * dot(q, k);
        return Vector{sum};
      },
      layer);
  expect_shown(
      "y = pair(x, k = s)", "sum over T (max over S (y))",
      [](const Example& e) {
        double sum = 0;
        for (const Vector& q : e.x) {
          double most = e.s.empty() ? 0 : -1e9;
          for (const Vector& k : e.s) most = std::max(most, dot(q, k));
          sum += most;
        }
        return Vector{sum};
      },
      layer);
}

TEST(RowsInside, AttentionAsALayer) {
  expect_shown("y = attend(x, k = s, v = s)", "sum over T (y)", [](const Example& e) {
    Vector sum(2);
    for (const Vector& q : e.x)
      for (size_t c = 0; c < 2; ++c) sum[c] += attended(q, e.s)[c];
    return sum;
  });
  expect_shown("y = attend(x, k = x, v = x)", "last(y)",
               [](const Example& e) { return e.x.empty() ? Vector(2) : attended(e.x.back(), e.x); });
}

TEST(RowsInside, AttentionInACell) {
  const std::string cell = R"(
cell looking(x: [E]; h: [E]) with (m: [S, E]) {
  w  = softmax over S (m @ h + sum over E (m))
  h' = tanh(x + w @ m)
}
)";
  expect_shown(
      "h = scan looking over x with m = s", "last(h)",
      [](const Example& e) {
        Vector h(2);
        for (const Vector& x : e.x) {
          Vector scores;
          for (const Vector& k : e.s) scores.push_back(dot(k, h) + k[0] + k[1]);
          const Vector read = mixed(softmax(scores), e.s);
          for (size_t c = 0; c < 2; ++c) h[c] = std::tanh(x[c] + read[c]);
        }
        return h;
      },
      cell);
}

double at(const Matrix& p, int y, int x) {
  return y < 0 || x < 0 || y >= int(p.size()) || x >= int(p[0].size()) ? 0 : p[size_t(y)][size_t(x)];
}

TEST(RowsInside, WindowsOfAPicture) {
  expect_shown("w = window over Y (window over X (window over X (p, 1), 3, center = yes), 2)", "flatten(w)",
               [](const Example& e) {
                 Vector all;
                 for (int y = 0; y < 3; ++y)
                   for (int x = 0; x < 4; ++x)
                     for (int dy = 0; dy < 2; ++dy)
                       for (int dx = 1; dx >= -1; --dx) all.push_back(at(e.p, y - dy, x + dx));
                 return all;
               });
  expect_shown(
      "b = max(p, delay over X (p, -1))\n  w = every over X (max(b, delay over Y (b, -1)), 2)\n  q = every "
      "over Y (w, 2)",
      "flatten(q)", [](const Example& e) {
        Vector all;
        for (int y = 0; y < 3; y += 2)
          for (int x = 0; x < 4; x += 2)
            all.push_back(std::max(std::max(at(e.p, y, x), at(e.p, y, x + 1)),
                                   std::max(at(e.p, y + 1, x), at(e.p, y + 1, x + 1))));
        return all;
      });
}

TEST(RowsInside, ReductionsOverSomeDimensions) {
  expect_shown("", "mean over Y (p)", [](const Example& e) {
    Vector mean(4);
    for (size_t x = 0; x < 4; ++x)
      for (size_t y = 0; y < 3; ++y) mean[x] += e.p[y][x] / 3;
    return mean;
  });
  expect_shown("", "min over X (p)", [](const Example& e) {
    Vector least;
    for (const Vector& row : e.p) least.push_back(*std::min_element(row.begin(), row.end()));
    return least;
  });
  expect_shown("q = softmax over Y (p)", "sum over X (q)", [](const Example& e) {
    Vector sum(3);
    for (size_t x = 0; x < 4; ++x) {
      const Vector q = softmax({e.p[0][x], e.p[1][x], e.p[2][x]});
      for (size_t y = 0; y < 3; ++y) sum[y] += q[y];
    }
    return sum;
  });
}

TEST(RowsInside, ProductsOfValuesOfEachRow) {
  expect_shown("", "flatten(p @ transpose(p))", [](const Example& e) {
    Vector all;
    for (const Vector& a : e.p)
      for (const Vector& b : e.p) all.push_back(dot(a, b));
    return all;
  });
  expect_shown("y = a @ x", "sum over T (y ^ 2)", [](const Example& e) {
    Vector sum(2);
    for (const Vector& row : e.a) {
      const Vector y = mixed(row, e.x);
      for (size_t c = 0; c < 2; ++c) sum[c] += y[c] * y[c];
    }
    return sum;
  });
  expect_shown("y = transpose(a) @ x", "last(y)", [](const Example& e) {
    Vector y(2);
    for (size_t i = 0; i < e.x.size(); ++i)
      for (size_t c = 0; c < 2; ++c) y[c] += e.a[i].back() * e.x[i][c];
    return y;
  });
  expect_shown("y = scale(sum over E (x), x)\n  z = outer(v, b = v)", "concat(last(y), flatten(z))",
               [](const Example& e) {
                 Vector all(2);
                 if (!e.x.empty())
                   for (size_t c = 0; c < 2; ++c) all[c] = (e.x.back()[0] + e.x.back()[1]) * e.x.back()[c];
                 for (double a : e.v)
                   for (double b : e.v) all.push_back(a * b);
                 return all;
               });
}

TEST(RowsInside, EveryAndWholeWindowsAlongASequence) {
  expect_shown("y = every(x, 2)", "concat(last(y), sum over T (x) - sum(y), mean(y))", [](const Example& e) {
    Vector last(2), rest(2);
    double sum = 0, n = 0;
    for (size_t t = 0; t < e.x.size(); ++t) {
      for (size_t c = 0; c < 2; ++c) {
        if (t % 2 == 0) last[c] = e.x[t][c];
        rest[c] += e.x[t][c];
        if (t % 2 == 0) sum += e.x[t][c];
        if (t % 2 == 0) n += 1;
      }
    }
    return Vector{last[0], last[1], rest[0] - sum, rest[1] - sum, n == 0 ? 0 : sum / n};
  });
  expect_shown("y = window(x, 3, full = yes)", "concat(sum(y), last(y))", [](const Example& e) {
    Vector last(6);
    double sum = 0;
    for (size_t t = 0; t + 2 < e.x.size(); ++t)
      for (size_t k = 0; k < 3; ++k)
        for (size_t c = 0; c < 2; ++c) sum += last[2 * k + c] = e.x[t + 2 - k][c];
    last.insert(last.begin(), sum);
    return last;
  });
  const std::string sum = "cell adding(x: [E]; h: [E]) {\n  h' = x + 0.5 * h\n}\n";
  expect_shown(
      "h = scan reverse(adding) over every(x, 2)", "final(h)",
      [](const Example& e) {
        Vector h(2);
        for (size_t t = (e.x.size() + 1) / 2; t-- > 0;)
          for (size_t c = 0; c < 2; ++c) h[c] = e.x[2 * t][c] + 0.5 * h[c];
        return h;
      },
      sum);
}

TEST(RowsInside, ScansAlongAFixedDimensionAndForANumberOfSteps) {
  const std::string cells = R"(
cell adding(x: [X]; h: [X]) {
  h' = x + 0.5 * h
}
cell growing(; h: [E]) with (b: [E]) {
  h' = 2 * h + b
}
cell round(; h: [T, E]) with (x: [T, E], a: [T, T]) {
  h' = 0.5 * (a @ h) + x
}
)";
  expect_shown(
      "h = scan adding over p", "concat(last(h), flatten(h), mean over Y (h))",
      [](const Example& e) {
        Vector all, h(4), mean(4);
        for (const Vector& row : e.p)
          for (size_t x = 0; x < 4; ++x) {
            h[x] = row[x] + 0.5 * h[x];
            mean[x] += h[x] / 3;
            all.push_back(h[x]);
          }
        all.insert(all.begin(), h.begin(), h.end());
        all.insert(all.end(), mean.begin(), mean.end());
        return all;
      },
      cells);
  expect_shown(
      "h = scan growing for 3 with b = v from h = v", "last(h)",
      [](const Example& e) {
        Vector h = e.v;
        for (int i = 0; i < 3; ++i)
          for (size_t c = 0; c < 2; ++c) h[c] = 2 * h[c] + e.v[c];
        return h;
      },
      cells);
  expect_shown(
      "h = scan growing for T with b = v", "last(h)",
      [](const Example& e) {
        Vector h(2);
        for (size_t i = 0; i < e.x.size(); ++i)
          for (size_t c = 0; c < 2; ++c) h[c] = 2 * h[c] + e.v[c];
        return h;
      },
      cells);
  expect_shown(
      "h = scan round for 3 with x = x, a = a from h = x", "sum over T (last(h))",
      [](const Example& e) {
        Matrix h = e.x;
        for (int i = 0; i < 3; ++i) {
          Matrix next;
          for (size_t t = 0; t < e.x.size(); ++t) {
            next.push_back(mixed(e.a[t], h));
            for (size_t c = 0; c < 2; ++c) next.back()[c] = 0.5 * next.back()[c] + e.x[t][c];
          }
          h = next;
        }
        Vector sum(2);
        for (const Vector& row : h)
          for (size_t c = 0; c < 2; ++c) sum[c] += row[c];
        return sum;
      },
      cells);
}

TEST(RowsInside, MessagesThatDependOnBothEnds) {
  const std::string layer = R"(
layer msg(h: [E], e: [N]) with (all: [N, E]) -> (m: [E]) {
  m = e @ tanh(all + h)
}
)";
  expect_shown(
      "m = msg(x, a, all = x)", "sum over T (m)",
      [](const Example& e) {
        Vector sum(2);
        for (size_t i = 0; i < e.x.size(); ++i)
          for (size_t j = 0; j < e.x.size(); ++j)
            for (size_t c = 0; c < 2; ++c) sum[c] += e.a[i][j] * std::tanh(e.x[j][c] + e.x[i][c]);
        return sum;
      },
      layer);
}

}  // namespace
}  // namespace rnnc
