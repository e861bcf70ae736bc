// Inside the checker: values with what is known about them, scopes, and the class whose functions stand
// in check_*.cpp, split by what they check. The public face is check.h.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "frontend/check.h"
#include "frontend/language.h"

namespace rnnc::checking {

/// Thrown where a value is used that was already reported as wrong: this statement is given up silently.
struct AlreadyWrong {};

/// Thrown when ten errors have been found.
struct EnoughErrors {};

/// How much of an input one step of a value depends on. Ordered: more includes less.
enum class Reach : uint8_t {
  Nothing,   ///< independent of it
  Before,    ///< steps before this one only
  SameStep,  ///< up to this step
  Later,     ///< later steps, or all of them
};

/// The reach of a value into each input of its definition, by position; missing entries are Nothing.
class Reaches {
 public:
  static Reaches of_input(size_t input);
  Reach operator[](size_t input) const { return input < reach_.size() ? reach_[input] : Reach::Nothing; }
  bool any() const;
  /// The larger of both, input by input.
  void include(const Reaches& other);
  /// As after something that looks at all steps, or ahead.
  Reaches everything() const;
  /// As after a delay.
  Reaches before() const;
  /// As seen through a layer whose result has reach `inner` into what is given to it.
  Reaches through(Reach inner) const;

 private:
  std::vector<Reach> reach_;
};

/// Parts of a result by name, in order: `h.c`.
using Parts = std::vector<std::pair<std::string, ValueType>>;

/// A value and what is known about it.
struct Value {
  ValueType type;
  bool per_row = true;  ///< differs from row to row
  Reaches reaches;
  // Of the result of a scan or layer:
  Parts parts;
  bool is_scan = false;
  bool backwards = false;  ///< of `both` or `reverse`
  // Of a name:
  Role role = Role::Equation;
  Place place;
  bool has_origin = false;  ///< `place` is in the definition being checked
  // Of a `let`:
  const ast::CellRef* reference = nullptr;

  /// Another value computed from this one: dependence on rows and inputs stays, the rest is new.
  Value derived(ValueType new_type) const;
  Value derived() const { return derived(type); }
};

/// A declared name with its type.
struct Declared {
  std::string name;
  ValueType type;
  Place place;
};

/// The names known in one body.
struct Scope {
  enum class Kind { Cell, Layer, Model, Train, Predict };
  Kind kind = Kind::Model;
  std::string name;
  bool tree = false;
  std::map<std::string, Value> values;
  std::vector<std::string> order;  ///< of values, as defined
  std::vector<std::string> dims;   ///< names of dimensions, as first written
  std::vector<Declared> states;
  std::set<std::string> used;
  std::set<std::string> wrong;                   ///< names whose definition was reported as an error
  std::map<std::string, DimBindings> instances;  ///< of each `let` used: its dimensions

  void define(const std::string& name, Value value);
  const Value* find(const std::string& name) const;
  bool has_dim(const std::string& dim) const { return contains(dims, dim); }
  void add_dim(const std::string& dim);
  const Declared* state(const std::string& name) const;
  std::vector<std::string> value_names() const { return order; }
};

/// A cell, layer or model that was checked.
struct Defined {
  const ast::Definition* syntax = nullptr;
  std::vector<Declared> inputs, states, constants, results;
  Scope scope;
  std::vector<Reaches> result_reaches;  ///< of each result, into inputs, then constants
  bool wrong = false;                   ///< its head could not be understood
  bool carries = false;                 ///< of a model: a scan in it says `carry`

  /// Names of dimensions in the types of some ports, as first written.
  std::vector<std::string> size_order(bool as_cell) const;
};

/// A checked data block.
struct CheckedData {
  std::map<std::string, Value> fields;
  std::vector<std::string> order;
  std::set<std::string> settings;
  bool has_valid_part = false;
  bool wrong = false;
};

/// A value given to a port, and where.
struct Given {
  Value value;
  Place place;
};
using GivenByName = std::vector<std::pair<std::string, Given>>;

/// All that a scan gives to the cells in it.
struct ScanInputs {
  const ast::Scan* scan;
  GivenByName constants, first;
  Dim steps;  ///< how many
};

class Checker {
 public:
  Checker(const Source& source, const DimValues& overrides);
  /// Checks the library, then the file, item by item.
  void run(const ast::File& file, const ast::File& library);

