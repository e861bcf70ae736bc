// Files of rows: see readers.h.
#include "runtime/readers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "runtime/errors.h"
#include "runtime/files.h"

namespace rnnc {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

[[noreturn]] void refuse(const std::string& file, TextPlace place, std::string message,
                         std::vector<std::string> notes = {}, std::vector<std::string> help = {}) {
  throw DataError({.file = file,
                   .line = place.line,
                   .column = place.column,
                   .message = std::move(message),
                   .notes = std::move(notes),
                   .help = std::move(help)});
}

// The text of a file as UTF-8 without byte-order mark.
std::string decode(std::string bytes, const std::string& name, const DataSource& source) {
  if (bytes.starts_with(kByteOrderMark)) bytes.erase(0, kByteOrderMark.size());
  if (const size_t nul = bytes.find('\0');
      nul != std::string::npos && (source.latin1 || nul < invalid_utf8(bytes)))
    refuse(name, place_in(bytes, nul), "a NUL byte: this is no text file");
  if (source.latin1) return latin1_to_utf8(bytes);
  const size_t bad = invalid_utf8(bytes);
  if (bad == std::string::npos) return bytes;
  const auto byte = static_cast<unsigned char>(bytes[bad]);
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF"))
    refuse(name, place_in(bytes, bad), fmt::format("not UTF-8 (byte 0x{:02X})", byte),
           {"it begins like UTF-16"}, {"save it as UTF-8"});
  refuse(name, place_in(bytes, bad), fmt::format("not UTF-8 (byte 0x{:02X})", byte), {},
         {fmt::format("`as {}`", format_text(source, "latin1 = yes"))});
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

}  // namespace

std::string format_text(const DataSource& source, std::string_view extra) {
  std::vector<std::string_view> options;
  if (source.header) options.emplace_back("header = yes");
  if (source.latin1) options.emplace_back("latin1 = yes");
  if (!extra.empty()) options.push_back(extra);
  if (options.empty()) return std::string(format_name(source.format));
  return fmt::format("{}({})", format_name(source.format), fmt::join(options, ", "));
}

/// Cuts the text of a file into the cells of a Table.
class TableReader {
 public:
  TableReader(Table& table, const DataSource& source) : table_(table), source_(source), text_(table.text_) {}

  void read() {
    switch (table_.format_) {
      case DataFormat::Lines:
      case DataFormat::Columns: read_lines(table_.format_ == DataFormat::Columns); break;
      case DataFormat::Tsv: read_tsv(); break;
      case DataFormat::Csv: read_csv(); break;
      case DataFormat::Blocks: read_blocks(); break;
      case DataFormat::Stream: read_stream(); break;
      case DataFormat::Trees: table_.trees_ = parse_trees(table_.name_, text_); break;
      case DataFormat::Idx:
      case DataFormat::Npy: break;  // side_by_side
    }
    if (source_.header) take_header();
  }

 private:
  // The end of the line that begins at `at`, without CR; `next` is the beginning of the following line.
  size_t line_end(size_t at, size_t& next) const {
    size_t end = std::min(text_.find('\n', at), text_.size());
    next = std::min(end + 1, text_.size());
    if (end > at && text_[end - 1] == '\r') --end;
    return end;
  }

  void read_lines(bool skip_blank) {
    table_.columns_ = 1;
    for (size_t at = 0; at < text_.size();) {
      size_t next = 0;
      const size_t end = line_end(at, next);
      const std::string_view line(text_.data() + at, end - at);
      if (!skip_blank || !std::ranges::all_of(line, is_blank)) table_.cells_.push_back({at, end, false});
      at = next;
    }
  }

  void read_blocks() {
    bool inside = false;
    for (size_t at = 0; at < text_.size();) {
      size_t next = 0;
      const size_t end = line_end(at, next);
      const bool blank = std::ranges::all_of(std::string_view(text_).substr(at, end - at), is_blank);
      if (!blank && !inside) table_.blocks_.push_back(table_.cells_.size());
      if (!blank) table_.cells_.push_back({at, end, false});
      inside = !blank;
      at = next;
    }
    table_.blocks_.push_back(table_.cells_.size());
  }

  // Messages count lines, so dropping the CRs moves no line.
  void read_stream() {
    std::string& text = table_.text_;
    if (text.find("\r\n") == std::string::npos) return;
    size_t to = 0;
    for (size_t at = 0; at < text.size(); ++at)
      if (text.compare(at, 2, "\r\n") != 0) text[to++] = text[at];
    text.resize(to);
  }

