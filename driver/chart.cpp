// Line charts as SVG: see chart.h.
#include "driver/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace rnnc {
namespace {

constexpr double kWidth = 760, kHeight = 300, kLeft = 70, kRight = 20, kTop = 40, kBottom = 50;
// Told apart by most eyes (Okabe and Ito).
constexpr std::array kColours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"};

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
    if (least == most) least -= 0.5, most += 0.5;
  }
  /// From 0 to 1.
  double share(double value) const { return (scaled(value) - least) / (most - least); }

  /// Round numbers, about five of them; of powers of ten whole ones if there are enough.
  std::vector<double> ticks() const {
    constexpr double kWanted = 5;
    const double span = most - least;
    double step = std::pow(10, std::floor(std::log10(span / kWanted)));
    for (const double factor : {2.0, 2.5, 2.0})
      if (span / step > kWanted * 1.5) step *= factor;
    if (logarithmic) step = std::max(1.0, std::round(step));
    std::vector<double> at;
    for (double i = std::ceil(least / step - 1e-9); i * step <= most + span * 1e-9; ++i) {
      const double value = i * step;
      at.push_back(logarithmic ? std::pow(10, value) : value);
    }
    return at;
  }
};

std::string label(double value) {
  return fmt::format("{:.6g}", std::abs(value) < 1e-300 ? 0.0 : value);
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '<') result += "&lt;";
    else if (c == '>') result += "&gt;";
    else if (c == '&') result += "&amp;";
    else if (c == '"') result += "&quot;";
    else result += c;
  }
  return result;
}

std::string svg(const Chart& chart) {
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

  std::string s = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" "
      "role=\"img\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<title>{}</title>\n",
      kWidth, kHeight, kWidth, kHeight, escaped(chart.title));
  s += fmt::format("<text x=\"{}\" y=\"16\" font-size=\"14\">{}</text>\n", kLeft, escaped(chart.title));
  s += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                   (kLeft + kWidth - kRight) / 2, kHeight - 10, escaped(chart.across));
  s += fmt::format("<text transform=\"translate(14 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                   (kTop + kHeight - kBottom) / 2, escaped(chart.up));
  for (const double tick : y.ticks())
    s += fmt::format(
        "<path d=\"M{0} {1:.1f}H{2}\" stroke=\"#ddd\"/><text x=\"{3}\" y=\"{4:.1f}\" "
        "text-anchor=\"end\">{5}</text>\n",
        kLeft, at_y(tick), kWidth - kRight, kLeft - 6, at_y(tick) + 4, label(tick));
  for (const double tick : x.ticks())
    s += fmt::format(
        "<path d=\"M{0:.1f} {1}V{2}\" stroke=\"#ddd\"/><text x=\"{0:.1f}\" y=\"{3}\" "
        "text-anchor=\"middle\">{4}</text>\n",
        at_x(tick), kTop, kHeight - kBottom, kHeight - kBottom + 16, label(tick));
  double legend = kLeft;
  for (size_t i = 0; i < chart.curves.size(); ++i) {
    const Curve& curve = chart.curves[i];
    const char* colour = kColours.at(i % kColours.size());
    const char* dash = i < kColours.size() ? "" : " stroke-dasharray=\"5 3\"";
    std::string path, dots;
    bool pen = false;  // is it on the paper?
    for (const auto& [across, up] : curve.points) {
      if (!x.shows(across) || !y.shows(up)) {
        pen = false;
        continue;
      }
      path += fmt::format("{}{:.1f} {:.1f}", pen ? "L" : "M", at_x(across), at_y(up));
      pen = true;
      if (curve.points.size() <= 60)
        dots += fmt::format(
            "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\" fill=\"{}\"><title>{}: {}</title></circle>",
            at_x(across), at_y(up), colour, escaped(curve.name), label(up));
    }
    if (!path.empty())
      s += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\"{}/>{}\n", path,
                       colour, dash, dots);
    s += fmt::format(
        "<path d=\"M{0} 28h18\" stroke=\"{1}\" stroke-width=\"2\"{2}/><text x=\"{3}\" y=\"32\">{4}</text>\n",
        legend, colour, dash, legend + 22, escaped(curve.name));
    legend += 40 + 7 * static_cast<double>(curve.name.size());
  }
  return s + "</svg>\n";
}

std::string page(const std::string& title, const std::string& text, const std::vector<Chart>& charts) {
  std::string s = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{0}</title>\n"
      "<style>body{{font-family:sans-serif;max-width:780px;margin:2em auto}}svg{{display:block;margin:1.5em "
      "0;"
      "max-width:100%;height:auto}}td,th{{padding:0 1em 0 0;text-align:right}}</style></head>\n"
      "<body>\n<h1>{0}</h1>\n{1}\n",
      escaped(title), text);
  for (const Chart& chart : charts) s += svg(chart);
  return s + "</body>\n</html>\n";
}

}  // namespace rnnc
