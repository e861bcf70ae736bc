// What stands in the files: numbers where numbers are read, a few words of digits where text is.
#include "tests/fuzz/tiny_data.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

namespace rnnc::fuzz {
namespace {

namespace fs = std::filesystem;

/// What the fields want of a column.
struct Column {
  bool text = false;           // several words
  std::vector<int64_t> shape;  // of arrays: of an entry
};

struct Columns {
  std::map<int64_t, Column> numbered;  // from 1
  std::vector<std::string> named;
};

constexpr int64_t kMostColumns = 40;

void collect(const EncodeExpr& expr, const DataField& field, bool text, Columns& columns,
             std::vector<std::string>& lists) {
  const bool splits = expr.op == EncodeOp::Chars || expr.op == EncodeOp::Words || expr.op == EncodeOp::Bytes;
  if (!expr.list.empty()) lists.push_back(expr.list);
  if (expr.op == EncodeOp::Column || expr.op == EncodeOp::Rest) {
    if (!expr.text.empty()) columns.named.push_back(expr.text);
    else if (expr.number >= 1 && expr.number <= kMostColumns) {
      Column& column = columns.numbered[static_cast<int64_t>(expr.number)];
      column.text = column.text || text;
      column.shape.clear();
      for (const auto& size : field.sizes) column.shape.push_back(std::min<int64_t>(size.value_or(3), 64));
    }
  }
  for (const EncodeExpr& operand : expr.operands) collect(operand, field, text || splits, columns, lists);
}

int64_t rows_of(const DataSpec& spec) {
  constexpr int64_t kFew = 24, kMost = 4000;
  return spec.pieces ? std::clamp<int64_t>(4 * (spec.pieces.length + spec.pieces.offset), kFew, kMost) : kFew;
}

std::string number(int64_t row, int64_t column) {
  return std::to_string((row * 7 + column * 3) % 5 + 1);
}

/// One to four words; without blanks for formats that are cut at them.
std::string words(int64_t row, int64_t column, bool blanks) {
  std::string text;
  for (int64_t i = 0; i <= (row + column) % 4; ++i)
    text += (i > 0 && blanks ? " " : "") + number(row + i, column + 2 * i);
  return text;
}

std::string table(const Columns& columns, int64_t rows, const std::string& between, bool header) {
  int64_t count = columns.numbered.empty() ? 1 : columns.numbered.rbegin()->first;
  const int64_t first_named = count + 1;
  count += static_cast<int64_t>(columns.named.size());
  std::string text;
  const auto line = [&](auto cell) {
    for (int64_t c = 1; c <= count; ++c) text += (c > 1 ? between : "") + cell(c);
    text += '\n';
  };
  if (header)
    line([&](int64_t c) {
      return c < first_named ? "c" + std::to_string(c) : columns.named[static_cast<size_t>(c - first_named)];
    });
  for (int64_t r = 0; r < rows; ++r)
    line([&](int64_t c) {
      const auto known = columns.numbered.find(c);
      const bool is_text = known != columns.numbered.end() && known->second.text;
      return is_text ? words(r, c, between != " ") : number(r, c);
    });
  return text;
}

std::string big_endian(int64_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>((value >> shift) & 0xFF);
  return bytes;
}

/// Rows of bytes from 1 to 5 in one of the two formats of arrays.
std::string array(DataFormat format, int64_t rows, const std::vector<int64_t>& shape) {
  std::string sizes = big_endian(rows), tuple = std::to_string(rows) + ",", numbers;
  int64_t count = rows;
  for (const int64_t size : shape) {
    sizes += big_endian(size);
    tuple += " " + std::to_string(size) + ",";
    count *= size;
  }
  for (int64_t i = 0; i < count; ++i) numbers += static_cast<char>(i % 5 + 1);
  if (format == DataFormat::Idx)
    return std::string("\0\0\x08", 3) + static_cast<char>(shape.size() + 1) + sizes + numbers;
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (" + tuple + "), }\n";
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() & 0xFF) +
         static_cast<char>(header.size() >> 8) + header + numbers;
}

std::string content(const DataSpec& spec, const DataSource& source, const Columns& columns,
                    int64_t number_of_file) {
  const int64_t rows = rows_of(spec);
  std::string text;
  switch (source.format) {
    case DataFormat::Lines:
      for (int64_t r = 0; r < rows; ++r) text += words(r, number_of_file, true) + "\n";
      return text;
    case DataFormat::Csv: return table(columns, rows, ",", source.header);
    case DataFormat::Tsv: return table(columns, rows, "\t", source.header);
    case DataFormat::Columns: return table(columns, rows, " ", false);
    case DataFormat::Blocks:
      for (int64_t r = 0; r < rows / 2; ++r) text += table(columns, 1 + r % 3, " ", false) + "\n";
      return text;
    case DataFormat::Stream:
      for (int64_t r = 0; r < rows; ++r) text += words(r, 1, true) + "\n";
      return text;
    case DataFormat::Trees:
      for (int64_t r = 0; r < rows; ++r) {
        const std::string a = number(r, 1), b = number(r, 2);
        text +=
            r % 2 == 0 ? "(" + a + " " + b + ")\n" : "(" + a + " (1 " + b + ") (2 (3 " + a + ") (4 5)))\n";
      }
      return text;
    case DataFormat::Idx:
    case DataFormat::Npy: {
      const auto known = columns.numbered.find(number_of_file);
      return array(source.format, rows,
                   known == columns.numbered.end() ? std::vector<int64_t>{} : known->second.shape);
    }
  }
  return text;
}

void write(const std::string& folder, const std::string& name, const std::string& text) {
  const fs::path path = name;
  const bool inside = !name.empty() && name.size() < 200 && path.is_relative() &&
                      std::ranges::none_of(path, [](const fs::path& part) { return part == ".."; });
  if (!inside) return;
  std::error_code ignored;
  const fs::path file = fs::path(folder) / path;
  fs::create_directories(file.parent_path(), ignored);
  std::ofstream(file, std::ios::binary) << text;
}

}  // namespace

void write_tiny_data(const DataSpec& spec, const std::string& folder) {
  Columns columns;
  std::vector<std::string> lists;
  for (const DataField& field : spec.fields) collect(field.value, field, false, columns, lists);
  for (const std::string& list : lists) write(folder, list, "1\n2\n12\n34\n");
  for (const DataSource& source : spec.sources) {
    int64_t file = 0;
    for (const std::string& pattern : source.patterns) {
      const size_t star = pattern.find('*');
      for (const char* name : {"a", "b"}) {
        std::string file_name = pattern;
        for (size_t at = star; at != std::string::npos; at = file_name.find('*'))
          file_name.replace(at, 1, name);
        write(folder, file_name, content(spec, source, columns, ++file));
        if (star == std::string::npos || is_array(source.format)) break;
      }
    }
  }
}

}  // namespace rnnc::fuzz