  void read_tsv() {
    for (size_t at = 0; at < text_.size();) {
      size_t next = 0;
      const size_t begin = at, end = line_end(at, next), before = table_.cells_.size();
      if (end > at) {
        for (size_t tab = at; tab != end; at = tab + 1) {
          tab = std::min(text_.find('\t', at), end);
          table_.cells_.push_back({at, tab, false});
        }
        end_row(begin, before);
      }
      at = next;
    }
  }

  void read_csv() {
    size_t at = 0;
    while (at < text_.size()) {
      size_t next = 0;
      if (line_end(at, next) == at) {  // an empty line
        at = next;
        continue;
      }
      const size_t begin = at, before = table_.cells_.size();
      bool more = true;
      while (more) {
        table_.cells_.push_back(text_.compare(at, 1, "\"") == 0 ? quoted_cell(at) : plain_cell(at));
        more = at < text_.size() && text_[at] == ',';
        if (more) ++at;
      }
      line_end(at, next);
      at = next;
      end_row(begin, before);
    }
  }

  // A cell without quotes; `at` moves to its comma or line end.
  Table::Cell plain_cell(size_t& at) const {
    const size_t begin = at;
    at = std::min(text_.find_first_of(",\n", at), text_.size());
    size_t end = at;
    if (end > begin && text_[end - 1] == '\r' && (at == text_.size() || text_[at] == '\n')) --end;
    return {begin, end, false};
  }

  // A cell in quotes; `at` moves to its comma or line end.
  Table::Cell quoted_cell(size_t& at) const {
    const size_t quote = at;
    Table::Cell cell{.begin = at + 1, .end = at + 1, .doubled = false};
    for (;;) {
      const size_t end = text_.find('"', at + 1);
      if (end == std::string::npos)
        refuse(table_.name_, place_in(text_, quote), "this quoted field is never closed");
      cell.end = end;
      at = cell.end + 1;
      if (at >= text_.size() || text_[at] != '"') break;
      cell.doubled = true;
    }
    if (text_.compare(at, 2, "\r\n") == 0 || (text_.compare(at, 1, "\r") == 0 && at + 1 == text_.size()))
      ++at;
    if (at < text_.size() && text_[at] != ',' && text_[at] != '\n')
      refuse(table_.name_, place_in(text_, at),
             "after the closing quote of a field comes a comma or the line end", {},
             {"a quote inside a quoted field is written twice: `\"\"`"});
    return cell;
  }

  // All rows are as long as the first.
  void end_row(size_t begin, size_t cells_before) {
    const size_t count = table_.cells_.size() - cells_before;
    if (table_.columns_ == 0) table_.columns_ = count;
    if (count != table_.columns_)
      refuse(table_.name_, place_in(text_, begin),
             fmt::format("this row has {} column{}, the first has {}", count, count == 1 ? "" : "s",
                         table_.columns_),
             {fmt::format("{}, line 1: {}", table_.name_, table_.first_row_text())});
  }

  void take_header() {
    if (table_.cells_.empty()) refuse(table_.name_, {1, 1}, "the file is empty, it has no header");
    for (size_t i = 0; i < table_.columns_; ++i)
      table_.header_.emplace_back(trim(table_.cell_text(table_.cells_[i])));
    table_.cells_.erase(table_.cells_.begin(), table_.cells_.begin() + static_cast<long>(table_.columns_));
  }

