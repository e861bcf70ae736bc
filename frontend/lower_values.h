// Inside the lowering: values, scopes and the class that makes nodes of expressions. See lower.h.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "frontend/lower.h"

namespace rnnc::lowering {

constexpr double kLowest = -3.4e38;  // below every number that occurs: where a maximum begins

/// A dimension with its size: a number, or the variable length of a sequence.
struct Dim {
  int64_t n = 0;
  int sequence = -1;       // index of the sequence dimension; its size is known per row only
  std::string vocabulary;  // the vocabulary whose size it is
  std::string label;       // its name here, if it has one
};

/// A value of the language as a node. Sizes after a leading sequence dimension lie flat in the columns, as
/// long as none of them is variable; lower_rows.cpp has the rest.
struct Value {
  NodeId node = kNoNode;
  std::string vocabulary;  // categories: an i32 node with one column
  std::vector<Dim> dims;
  bool row = false;       // differs from row to row
  std::vector<Dim> lead;  // in a layer: the dimensions in front, which it does not see; they lie in the rows
  int inner = 0;          // how many dimensions lie in the rows inside those of an example or a step
  std::map<std::string, Value> parts;
  /// 1 where the value counts in figures, 0 where it does not (`next` has no answer there); one column, by
  /// row or by step. kNoNode: it counts everywhere.
  NodeId weight = kNoNode;
  /// Of the result of a scan: the sequences that stand side by side in it, and whether each runs backwards.
  std::vector<std::pair<NodeId, bool>> ends;
  std::vector<Value> layers = {};  // of the result of a stack: of each layer

  bool is_sequence() const { return !dims.empty() && dims[0].sequence >= 0; }
};

std::vector<Dim> full(const Value& v);
int32_t flat(std::span<const Dim> dims);

/// What a reduction takes in: the steps of the sequence that its value is, the columns of each.
struct Over {
  bool time = false, columns = false, named = false;
};

/// What stands behind `let`: one instance, shared by its uses.
struct Instance {
  const ast::CellRef* ref = nullptr;
  std::string path;
};

struct Scope {
  std::string path;  // prefix of parameter names: `h.gru`
  std::map<std::string, Value> values;
  std::map<std::string, Instance> instances;
  std::map<std::string, Dim> dims;
  std::string equation;             // the one being lowered, without its prime
  std::map<std::string, int> used;  // instances of each cell and layer in this equation
  bool train = false;
};

/// The scan whose cell is being lowered. Delays in the cell add states to it.
struct OpenScan {
  int dim = 0;
  std::vector<NodeId> operands;    // in the model's graph
  std::vector<NodeId> remembered;  // in the body: the new values of the states added
};

class Lowering {
 public:
  explicit Lowering(const LowerInput& input);

  Lowered run(std::string_view name, const ast::Train* train, const ast::DataBlock* data,
              const ast::Use* predict);

 private:
  // lower.cpp: definitions, statements, instances
  const ast::Definition* find(const std::string& name) const;
  void statements(const ast::Definition& definition, Scope& scope);
  void parameters(const ast::Parameters& statement, Scope& scope);
  void equation(const ast::Equation& statement, Scope& scope);
  Value port(const ast::Port& port, Scope& scope, Rows rows);
  std::vector<Dim> dims_of(const ast::Type& type, Scope& scope);
  std::string instance_path(const std::string& name, Scope& scope);
  void train_block(const ast::Train& train, const ast::DataBlock& data, Scope& scope, Lowered& out);
  void predict_block(const ast::Use& predict, Scope& scope, Lowered& out);

  // lower_cells.cpp: uses of layers and cells
  using Bound = std::map<std::string, Dim>;
  Value call_definition(const ast::Expr& call, const ast::Definition& definition,
                        const std::vector<ast::Arg>& sizes, const std::string& path, Scope& scope);

