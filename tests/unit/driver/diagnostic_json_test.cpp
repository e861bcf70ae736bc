// Diagnostics for editors: every field of the language server protocol, counted as it counts.
#include "driver/diagnostic_json.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/driver/command_helpers.h"
#include "tests/unit/frontend/files.h"

namespace rnnc::test {
namespace {

using Json = nlohmann::json;

Json diagnostics_of(const std::string& text) {
  const TemporaryFolder folder;
  folder.write("a file.rnn", text);
  const Outcome outcome = run_rnnc({"check", folder / "a file.rnn", "--json"});
  return Json::parse(outcome.out)["diagnostics"];
}

TEST(DiagnosticJson, HasTheFieldsOfTheProtocolAndThoseOfTheText) {
  const Json all =
      diagnostics_of("cell c(x: [E]; h: [H]) {\n  param U: [E, H] ~ glorot\n  h' = tanh(x @ U + h @ U)\n}\n");
  ASSERT_EQ(all.size(), 1u);
  const Json& d = all[0];
  EXPECT_EQ(d["range"],
            Json::parse(R"({"start":{"line":2,"character":22},"end":{"line":2,"character":23}})"));
  EXPECT_EQ(d["severity"], "error");
  EXPECT_EQ(d["code"], "product");
  EXPECT_EQ(d["source"], "rnnc");
  EXPECT_EQ(d["message"], "these shapes do not multiply");
  ASSERT_EQ(d["relatedInformation"].size(), 2u);
  const Json& state = d["relatedInformation"][0];
  EXPECT_EQ(state["message"], "`h` is [H]");
  EXPECT_EQ(state["location"]["range"],
            Json::parse(R"({"start":{"line":0,"character":15},"end":{"line":0,"character":16}})"));
  EXPECT_TRUE(state["location"]["uri"].get<std::string>().starts_with("file:///"));
  EXPECT_TRUE(state["location"]["uri"].get<std::string>().ends_with("/a%20file.rnn"));
  EXPECT_EQ(d["line"], 3);
  EXPECT_EQ(d["column"], 23);
  EXPECT_EQ(d["end_column"], 24);
  EXPECT_EQ(d["notes"].size(), 3u);
  EXPECT_EQ(d["help"], "");
  EXPECT_TRUE(d["file"].get<std::string>().ends_with("a file.rnn"));
}

TEST(DiagnosticJson, CharactersAreUnitsOfUtf16) {
  // `𝑥` is one code point, two units; `ä` one of each.
  const Json all =
      diagnostics_of("layer l(\xF0\x9D\x91\xA5: [A]) -> (y: [A]) {\n  y = \xF0\x9D\x91\xA5 + \xC3\xA4h\n}\n");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["column"], 11);
  EXPECT_EQ(all[0]["range"]["start"]["character"], 11);
  EXPECT_EQ(all[0]["range"]["end"]["character"], 13);
}

TEST(DiagnosticJson, AFileThatIsNotThereHasItsMessageToo) {
  const Outcome outcome = run_rnnc({"check", "/nowhere/x.rnn", "--json"});
  EXPECT_EQ(outcome.status, 2);
  const Json all = Json::parse(outcome.out)["diagnostics"];
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["code"], "data");
  EXPECT_EQ(all[0]["line"], 0);
  EXPECT_EQ(all[0]["range"],
            Json::parse(R"({"start":{"line":0,"character":0},"end":{"line":0,"character":0}})"));
}

TEST(DiagnosticJson, EveryWrongFileOfTheListIsToldInFull) {
  for (const auto& file : testing::files_in(testing::source_dir() / "tests" / "errors", ".rnn")) {
    const Outcome outcome = run_rnnc({"check", file.string(), "--json"});
    const Json result = Json::parse(outcome.out);
    ASSERT_FALSE(result["diagnostics"].empty()) << file;
    for (const Json& d : result["diagnostics"]) {
      EXPECT_EQ(d["code"], file.stem().string());
      EXPECT_EQ(d["severity"], outcome.status == 0 ? "warning" : "error");
      EXPECT_EQ(d["range"]["start"]["line"], d["line"].get<int>() - 1);
      EXPECT_LT(d["range"]["start"]["character"], d["range"]["end"]["character"]);
    }
  }
}

}  // namespace
}  // namespace rnnc::test
