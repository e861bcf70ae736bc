// Layout of line charts: see chart.h.
#include "driver/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace rnnc {
namespace {

constexpr double kWidth = kChartWidth, kHeight = kChartHeight, kLeft = 70, kRight = 20, kTop = 40,
                 kBottom = 50;
constexpr double kDecades = 2;    // a logarithmic axis shorter than this has round numbers, not powers of ten
constexpr size_t kMostDots = 60;  // points of a curve that are shown one by one
// Told apart by most eyes (Okabe and Ito).
constexpr std::array kColours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"};

/// About five round numbers within these bounds, `finest` or more apart.
std::vector<double> round_numbers(double least, double most, double finest = 0) {
  constexpr double kWanted = 5;
  const double span = most - least;
  double step = std::pow(10, std::floor(std::log10(span / kWanted)));
  for (const double factor : {2.0, 2.5, 2.0})
    if (span / step > kWanted * 1.5) step *= factor;
  if (finest > 0) step = std::max(finest, std::round(step));
  std::vector<double> at;
  for (double i = std::ceil(least / step - 1e-9); i * step <= most + span * 1e-9; ++i) at.push_back(i * step);
  return at;
}

/// An axis: from where to where, and how far it reaches on the page.
struct Axis {
  double least = std::numeric_limits<double>::infinity(), most = -least;
  bool logarithmic = false;

  double scaled(double value) const { return logarithmic ? std::log10(value) : value; }
  bool shows(double value) const { return std::isfinite(value) && (!logarithmic || value > 0); }
  void take(double value) {
    least = std::min(least, scaled(value));
    most = std::max(most, scaled(value));
  }
  void settle() {
    if (!(least <= most)) least = 0, most = 1;
    if (least < most) return;
    const double around = least == 0 || logarithmic ? 0.5 : std::abs(least) / 2;
    least -= around;
    most += around;
  }
  /// From 0 to 1.
  double share(double value) const { return (scaled(value) - least) / (most - least); }

  std::vector<double> ticks() const {
    if (!logarithmic) return round_numbers(least, most);
    if (most - least < kDecades) return round_numbers(std::pow(10, least), std::pow(10, most));
    std::vector<double> powers = round_numbers(least, most, 1);
    for (double& power : powers) power = std::pow(10, power);
    return powers;
  }
};

std::string label(double value) {
  return fmt::format("{:.6g}", std::abs(value) < 1e-300 ? 0.0 : value);
}

}  // namespace

void draw(const Chart& chart, Paper& paper) {
  using Anchor = Paper::Anchor;
  Axis x, y;
  y.logarithmic = chart.logarithmic;
  for (const Curve& curve : chart.curves) {
    for (const auto& [across, up] : curve.points) {
      if (!x.shows(across) || !y.shows(up)) continue;
      x.take(across);
      y.take(up);
    }
  }
  x.settle();
  y.settle();
  const auto at_x = [&](double v) { return kLeft + x.share(v) * (kWidth - kLeft - kRight); };
  const auto at_y = [&](double v) { return kHeight - kBottom - y.share(v) * (kHeight - kTop - kBottom); };

  paper.text(kLeft, 16, chart.title, Anchor::Start, 14);
  paper.text((kLeft + kWidth - kRight) / 2, kHeight - 10, chart.across, Anchor::Middle);
  paper.text(14, (kTop + kHeight - kBottom) / 2, chart.up, Anchor::Middle, 12, true);
  const Paper::Line grid{"#dddddd", 1, false};
  for (const double tick : y.ticks()) {
    paper.lines({{kLeft, at_y(tick)}, {kWidth - kRight, at_y(tick)}}, grid);
    paper.text(kLeft - 6, at_y(tick) + 4, label(tick), Anchor::End);
  }
  for (const double tick : x.ticks()) {
    paper.lines({{at_x(tick), kTop}, {at_x(tick), kHeight - kBottom}}, grid);
    paper.text(at_x(tick), kHeight - kBottom + 16, label(tick), Anchor::Middle);
  }
  double legend = kLeft;
  for (size_t i = 0; i < chart.curves.size(); ++i) {
    const Curve& curve = chart.curves[i];
    const Paper::Line line{kColours.at(i % kColours.size()), 1.6, i >= kColours.size()};
    std::vector<std::pair<double, double>> piece;  // up to the next point that cannot be shown
    for (const auto& [across, up] : curve.points) {
      if (x.shows(across) && y.shows(up)) {
        piece.emplace_back(at_x(across), at_y(up));
        if (curve.points.size() <= kMostDots)
          paper.dot(at_x(across), at_y(up), line.colour, curve.name + ": " + label(up));
      } else if (!piece.empty()) {
        paper.lines(piece, line);
        piece.clear();
      }
    }
    if (!piece.empty()) paper.lines(piece, line);
    paper.lines({{legend, 28}, {legend + 18, 28}}, {line.colour, 2, line.dashed});
    paper.text(legend + 22, 32, curve.name, Anchor::Start);
    legend += 40 + 7 * static_cast<double>(curve.name.size());
  }
}

}  // namespace rnnc