  std::vector<Diagnostic> take_warnings() { return std::move(warnings_); }
  std::vector<CheckedDefinition> take_definitions() { return std::move(checked_); }
  const DimValues& dims() const { return dim_values_; }

 private:
  // check.cpp: items, errors
  void item(const ast::Item& item);
  void dims(const ast::Dims& dims);
  using Related = std::vector<std::pair<Place, std::string>>;
  [[noreturn]] void fail(Code code, Place place, std::string message, std::vector<std::string> notes = {},
                         std::string help = {}, const Related& related = {}) const;
  /// A rule that has no code of its own.
  [[noreturn]] void fail(Place place, std::string message, std::vector<std::string> notes = {},
                         std::string help = {}) const {
    fail(Code::Rule, place, std::move(message), std::move(notes), std::move(help));
  }
  void warn(Code code, Place place, std::string message, std::string help = {});
  /// Runs `work`; an error is noted. False if there was one, or it was given up.
  bool guarded(Place place, const std::function<void()>& work);
  std::optional<double> constant(const ast::Expr& e) const;
  Dim size(const ast::Expr& e, const Scope* scope) const;
  Dim whole_size(const ast::Expr& e, const Scope* scope) const;
  ValueType type(const ast::Type& type, const Scope* scope, Place place) const;
  bool fit(const Dim& a, const Dim& b) const { return fits(a, b, dim_values_); }
  bool fit(const std::vector<Dim>& a, const std::vector<Dim>& b) const { return fits(a, b, dim_values_); }
  const Defined* find_cell(const std::string& name) const;
  const Defined* find_layer(const std::string& name) const;
  std::vector<std::string> names_of(bool cells, bool layers) const;

  // check_definitions.cpp
  void definition(const ast::Definition& syntax);
  Defined define(const ast::Definition& syntax);
  void collect_dims(const ast::Definition& syntax, Scope& scope) const;
  void head(const ast::Definition& syntax, Defined& defined);
  void body(const ast::Definition& syntax, Defined& defined);
  void results(const ast::Definition& syntax, Defined& defined);
  void warn_unused(const ast::Definition& syntax, const Scope& scope);
  void statement(const ast::Statement& statement, Defined& defined);
  void parameters(const ast::Parameters& statement, Scope& scope);
  void first_value(const ast::Parameters& statement) const;
  void let(const ast::Let& statement, Scope& scope);
  void equation(const ast::Equation& statement, Defined& defined);
  void must_be_fresh(const std::string& name, const Scope& scope, Place place) const;

  // check_uses.cpp: cells and layers where they are used
  void match(const std::string& what, const ValueType& declared, const ValueType& given, DimBindings& bound,
             Place place) const;
  void bind_sizes(const std::vector<ast::Arg>& args, const std::vector<std::string>& order,
                  const Defined& defined, DimBindings& bound, const Scope& scope) const;
  void all_known(const Defined& defined, const DimBindings& bound, const std::vector<std::string>& order,
                 Place place) const;
  Value results_of(const Defined& defined, const DimBindings& bound, const std::vector<Dim>& lead) const;
  void share(const std::string& let, const Defined& defined, const DimBindings& bound, Scope& scope,
             Place place) const;
  Value apply(const std::string& name, const ast::Expr& call, Scope& scope);
  GivenByName given_values(const Defined& defined, const std::string& name, const ast::Expr& call,
                           Scope& scope);
  Reaches layer_reaches(const Defined& defined, const GivenByName& given, bool has_lead, bool step) const;

  // check_scans.cpp
  Value scan(const ast::Scan& scan, Defined& defined);
  Value scan_ref(const ast::CellRef& ref, const std::vector<Value>& inputs, const ScanInputs& with,
                 Scope& scope);
  Value scan_combinator(const ast::CellRef& ref, const std::vector<Value>& inputs, const ScanInputs& with,
                        Scope& scope);
  Value scan_cell(const ast::CellRef& ref, const std::vector<Value>& inputs, const ScanInputs& with,
                  Scope& scope);
  void begins_where(const ast::Name& from, const Value& result, Scope& scope) const;

