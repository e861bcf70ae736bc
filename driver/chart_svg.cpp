// Charts as SVG, and pages of them: see chart.h.
#include <fmt/format.h>

#include <array>

#include "driver/chart.h"

namespace rnnc {
namespace {

class SvgPaper : public Paper {
 public:
  void lines(const std::vector<std::pair<double, double>>& points, const Line& line) override {
    std::string path;
    for (const auto& [x, y] : points) path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x, y);
    drawn += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{:g}\"{}/>\n", path,
                         line.colour, line.width, line.dashed ? " stroke-dasharray=\"5 3\"" : "");
  }
  void dot(double x, double y, const std::string& colour, const std::string& hint) override {
    drawn +=
        fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\" fill=\"{}\"><title>{}</title></circle>\n",
                    x, y, colour, escaped(hint));
  }
  void text(double x, double y, const std::string& text, Anchor anchor, double size, bool upwards) override {
    constexpr std::array kAnchors = {"start", "middle", "end"};
    const std::string place = upwards
                                  ? fmt::format("transform=\"translate({:.1f} {:.1f}) rotate(-90)\"", x, y)
                                  : fmt::format("x=\"{:.1f}\" y=\"{:.1f}\"", x, y);
    drawn += fmt::format("<text {} font-size=\"{:g}\" text-anchor=\"{}\">{}</text>\n", place, size,
                         kAnchors.at(static_cast<size_t>(anchor)), escaped(text));
  }

  std::string drawn;
};

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
  SvgPaper paper;
  draw(chart, paper);
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
      "role=\"img\" font-family=\"sans-serif\">\n<title>{2}</title>\n{3}</svg>\n",
      kChartWidth, kChartHeight, escaped(chart.title), paper.drawn);
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
