// Saved models and states: round trips, damage, parameters that do not fit.
#include "runtime/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/data_helpers.h"

namespace rnnc {
namespace {

using test::refusal;
using test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ModelInfo example_info() {
  ModelInfo info{.source_name = "surname.rnn",
                 .source = "model surname(x: C[T]) -> (logits: [L]) {\n}\n",
                 .model = "surname",
                 .data = "names",
                 .learned = {},
                 .extra = {{"best_epoch", 7}}};
  info.learned.vocabularies["C"] = Vocabulary({"<unk>", "a", "ä", "\"", "\n"});
  info.learned.normalisation["x"] = {.mean = {1.5, 1.0 / 3}, .deviation = {0.1, 1}};
  info.learned.columns["Temp"] = 2;
  info.learned.longest["T"] = 20;
  return info;
}

TEST(Checkpoint, AModelComesBackAsItWas) {
  const TemporaryFolder folder;
  const std::vector<float> weights = {1, 2, 3, 4, 5, 6};
  save_model(folder / "m", std::vector{tensor_view("h.rnn.W", {2, 3}, weights)}, example_info());
  const SavedModel model = load_model(folder / "m");
  EXPECT_EQ(model.parameters.at("h.rnn.W").floats(), weights);
  EXPECT_EQ(model.info.source_name, "surname.rnn");
  EXPECT_EQ(model.info.source, example_info().source);
  EXPECT_EQ(model.info.model, "surname");
  EXPECT_EQ(model.info.data, "names");
  EXPECT_EQ(model.info.extra, example_info().extra);
  const Learned& learned = model.info.learned;
  EXPECT_EQ(learned.vocabularies.at("C"), example_info().learned.vocabularies.at("C"));
  EXPECT_EQ(learned.normalisation.at("x").mean, example_info().learned.normalisation.at("x").mean);
  EXPECT_EQ(learned.normalisation.at("x").deviation, example_info().learned.normalisation.at("x").deviation);
  EXPECT_EQ(learned.columns.at("Temp"), 2);
  EXPECT_EQ(learned.longest.at("T"), 20);
}

TEST(Checkpoint, DamagedModelsAreRefused) {
  const TemporaryFolder folder;
  const std::vector<float> weights = {1, 2, 3, 4, 5, 6};
  save_model(folder / "m", std::vector{tensor_view("w", {6}, weights)}, example_info());
  const std::string whole = test::read_all(folder / "m");
  for (const size_t size : {size_t{0}, size_t{5}, size_t{40}, whole.size() / 2, whole.size() - 1}) {
    folder.write("cut", whole.substr(0, size));
    const std::string why = refusal([&] { load_model(folder / "cut"); });
    EXPECT_THAT(why, HasSubstr("/cut: error: not a safetensors file: ")) << size;
  }
  const auto damage = [&](const std::map<std::string, std::string>& metadata) {
    write_safetensors(folder / "damaged", {}, metadata);
    return refusal([&] { load_model(folder / "damaged"); });
  };
  EXPECT_THAT(damage({}), HasSubstr("not a saved model of rnnc"));
  EXPECT_THAT(damage({{"format", "pt"}}), HasSubstr("its format is \"pt\""));
  std::map<std::string, std::string> metadata = {{"format", "rnnc model 1"},
                                                 {"source_name", ""},
                                                 {"source", ""},
                                                 {"model", ""},
                                                 {"data", ""},
                                                 {"extra", "{}"}};
  EXPECT_THAT(damage(metadata), HasSubstr("no entry \"learned\""));
  for (const char* learned :
       {"{", "[]", "{}", R"({"vocabularies": {"C": ["a", "a"]}})",
        R"({"vocabularies": {}, "normalisation": {"x": {"mean": [1], "deviation": []}}})",
        R"({"vocabularies": {}, "normalisation": {}, "columns": {"a": "b"}, "longest": {}})"}) {
    metadata["learned"] = learned;
    EXPECT_THAT(damage(metadata), HasSubstr("\"learned\"")) << learned;
  }
}

TEST(Checkpoint, MisfitsAreListed) {
  const std::vector<float> weights(6);
  const TemporaryFolder folder;
  save_model(folder / "m",
             std::vector{tensor_view("same", {2}, std::span(weights).first(2)),
                         tensor_view("other", {2, 3}, weights),
                         tensor_view("gone", {1}, std::span(weights).first(1))},
             example_info());
  const SavedModel model = load_model(folder / "m");
  const std::vector<ParameterShape> expected = {{"same", {2}}, {"other", {3, 2}}, {"new", {4}}};
  EXPECT_THAT(misfits(model, expected), ElementsAre("other: [3, 2] in the file, [2, 3] in the saved model",
                                                    "new: [4] in the file, missing in the saved model",
                                                    "gone: [1] in the saved model, missing in the file"));
  const std::vector<ParameterShape> same = {{"gone", {1}}, {"same", {2}}, {"other", {2, 3}}};
  EXPECT_TRUE(misfits(model, same).empty());
}

TEST(Checkpoint, AStateComesBackAsItWas) {
  const TemporaryFolder folder;
  const std::vector<float> weights = {1, 2};
  EXPECT_EQ(state_path("a/m.model"), "a/m.model.state");
  save_state(folder / "m.state", std::vector{tensor_view("current/w", {2}, weights)},
             {{"epoch", 3}, {"best_loss", 0.1 + 0.2}});
  const TrainingState state = load_state(folder / "m.state");
  EXPECT_EQ(state.tensors.at("current/w").floats(), weights);
  EXPECT_EQ(state.rest.at("epoch"), 3);
  EXPECT_EQ(state.rest.at("best_loss").get<double>(), 0.1 + 0.2);  // JSON keeps every bit
  EXPECT_THAT(refusal([&] { load_model(folder / "m.state"); }), HasSubstr("not a saved model"));
  EXPECT_THAT(refusal([&] { load_state(folder / "none"); }), HasSubstr("no such file"));
}

}  // namespace
}  // namespace rnnc
