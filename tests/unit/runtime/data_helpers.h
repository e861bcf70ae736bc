// What the tests of the data readers share: a folder of their own, data blocks written in a few words.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/data_spec.h"
#include "runtime/dataset.h"
#include "runtime/errors.h"

namespace rnnc::test {

/// A new folder that goes away at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "rnnc_test_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  void write(const std::string& name, const std::string& content) const {
    const std::filesystem::path file = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
  }

 private:
  std::string path_;
};

inline std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// ../shared/data beside the repository; empty where it is missing.
inline std::string shared_data(const std::string& name) {
  const std::string path = std::string(RNNC_SOURCE_DIR) + "/../shared/data/" + name;
  return std::filesystem::exists(path) ? path : "";
}

inline EncodeExpr expr(EncodeOp op, std::vector<EncodeExpr> operands = {}) {
  EncodeExpr e;
  e.op = op;
  e.operands = std::move(operands);
  return e;
}
inline EncodeExpr line() {
  return expr(EncodeOp::Line);
}
inline EncodeExpr file() {
  return expr(EncodeOp::File);
}
inline EncodeExpr col(int n) {
  EncodeExpr e = expr(EncodeOp::Column);
  e.number = n;
  return e;
}
inline EncodeExpr col(const std::string& name) {
  EncodeExpr e = expr(EncodeOp::Column);
  e.text = name;
  return e;
}
inline EncodeExpr constant(double value) {
  EncodeExpr e = expr(EncodeOp::Number);
  e.number = value;
  return e;
}
inline EncodeExpr constant(const std::string& text) {
  EncodeExpr e = expr(EncodeOp::Text);
  e.text = text;
  return e;
}

/// x: C[T] = VALUE
inline DataField sequence(const std::string& name, EncodeExpr value, const std::string& vocabulary = "C") {
  DataField field;
  field.name = name;
  field.kind = FieldKind::Sequence;
  field.vocabulary = vocabulary;
  field.dimension = "T";
  field.value = std::move(value);
  field.place = {5, 3};
  return field;
}
inline DataField chars(const std::string& name, bool end = false) {
  DataField field = sequence(name, expr(EncodeOp::Chars, {line()}));
  field.value.end = end;
  return field;
}
/// y: L = category(VALUE)
inline DataField category(const std::string& name, EncodeExpr value) {
  DataField field;
  field.name = name;
  field.kind = FieldKind::Category;
  field.vocabulary = "L";
  field.value = expr(EncodeOp::Category, {std::move(value)});
  field.place = {6, 3};
  return field;
}
/// v: [width] = VALUE
inline DataField numbers(const std::string& name, EncodeExpr value, int64_t width = 1) {
  DataField field;
  field.name = name;
  field.width = width;
  field.value = std::move(value);
  field.place = {7, 3};
  return field;
}

/// data test { read PATTERN as FORMAT ... } in test.rnn
inline DataSpec block(const std::string& pattern, DataFormat format, std::vector<DataField> fields) {
  DataSpec spec;
  spec.file = "test.rnn";
  spec.name = "test";
  spec.place = {3, 6};
  spec.split_place = {8, 3};
  spec.fields = std::move(fields);
  DataSource source;
  source.patterns = {pattern};
  source.format = format;
  source.place = {4, 3};
  spec.sources = {source};
  return spec;
}

/// What `action` says when it throws a DataError; "" if it does not.
template <class Action>
std::string refusal(const Action& action) {
  try {
    action();
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

/// Rows of two sequences: x: C[S], y: C[T].
inline Dataset two_sequences(const std::vector<std::vector<int32_t>>& x,
                             const std::vector<std::vector<int32_t>>& y) {
  Dataset dataset;
  dataset.fields = {sequence("x", line()), sequence("y", line())};
  dataset.fields[0].dimension = "S";
  dataset.dimensions = {"S", "T"};
  dataset.rows = int64_t(x.size());
  for (const auto& rows : {x, y}) {
    FieldData& data = dataset.data.emplace_back();
    data.offsets = {0};
    for (const std::vector<int32_t>& row : rows) {
      data.ids.append(row);
      data.offsets.push_back(int64_t(data.ids.size()));
    }
  }
  return dataset;
}

}  // namespace rnnc::test
