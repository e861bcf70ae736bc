// Line charts as SVG, for pages that need nothing but themselves.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace rnnc {

struct Curve {
  std::string name;
  std::vector<std::pair<double, double>> points;  // what is not finite is left out
};

struct Chart {
  std::string title, across, up;  // the title, what the axes show
  std::vector<Curve> curves;
  bool logarithmic = false;  // upwards; then only numbers above 0 are shown
};

/// An <svg> element; titles and names are escaped.
std::string svg(const Chart& chart);

/// A whole page: a heading, a few words, charts one below the other. `text` is HTML.
std::string page(const std::string& title, const std::string& text, const std::vector<Chart>& charts);

/// Text as HTML.
std::string escaped(const std::string& text);

}  // namespace rnnc