  Table& table_;
  const DataSource& source_;
  const std::string& text_;
};

std::string Table::cell_text(const Cell& cell) const {
  const std::string_view raw = std::string_view(text_).substr(cell.begin, cell.end - cell.begin);
  if (!cell.doubled) return std::string(raw);
  std::string text;
  for (size_t i = 0; i < raw.size(); ++i) {
    text += raw[i];
    if (raw[i] == '"') ++i;  // the second of two
  }
  return text;
}

size_t Table::rows() const {
  if (format_ == DataFormat::Stream) return text_.empty() ? 0 : 1;
  if (format_ == DataFormat::Trees) return trees_.rows();
  if (format_ == DataFormat::Blocks) return blocks_.empty() ? 0 : blocks_.size() - 1;
  if (is_array(format_)) return arrays_.empty() ? 0 : static_cast<size_t>(arrays_[0].rows());
  return columns_ == 0 ? 0 : cells_.size() / columns_;
}

size_t Table::elements(size_t row) const {
  if (format_ == DataFormat::Trees) return trees_.first[row + 1] - trees_.first[row];
  if (format_ == DataFormat::Blocks) return blocks_[row + 1] - blocks_[row];
  return 1;
}

std::string_view Table::line(size_t row) const {
  const Cell& cell = cells_[cell_of(row, 0)];
  return std::string_view(text_).substr(cell.begin, cell.end - cell.begin);
}

// The cell that holds a line: a row, or an element of a block.
size_t Table::cell_of(size_t row, size_t element) const {
  return format_ == DataFormat::Blocks ? blocks_[row] + element : row * columns_;
}

// The line of a row of `columns` or of an element of `blocks`, from column n on.
std::string_view Table::find_column(size_t row, size_t n, size_t element) const {
  const Cell& cell = cells_[cell_of(row, element)];
  const std::string_view whole = std::string_view(text_).substr(cell.begin, cell.end - cell.begin);
  size_t at = 0;
  for (size_t found = 1;; ++found) {
    while (at < whole.size() && is_blank(whole[at])) ++at;
    if (at == whole.size())
      refuse(
          name_, place(row, 0, element),
          fmt::format("this {} has {} column{}, column {} is needed",
                      format_ == DataFormat::Blocks ? "line" : "row", found - 1, found == 2 ? "" : "s", n));
    if (found == n) return whole.substr(at);
    while (at < whole.size() && !is_blank(whole[at])) ++at;
  }
}

std::string Table::column(size_t row, size_t n, size_t element) const {
  if (format_ != DataFormat::Columns && format_ != DataFormat::Blocks)
    return cell_text(cells_[row * columns_ + n - 1]);
  const std::string_view from = find_column(row, n, element);
  return std::string(from.substr(0, std::min(from.find_first_of(" \t"), from.size())));
}

std::string Table::rest(size_t row, size_t n) const {
  return std::string(find_column(row, n, 0));
}

const TreeNode& Table::node(size_t row, size_t element) const {
  return trees_.nodes[trees_.first[row] + element];
}

std::string Table::label(size_t row, size_t element) const {
  const TreeNode& n = node(row, element);
  return text_.substr(n.label, n.label_end - n.label);
}

std::string Table::leaf(size_t row, size_t element) const {
  const TreeNode& n = node(row, element);
  return text_.substr(n.leaf, n.leaf_end - n.leaf);
}

TextPlace Table::place(size_t row, size_t n, size_t element) const {
  switch (format_) {
    case DataFormat::Stream: return {1, 1};
    case DataFormat::Trees: return place_in(text_, node(row, element).begin);
    case DataFormat::Idx:
    case DataFormat::Npy: return {0, 0};
    case DataFormat::Columns:
    case DataFormat::Blocks: {
      size_t begin = cells_[cell_of(row, element)].begin;
      if (n > 0) begin = static_cast<size_t>(find_column(row, n, element).data() - text_.data());
      return place_in(text_, begin);
    }
    case DataFormat::Lines:
    case DataFormat::Csv:
    case DataFormat::Tsv: break;
  }
  const size_t column = n == 0 || format_ == DataFormat::Lines ? 0 : n - 1;
  return place_in(text_, cells_[row * columns_ + column].begin);
}

std::string Table::first_row_text() const {
  if (!header_.empty()) return fmt::format("{}", fmt::join(header_, ", "));
  std::vector<std::string> texts;
  for (const NumberArray& array : arrays_) texts.push_back(array.name());
  for (size_t i = 0; i < std::min(columns_, cells_.size()); ++i)
    texts.emplace_back(trim(cell_text(cells_[i])));
  return fmt::format("{}", fmt::join(texts, ", "));
}

Table parse_table(const std::string& name, std::string text, const DataSource& source) {
  Table table(name, file_stem(name), source.format);
  table.text_ = decode(std::move(text), name, source);
  TableReader(table, source).read();
  return table;
}

Table side_by_side(const DataSource& source, std::vector<NumberArray> arrays) {
  const NumberArray& first = arrays.at(0);
  Table table(first.name(), file_stem(first.name()), source.format);
  for (const NumberArray& array : arrays)
    if (array.rows() != first.rows())
      refuse(array.name(), {0, 0},
             fmt::format("{} entries, {} has {}: files side by side have equally many", array.rows(),
                         first.name(), first.rows()));
  table.columns_ = arrays.size();
  table.arrays_ = std::move(arrays);
  return table;
}

Table read_table(const DataFile& file, const DataSource& source) {
  return parse_table(file.name, read_file(file.path, file.name), source);
}

std::vector<Table> read_tables(const std::vector<DataFile>& files, const DataSource& source) {
  std::vector<Table> tables;
  std::vector<NumberArray> arrays;
  for (const DataFile& file : files) {
    if (source.format == DataFormat::Idx)
      arrays.push_back(parse_idx(file.name, read_file(file.path, file.name)));
    else if (source.format == DataFormat::Npy)
      arrays.push_back(parse_npy(file.name, read_file(file.path, file.name)));
    else tables.push_back(read_table(file, source));
  }
  if (!arrays.empty()) tables.push_back(side_by_side(source, std::move(arrays)));
  return tables;
}

}  // namespace rnnc
