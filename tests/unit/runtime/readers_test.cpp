// Readers: csv-spectrum, and everything that a file can be but should not.
#include "runtime/readers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <nlohmann/json.hpp>
#include <random>

#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using test::refusal;
using test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

DataSource source(DataFormat format, bool header = false, bool latin1 = false) {
  DataSource s;
  s.format = format;
  s.header = header;
  s.latin1 = latin1;
  return s;
}

std::vector<std::vector<std::string>> rows(const Table& table) {
  std::vector<std::vector<std::string>> result(table.rows());
  for (size_t r = 0; r < table.rows(); ++r)
    for (size_t c = 1; c <= table.columns(); ++c) result[r].push_back(table.column(r, c));
  return result;
}

std::vector<std::string> lines(const std::string& text, bool latin1 = false) {
  const Table table = parse_table("f", text, source(DataFormat::Lines, false, latin1));
  std::vector<std::string> result;
  for (size_t r = 0; r < table.rows(); ++r) result.emplace_back(table.line(r));
  return result;
}

std::string why(DataFormat format, const std::string& text, bool header = false, bool latin1 = false) {
  return refusal([&] { parse_table("f.txt", text, source(format, header, latin1)); });
}

TEST(Readers, CsvSpectrum) {
  const std::string folder = test::shared_data("testvectors/csv-spectrum/");
  if (folder.empty()) GTEST_SKIP() << "no ../shared/data/testvectors/csv-spectrum";
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "csvs")) {
    std::string text = test::read_all(entry.path());
    // The snapshot was stored with LF only; the files called _crlf get their line ends back.
    if (entry.path().stem().string().ends_with("_crlf") && text.find('\r') == std::string::npos)
      for (size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2))
        text.insert(at, 1, '\r');
    const Table table = parse_table(entry.path().filename(), text, source(DataFormat::Csv, true));
    const auto meaning =
        nlohmann::json::parse(test::read_all(folder + "json/" + entry.path().stem().string() + ".json"));
    ASSERT_EQ(table.rows(), meaning.size()) << entry.path();
    for (size_t r = 0; r < table.rows(); ++r) {
      EXPECT_EQ(table.columns(), meaning[r].size());
      for (size_t c = 0; c < table.columns(); ++c)
        EXPECT_EQ(table.column(r, c + 1), meaning[r].at(table.header()[c]).get<std::string>())
            << entry.path();
    }
    ++files;
  }
  EXPECT_EQ(files, 11);
}

