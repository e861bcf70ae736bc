// The words of the language that are no grammar: functions, settings, formats and their options. One
// table each; what the checker accepts and what it suggests both come from here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rnnc {

/// Functions of one shape rule belong to one class.
enum class FunctionClass {
  Elementwise,  ///< of one value, shape kept
  Rows,         ///< softmax, log_softmax: over one dimension, shape kept
  Reduction,    ///< sum, mean, max, min
  Time,         ///< delay, window, every
  End,          ///< last, first, final
  Concat,
  Flatten,
  Transpose,
  OneHot,
  ArgMax,
  Dropout,
  Coin,
  StopGradient,
  Top,
  Next,
  Gradient,      // `train` only, as all below
  CategoryLoss,  ///< scores against a category: cross_entropy, nll
  NumberLoss,    ///< numbers against numbers
  Ctc,
  Accuracy,
  F1Score,
  Bleu,
  Ngram,
};

/// A function: how many values without a name it takes (`most` 0: any number).
struct Function {
  std::string_view name;
  FunctionClass kind;
  int least, most;
};

/// The function called `name`, or null.
const Function* find_function(std::string_view name);
std::vector<std::string> function_names();
/// Losses, metrics, `next` and `gradient`: what only a `train` block may say.
bool belongs_to_train(FunctionClass kind);

/// `both`, `reverse`, `stack`
bool is_combinator(std::string_view name);
/// A name no value, cell, layer or field can have.
bool is_language_function(std::string_view name);

/// How a parameter may start: `glorot`, `normal`, ...
std::span<const std::string> initializers();

/// The settings of a block: "data", "train", "generate" or "predict".
std::span<const std::string> settings_of(std::string_view block);
/// May the setting stand more than once?
bool may_repeat(std::string_view setting);
/// The words a setting chooses from (`optimizer`: sgd, ...); empty if it takes no such word.
std::span<const std::string> choices_of(std::string_view setting);

/// What the value of a named option is.
enum class OptionKind { Number, YesNo, Text, Any };

struct Option {
  std::string name;
  OptionKind kind;
};

/// The named options of a function, format or setting, in the order messages list them.
std::span<const Option> options_of(std::string_view name);

/// The formats, in alphabetical order.
std::span<const std::string> formats();
/// The values that rows of `format` give: `line`, `col`, ...
std::span<const std::string> given_by(std::string_view format);
/// All formats that give `value`.
std::vector<std::string> formats_giving(std::string_view value);
/// `chars`, `category`, ... of data blocks, with `sin`, `log`, ..., without `col` and `rest`.
std::span<const std::string> data_functions();

/// Is `name` in `names`?
bool contains(std::span<const std::string> names, std::string_view name);
/// `a, b, c`
std::string join(std::span<const std::string> names);

}  // namespace rnnc
