// Line charts, laid out once for whatever they are drawn on: SVG in pages that need nothing but themselves,
// or a picture (PNG).
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

inline constexpr double kChartWidth = 760, kChartHeight = 300;  // in pixels of a page

/// What charts are drawn on: x to the right and y down from the upper left corner of the chart.
class Paper {
 public:
  enum class Anchor { Start, Middle, End };
  struct Line {
    std::string colour;  // #rrggbb
    double width = 1;
    bool dashed = false;
  };

  virtual ~Paper() = default;
  virtual void lines(const std::vector<std::pair<double, double>>& points, const Line& line) = 0;
  /// `hint`: what the dot stands for, where that can be shown.
  virtual void dot(double x, double y, const std::string& colour, const std::string& hint) = 0;
  /// Along the base line; `upwards`: turned by a quarter to the left.
  virtual void text(double x, double y, const std::string& text, Anchor anchor, double size = 12,
                    bool upwards = false) = 0;
};

void draw(const Chart& chart, Paper& paper);

/// An <svg> element; titles and names are escaped.
std::string svg(const Chart& chart);

/// A whole page: a heading, a few words, charts one below the other. `text` is HTML.
std::string page(const std::string& title, const std::string& text, const std::vector<Chart>& charts);

/// The same heading and charts as a PNG file's bytes, two pixels for each of a page. Throws RunError.
std::string picture(const std::string& title, const std::vector<Chart>& charts);

/// Text as HTML.
std::string escaped(const std::string& text);

}  // namespace rnnc