  // lower_scans.cpp, lower_trees.cpp: scans and folds
  Value scan(const ast::Scan& scan, Scope& scope);
  /// What a scan goes along: the dimension, and the sequences, if it has any.
  struct Steps {
    Dim dim;
    std::vector<Value> over;
    int layer = -1;  // of a stack
  };
  Value scan_ref(const ast::Scan& scan, const ast::CellRef& ref, Steps along, bool reverse,
                 const std::string& path, Scope& scope);
  Value scan_cell(const ast::Scan& scan, const ast::CellRef& ref, const Steps& along, bool reverse,
                  const std::string& path, Scope& scope);
  std::map<std::string, Value> first_values(const ast::Scan& s, int layer, Scope& scope);
  Value port_value(Value v, ScanBody& body, std::vector<NodeId>& operands, bool whole);
  Value constant_port(Value v, ScanBody& body, std::vector<NodeId>& operands);
  Value first_state(const ast::Port& p, const std::map<std::string, Value>& given, const ScanBody& body,
                    Scope& inner);
  NodeId next_state(const Value& v, const Value& state);
  static Value with_parts(const ast::Definition& d, const std::vector<std::string>& names,
                          const std::vector<Value>& results);
  Value fold(const ast::Scan& s, const ast::CellRef& ref, std::vector<Value> over, const std::string& path,
             Scope& scope);
  NodeId in_levels(NodeId stack, int from, int to, const Dim& nodes);
  Bound sizes_given(const ast::Definition& definition, const std::vector<ast::Arg>& sizes, Scope& scope);
  void bind(const ast::Type& type, const Value& value, size_t lead, Bound& bound);
  void relabel(const ast::Type& type, Value& v) const;
  NodeId add_scan(ScanBody body, std::span<const NodeId> operands);
  NodeId scan_result(NodeId scan, int which, Type type, int dim, int32_t cols);

  // lower_expr.cpp: expressions and functions
  Value expr(const ast::Expr& e, Scope& scope);
  Value name(const ast::Expr& e, Scope& scope);
  Value binary(const ast::Expr& e, Scope& scope);
  Value product(const ast::Expr& e, Value a, Value b);
  Value index(const ast::Expr& e, Scope& scope);
  Value call(const ast::Expr& e, Scope& scope);
  Value function(const ast::Expr& e, const std::string& name, Scope& scope);
  Value elementwise(Op op, Value a, Value b);
  Dim size(const ast::Expr& e, Scope& scope);
  double number(const ast::Expr& e, Scope& scope);

  // lower_rows.cpp: where dimensions lie
  struct Lies {
    bool shared = false;  // by all rows: Fixed rows
    bool here = false;    // at the step at hand
    bool steps = false;   // all steps: the first dimension is theirs
    int base = 0;
    size_t in_rows = 0;
  };
  /// Several values in the rows of what they make.
  struct Joint {
    std::vector<Dim> dims;
    size_t lead = 0, k = 0;  // how many are in front; how many lie in the rows
    bool here = false;
    std::vector<std::vector<size_t>> places;  // of each value's dimensions among these
  };
  bool is_variable(const Dim& d) const;
  Extent extent(const Dim& d) const;
  Extent extent(std::span<const Dim> dims) const;
  int space(Space wanted);
  int inner_space(int base, std::span<const Dim> dims);
  Lies lies(const Value& v) const;
  Rows rows_for(std::span<const Dim> dims, size_t k, bool here);
  NodeId row_index(Rows to, Rows from, std::span<const Dim> dims, std::vector<RowMap::From> sources);
  NodeId cut(const Value& v, size_t k);
  Joint joint(std::span<const Value* const> values);
  void choose_rows(Joint& j, std::span<const Value* const> values);
  NodeId laid(const Value& v, const Joint& j, size_t i);
  NodeId laid_in(const Value& v, std::span<const size_t> places, std::span<const Dim> dims, size_t k,
                 Rows rows);
  Value in_rows_of(const Joint& j, NodeId node);
  Value with_rows(Value v, size_t k);
  Value by_last(const Value& v);
  bool plain(const Value& v) const;
  bool plain(const Value& a, const Value& b) const;
  Value elementwise_rows(Op o, const Value& a, const Value& b);
  Value spread(Value v, std::span<const Dim> lead);

  // lower_row_ops.cpp: functions of values with rows inside
  NodeId index_of_left(const Value& v, std::span<const size_t> left, Rows& rows);
  Value join_dims(Op o, const Value& v, const std::vector<bool>& out);
  std::vector<bool> taken_in(const ast::Expr& e, const Value& v, const Scope& scope, bool last_only);
  size_t dimension(const ast::Name& n, const Value& v, const Scope& scope);
  Value reduce_rows(const std::string& f, Value v, const std::vector<bool>& out, Place place);
  Value softmax_rows(bool log, Value v, const std::vector<bool>& out);
  Value product_rows(const Value& a, const Value& b);
  Value product_by_parameter(const Value& a, const Value& b);
  Value end_rows(Value v, bool last);
  Value moved(const Value& v, size_t at, int64_t step, int64_t offset, const Dim& becomes, double missing);
  Value delay_rows(Value v, size_t at, int64_t n, double missing);
  Dim derived(const Dim& d, int32_t add, int32_t divide);
  Value window_rows(Value v, size_t at, int64_t size, int64_t ahead, bool whole);
  Value every_rows(Value v, size_t at, int64_t k);
  Value concat_rows_inside(std::span<const Value> parts);
  Value transpose_rows(Value v);
  Value as_steps(Value v, int64_t n);

