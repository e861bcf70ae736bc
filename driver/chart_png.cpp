// Charts as a picture, drawn by cairo: see chart.h.
#include <cairo.h>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>

#include "driver/chart.h"
#include "runtime/errors.h"

namespace rnnc {
namespace {

constexpr double kScale = 2;                   // pixels of the picture for one of a page: sharp on any screen
constexpr double kMargin = 20, kHeading = 50;  // around everything; above the charts

class PngPaper : public Paper {
 public:
  /// Draws with the present coordinates of `to`.
  explicit PngPaper(cairo_t* to) : to_(to) {}

  void lines(const std::vector<std::pair<double, double>>& points, const Line& line) override {
    constexpr double kDashes[] = {5, 3};
    set_colour(line.colour);
    cairo_set_line_width(to_, line.width);
    cairo_set_dash(to_, kDashes, line.dashed ? 2 : 0, 0);
    cairo_new_path(to_);
    for (const auto& [x, y] : points) cairo_line_to(to_, x, y);
    cairo_stroke(to_);
  }
  void dot(double x, double y, const std::string& colour, const std::string&) override {
    set_colour(colour);
    cairo_arc(to_, x, y, 2.5, 0, 2 * 3.14159265358979);
    cairo_fill(to_);
  }
  void text(double x, double y, const std::string& text, Anchor anchor, double size, bool upwards) override {
    set_colour("#000000");
    cairo_select_font_face(to_, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(to_, size);
    cairo_text_extents_t extents;
    cairo_text_extents(to_, text.c_str(), &extents);
    const double left = anchor == Anchor::Start ? 0 : anchor == Anchor::Middle ? 0.5 : 1;
    cairo_save(to_);
    cairo_translate(to_, x, y);
    if (upwards) cairo_rotate(to_, -3.14159265358979 / 2);
    cairo_move_to(to_, -left * extents.x_advance, 0);
    cairo_show_text(to_, text.c_str());
    cairo_restore(to_);
  }

 private:
  void set_colour(const std::string& colour) {
    const unsigned long rgb = std::strtoul(colour.c_str() + 1, nullptr, 16);
    const auto part = [&](int shift) { return static_cast<double>((rgb >> shift) & 255) / 255; };
    cairo_set_source_rgb(to_, part(16), part(8), part(0));
  }

  cairo_t* to_;
};

cairo_status_t append(void* to, const unsigned char* bytes, unsigned int count) {
  static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(bytes), count);
  return CAIRO_STATUS_SUCCESS;
}

}  // namespace

std::string picture(const std::string& title, const std::vector<Chart>& charts) {
  const double width = kChartWidth + 2 * kMargin;
  const double height = kHeading + static_cast<double>(charts.size()) * (kChartHeight + kMargin);
  const std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width * kScale),
                                 static_cast<int>(height * kScale)),
      cairo_surface_destroy);
  const std::unique_ptr<cairo_t, decltype(&cairo_destroy)> to(cairo_create(surface.get()), cairo_destroy);
  cairo_scale(to.get(), kScale, kScale);
  cairo_set_source_rgb(to.get(), 1, 1, 1);
  cairo_paint(to.get());
  PngPaper paper(to.get());
  cairo_translate(to.get(), kMargin, 0);
  paper.text(0, 32, title, Paper::Anchor::Start, 20, false);
  cairo_translate(to.get(), 0, kHeading);
  for (const Chart& chart : charts) {
    draw(chart, paper);
    cairo_translate(to.get(), 0, kChartHeight + kMargin);
  }
  std::string bytes;
  cairo_status_t status = cairo_status(to.get());
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_write_to_png_stream(surface.get(), append, &bytes);
  if (status != CAIRO_STATUS_SUCCESS)
    throw RunError(fmt::format("the picture cannot be drawn: {}", cairo_status_to_string(status)));
  return bytes;
}

}  // namespace rnnc