TEST(Readers, LinesEndWithOrWithoutALineEnd) {
  EXPECT_THAT(lines("a\nb\n"), ElementsAre("a", "b"));
  EXPECT_THAT(lines("a\nb"), ElementsAre("a", "b"));
  EXPECT_THAT(lines("a\n\nb\n\n"), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(lines("\n"), ElementsAre(""));
  EXPECT_THAT(lines(""), ElementsAre());
  EXPECT_THAT(lines("a\r\nb\nc\rd\r\n\r\n"), ElementsAre("a", "b", "c\rd", ""));  // mixed
  EXPECT_THAT(lines("\xEF\xBB\xBF"
                    "a\n"),
              ElementsAre("a"));
  EXPECT_THAT(lines("\xEF\xBB\xBF"), ElementsAre());
}

TEST(Readers, Encodings) {
  EXPECT_THAT(lines("\xE9t\xE9\n", true), ElementsAre("été"));
  EXPECT_EQ(why(DataFormat::Lines, "ok\nau\xC3\xA9 \xF0 b\n"),
            "f.txt:2:5: error: not UTF-8 (byte 0xF0)\n      = help: `as lines(latin1 = yes)`\n");
  EXPECT_THAT(why(DataFormat::Csv, "a\n\xE9\n", true),
              HasSubstr("= help: `as csv(header = yes, latin1 = yes)`"));
  EXPECT_THAT(why(DataFormat::Lines, std::string("\xFF\xFE"
                                                 "a\0b\0",
                                                 6)),
              HasSubstr("it begins like UTF-16"));
  EXPECT_EQ(why(DataFormat::Lines, std::string("a\nb\0c", 5)),
            "f.txt:2:2: error: a NUL byte: this is no text file\n");
  EXPECT_THAT(why(DataFormat::Tsv, std::string("a\tb\n\0\t", 6), false, true),
              HasSubstr("f.txt:2:1: error: a NUL byte"));
}

TEST(Readers, Csv) {
  EXPECT_THAT(rows(parse_table("f", "a,\"b,\"\"c\"\"\",\r\n\n1,2,3", source(DataFormat::Csv))),
              ElementsAre(ElementsAre("a", "b,\"c\"", ""), ElementsAre("1", "2", "3")));
  EXPECT_THAT(rows(parse_table("f", "5\" pipe,\"\"\n", source(DataFormat::Csv))),
              ElementsAre(ElementsAre("5\" pipe", "")));
  const Table table = parse_table("f", "size ,  name\n\"x\ny\",2\n3,zwö\n", source(DataFormat::Csv, true));
  EXPECT_THAT(table.header(), ElementsAre("size", "name"));
  EXPECT_EQ(table.place(1, 2).line, 4);  // after the line end within quotes
  EXPECT_EQ(table.place(1, 2).column, 3);
  EXPECT_EQ(table.first_row_text(), "size, name");
}

TEST(Readers, CsvThatIsNone) {
  EXPECT_EQ(why(DataFormat::Csv, "a,b\nc,d\n1,2,3\n"),
            "f.txt:3:1: error: this row has 3 columns, the first has 2\n      = f.txt, line 1: a, b\n");
  EXPECT_EQ(why(DataFormat::Csv, "a,b\n\"c,d\n1,2\n"),
            "f.txt:2:1: error: this quoted field is never closed\n");
  EXPECT_THAT(why(DataFormat::Csv, "a,\"b\"c\n"), HasSubstr("f.txt:1:6: error: after the closing quote"));
  EXPECT_EQ(why(DataFormat::Csv, "", true), "f.txt:1:1: error: the file is empty, it has no header\n");
  EXPECT_EQ(why(DataFormat::Csv, "", false), "");
  EXPECT_EQ(why(DataFormat::Csv, "\"", false), "f.txt:1:1: error: this quoted field is never closed\n");
}

TEST(Readers, TsvHasNoQuotes) {
  EXPECT_THAT(
      rows(parse_table("f", "label\ttext\r\n1\tsays \"x\r\n\r\n0\t\n", source(DataFormat::Tsv, true))),
      ElementsAre(ElementsAre("1", "says \"x"), ElementsAre("0", "")));
  EXPECT_THAT(why(DataFormat::Tsv, "a\tb\nc\n"),
              HasSubstr("f.txt:2:1: error: this row has 1 column, the first has 2"));
}

TEST(Readers, ColumnsAreCutAtBlanks) {
  const Table table = parse_table("f", "1  what is \t it\n\n2 so\n", source(DataFormat::Columns));
  ASSERT_EQ(table.rows(), 2u);
  EXPECT_EQ(table.column(0, 1), "1");
  EXPECT_EQ(table.column(0, 4), "it");
  EXPECT_EQ(table.rest(0, 2), "what is \t it");
  EXPECT_EQ(table.rest(1, 2), "so");
  EXPECT_EQ(refusal([&] { table.column(1, 3); }),
            "f:3:1: error: this row has 2 columns, column 3 is needed\n");
}

TEST(Readers, ALineOfTenMegabytes) {
  const std::string line = std::string().append(10'000'000, 'x');
  EXPECT_THAT(lines(line + "\n" + line), ElementsAre(line, line));
  EXPECT_EQ(parse_table("f", line + "," + line, source(DataFormat::Csv)).columns(), 2u);
}

TEST(Readers, PackedFiles) {
  const TemporaryFolder folder;
  gzFile packed = gzopen((folder / "a.txt.gz").c_str(), "wb");
  const std::string text(100'000, 'y');
  gzwrite(packed, text.data(), static_cast<unsigned>(text.size()));
  gzclose(packed);
  const Table table = read_table(data_file(folder.path(), "a.txt"), source(DataFormat::Lines));
  EXPECT_EQ(table.name(), "a.txt");
  EXPECT_EQ(table.stem(), "a");
  ASSERT_EQ(table.rows(), 1u);
  EXPECT_EQ(table.line(0), text);

  const std::string bytes = test::read_all(folder / "a.txt.gz");
  folder.write("cut.txt.gz", bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(refusal([&] { read_table(data_file(folder.path(), "cut.txt"), source(DataFormat::Lines)); }),
              HasSubstr("cut.txt: error: cannot be unpacked"));
  std::string damaged = bytes;
  damaged[20] = static_cast<char>(damaged[20] ^ 0x55);
  folder.write("bad.txt.gz", damaged);
  EXPECT_THAT(refusal([&] { read_table(data_file(folder.path(), "bad.txt"), source(DataFormat::Lines)); }),
              HasSubstr("bad.txt: error: cannot be unpacked"));
}

TEST(Readers, FoldersAndForbiddenFiles) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "d.txt");
  EXPECT_EQ(refusal([&] { read_table(data_file(folder.path(), "d.txt"), source(DataFormat::Lines)); }),
            "d.txt: error: is a folder, a file is needed\n");
  if (::geteuid() == 0) return;  // root may read everything
  folder.write("secret", "a");
  std::filesystem::permissions(folder / "secret", std::filesystem::perms::none);
  EXPECT_EQ(refusal([&] { read_table(data_file(folder.path(), "secret"), source(DataFormat::Lines)); }),
            "secret: error: no permission to read it\n");
}

TEST(Readers, AnyBytesAreReadOrRefused) {
  std::mt19937 random(1);
  const std::string signs = std::string("\",\n\r\t a\xC3\xA9\xF0", 10) + '\0';
  for (int round = 0; round < 4000; ++round) {
    std::string text(random() % 30, ' ');
    for (char& c : text) c = signs[random() % signs.size()];
    for (const DataFormat format : {DataFormat::Lines, DataFormat::Csv, DataFormat::Tsv, DataFormat::Columns})
      for (const bool latin1 : {false, true})
        refusal([&] {
          const Table table = parse_table("f", text, source(format, false, latin1));
          for (size_t r = 0; r < table.rows(); ++r)
            for (size_t c = 1; c <= table.columns(); ++c) {
              table.column(r, c);
              table.place(r, c);
            }
        });
  }
}

}  // namespace
}  // namespace rnnc