  // lower_chance.cpp
  NodeId coin(double probability, const std::string& path, Rows rows, int32_t cols);
  double probability(const ast::Expr& e, const std::string& of, bool below_one, Scope& scope);
  Value coin_call(const ast::Expr& e, Scope& scope);
  Value dropout(Value x, double p, const std::string& path, Place place);
  Value dropout_call(const ast::Expr& e, Scope& scope);

  // lower_gradient.cpp
  Value gradient_call(const ast::Expr& e, Scope& scope);
  NodeId row_value(const Measure& measure);
  void row_loss(const Measure& loss);

  // lower_sequences.cpp: along time
  std::optional<Over> over(const ast::Expr& e, const Value& v, const Scope& scope);
  Value reduce(const ast::Expr& e, const std::string& name, Value v, Over over);
  Value softmax(const ast::Expr& e, bool log, Value v, Scope& scope);
  NodeId in_order(NodeId per_row, int from, int to);
  NodeId expand(NodeId per_row, int dim);
  void align(NodeId& a, NodeId& b);
  NodeId reduce_time(Op op, NodeId stack, int dim);
  NodeId last(NodeId stack, int dim);
  NodeId first(NodeId stack, int dim);
  NodeId length(int dim);
  Value ends_of(const ast::Expr& e, const std::string& name, Value v);

  // lower_delays.cpp: elements some steps away, states that go on
  double missing_element(const Value& v, Place place) const;
  NodeId own_rows(NodeId value);
  std::vector<NodeId> remembered(NodeId value, int64_t count, double missing);
  std::vector<NodeId> neighbours(NodeId stack, int dim, int64_t count, bool later, double missing);
  enum class Along { Scan, Steps, Rows };
  Along goes_along(const ast::Expr& e, const Value& v, const Scope& scope, size_t& at);
  Value delay(const ast::Expr& e, Value v, Scope& scope);
  Value window(const ast::Expr& e, Value v, Scope& scope);
  Value every(const ast::Expr& e, Value v, Scope& scope);
  NodeId carried_first(NodeId first, int k, Place place);

  // lower_figures.cpp: answers, and which positions count
  const Value* field(const ast::Expr& e, const Scope& scope) const;
  NodeId model_input(const std::string& name, const Shape& shape, int64_t categories);
  Value next(const ast::Expr& e, Scope& scope);
  NodeId joined_weight(NodeId a, NodeId b);
  Value weighted_reduce(const ast::Expr& e, const std::string& name, Value v, Over over);
  NodeId weighted(NodeId n, NodeId weight, bool extreme);
  Measure leaf(Measure::Kind kind, Value v);
  Measure f1_score(const ast::Expr& e, Scope& scope);
  Measure ngram(const ast::Expr& e, Scope& scope);
  Measure bleu(const ast::Expr& e, Scope& scope);
  void watch(const ast::Expr& e, Scope& scope, Lowered& out);

  // lower_ctc.cpp
  Value ctc(const Value& scores, const Value& y, Place place);

  // lower_train.cpp: figures of the train block
  bool reduces(const ast::Expr& e) const;
  Measure measure(const ast::Expr& e, Scope& scope);
  void meet_answers(Value& p, Value& y, Value& v, Place place);
  Value per_row_loss(const ast::Expr& e, const std::string& name, Scope& scope);
  NodeId batch_value(const Measure& measure);
  void add_roots(Measure& measure);
  std::string text_of(const ast::Expr& e) const;

  [[noreturn]] void not_built(Place place, const std::string& what) const;
  const Source& source_of(Place place) const;
  void set_origin(Place place, const Scope& scope);
  NodeId op(Op op, std::initializer_list<NodeId> args) {
    return g_->add(op, std::span(args.begin(), args.size()));
  }
  NodeId constant(double v) { return g_->constant(v); }

  const LowerInput& in_;
  Model model_;
  Graph* g_;                  // the graph nodes go to: the model's, or the body of the scan being lowered
  OpenScan* open_ = nullptr;  // the scan being lowered; null: the model itself
  int carries_ = 0;           // carried states so far
  int gradients_ = 0;         // watched derivatives so far
  /// What a figure is the sum, maximum or minimum of, and where it counts (kNoNode: everywhere).
  struct Leaf {
    NodeId node, weight;
  };
  std::map<NodeId, Leaf> leaves_;  // by Measure::sum
  int roots_ = 0;
  Place place_;  // of the equation being lowered
};

}  // namespace rnnc::lowering