  // check_expressions.cpp
  Value expression(const ast::Expr& e, Scope& scope);
  Value name(const ast::Expr& e, Scope& scope);
  Value part(const ast::Expr& e, Scope& scope);
  std::optional<Value> parameter_of_instance(const ast::Expr& e, Scope& scope);
  Value binary(const ast::Expr& e, Scope& scope);
  Value elementwise(const std::string& op, Place place, const ast::Expr& left, const ast::Expr& right,
                    Scope& scope);
  static const Value* value_named(const ast::Expr& e, const Scope& scope);
  std::string origin(const ast::Expr& e, const Scope& scope) const;
  Value index(const ast::Expr& e, Scope& scope);
  Value call(const ast::Expr& e, Scope& scope);

  // check_functions.cpp
  struct Call;
  Value function(const std::string& name, const std::vector<ast::Arg>& sizes,
                 const std::vector<ast::Arg>& args, const std::vector<ast::Name>& over, Scope& scope,
                 Place place);
  Value shape_function(const Call& call, Scope& scope);
  Value rows(const Call& call) const;
  Value reduction(const Call& call, const Scope& scope) const;
  Value end(const Call& call);
  Value time(const Call& call, const Scope& scope) const;
  Value delay(const Call& call, const Scope& scope) const;
  Value window(const Call& call, const Scope& scope) const;
  Value every(const Call& call, const Scope& scope) const;
  Value concat(const Call& call) const;
  Value loss(const Call& call, const Scope& scope) const;

  // check_settings.cpp
  void options(const std::string& name, const std::vector<ast::Arg>& args, Place place,
               Code unknown = Code::Option) const;
  bool settings(const std::string& block, const std::vector<ast::Setting>& settings,
                std::set<std::string>& seen);
  void setting_values(const ast::Setting& setting) const;
  void choice(const ast::Setting& setting, const ast::Expr& e) const;
  double number_of(const ast::Expr& e, const std::string& what, double least, bool whole) const;

  // check_data.cpp
  void data(const ast::DataBlock& data);
  bool sources(const ast::DataBlock& data, std::set<std::string>& formats);
  void field(const ast::Field& field, const std::set<std::string>* formats, CheckedData& checked);
  struct FieldContext;
  void encoder(const ast::Expr& e, const FieldContext& context, bool outermost) const;
  void encoder_type(const ast::Expr& e, const std::string& name, const FieldContext& context) const;
  void encoder_arguments(const ast::Expr& e, const std::string& name) const;
  void vocabularies(const ast::DataBlock& data, const CheckedData& checked);
  void vocabulary_settings(const ast::Setting& setting, const CheckedData& checked) const;
  void lengths(const ast::Setting& setting, const CheckedData& checked) const;

  // check_blocks.cpp: train, generate, predict
  void train(const ast::Train& train);
  void inputs_in_data(const ast::Train& train, const Defined& model, const CheckedData& data) const;
  void needs_valid_part(const ast::Setting& setting, const std::string& data) const;
  void figure(const ast::Setting& setting, const ast::Arg& arg, Scope& scope);
  void use(const ast::Use& use);
  void can_generate(const ast::Use& use, const Defined& model);

  const Source& source_;
  DimValues overrides_;
  bool in_library_ = true;
  std::vector<Diagnostic> errors_, warnings_;
  std::vector<CheckedDefinition> checked_;

  std::map<std::string, Defined> cells_, layers_, models_;
  std::set<std::string> own_;  // names the file itself defines
  std::map<std::string, CheckedData> datas_;
  DimValues dim_values_;
  std::set<std::string> dim_names_;                  // of `dim`
  std::map<std::string, std::string> vocabularies_;  // dimensions of the data: who made them as vocabularies
  std::set<std::string> trees_;                      // dimensions of the data that number the nodes of a tree

  struct Trained {
    const ast::Train* block;
    bool wrong;
  };
  std::map<std::string, Trained> trained_;
};

}  // namespace rnnc::checking
