// The syntax tree as text: see print_syntax.h.
#include "frontend/print_syntax.h"

#include <fmt/format.h>

namespace rnnc {
namespace {

using namespace ast;

std::string text(const Arg& arg) {
  return arg.name.empty() ? print_syntax(arg.value) : arg.name + "=" + print_syntax(arg.value);
}

template <typename List, typename F>
std::string joined(const List& list, F f) {
  std::string s;
  for (const auto& item : list) s += " " + f(item);
  return s;
}

std::string text(const Type& type) {
  std::string s = type.vocabulary + "[";
  for (size_t i = 0; i < type.sizes.size(); ++i) {
    s += (i ? ", " : "") + std::string(type.sizes[i].tree ? "tree " : "") + print_syntax(type.sizes[i].value);
  }
  return s + "]";
}

std::string text(const CellRef& ref) {
  if (ref.is_combinator())
    return "(" + ref.name + " " + text(ref.inner[0]) +
           joined(ref.options, [](const Arg& a) { return text(a); }) + ")";
  return ref.sizes.empty() ? ref.name
                           : "(" + ref.name + joined(ref.sizes, [](const Arg& a) { return text(a); }) + ")";
}

std::string text(const Scan& s) {
  auto binding = [](const Binding& b) { return b.name + "=" + print_syntax(b.value); };
  std::string t = fmt::format("({} {}", s.fold ? "fold" : "scan", text(s.cell));
  if (!s.over.empty()) t += " over" + joined(s.over, [](const Expr& e) { return print_syntax(e); });
  if (s.count) t += " for " + print_syntax(*s.count);
  if (!s.constants.empty()) t += " with" + joined(s.constants, binding);
  if (!s.first.empty()) t += " from" + joined(s.first, binding);
  if (s.from_scan) t += " from " + s.from_scan->text;
  return t + (s.carry ? " carry)" : ")");
}

std::string line(const Statement& statement) {
  if (const auto* p = std::get_if<Parameters>(&statement)) {
    return fmt::format("  param{} : {} {} {}{}\n", joined(p->names, [](const Name& n) { return n.text; }),
                       text(p->type), p->constant ? "=" : "~", print_syntax(p->first_value),
                       p->frozen ? " frozen" : "");
  }
  if (const auto* l = std::get_if<Let>(&statement))
    return fmt::format("  let {} = {}\n", l->name, text(l->value));
  const auto& e = std::get<Equation>(statement);
  const auto* scan = std::get_if<Scan>(&e.value);
  return fmt::format("  {} = {}\n", e.name, scan ? text(*scan) : print_syntax(std::get<Expr>(e.value)));
}

std::string lines(const Definition& d) {
  static constexpr const char* kinds[] = {"cell", "layer", "model"};
  auto port = [](const Port& p) { return p.name + ":" + text(p.type); };
  std::string s = fmt::format("{}{} {}\n", d.tree ? "tree " : "", kinds[size_t(d.kind)], d.name);
  auto ports = [&](const char* what, const std::vector<Port>& list) {
    if (!list.empty()) s += fmt::format("  {}{}\n", what, joined(list, port));
  };
  ports("inputs", d.inputs);
  ports("states", d.states);
  ports("constants", d.constants);
  ports("results", d.results);
  for (const Statement& statement : d.body) s += line(statement);
  return s;
}

std::string lines(const std::vector<Setting>& settings) {
  std::string s;
  for (const Setting& x : settings)
    s += "  " + x.name + joined(x.args, [](const Arg& a) { return text(a); }) + "\n";
  return s;
}

std::string lines(const DataBlock& d) {
  static constexpr const char* parts[] = {"read", "train", "valid", "test"};
  std::string s = "data " + d.name + "\n";
  for (const FileSource& f : d.sources) {
    s += fmt::format("  {}{}", parts[size_t(f.part)],
                     joined(f.files, [](const std::string& name) { return "\"" + name + "\""; }));
    s += f.format ? " as " + print_syntax(*f.format) + "\n" : "\n";
  }
  for (const Field& f : d.fields)
    s += fmt::format("  {} : {} = {}\n", f.name, text(f.type), print_syntax(f.value));
  return s + lines(d.settings);
}

}  // namespace

std::string print_syntax(const Expr& e) {
  auto args = [](const std::vector<Arg>& list) { return joined(list, [](const Arg& a) { return text(a); }); };
  switch (e.kind) {
    case Expr::Kind::Number: return fmt::format("{}", e.number);
    case Expr::Kind::Text: return "\"" + e.text + "\"";
    case Expr::Kind::Name: return e.text;
    case Expr::Kind::Negate: return "(neg " + print_syntax(e.operands[0]) + ")";
    case Expr::Kind::Binary:
      return fmt::format("({} {} {})", spelling(e.op), print_syntax(e.operands[0]),
                         print_syntax(e.operands[1]));
    case Expr::Kind::Call:
      return "(" + print_syntax(e.operands[0]) + args(e.args) + (e.has_states ? " ;" + args(e.states) : "") +
             ")";
    case Expr::Kind::Index: return print_syntax(e.operands[0]) + "[" + args(e.args).erase(0, 1) + "]";
    case Expr::Kind::Part: return print_syntax(e.operands[0]) + "." + e.text;
    case Expr::Kind::Over:
      return fmt::format("({} over{} :{})", e.text,
                         joined(e.dimensions, [](const Name& n) { return n.text; }), args(e.args));
  }
  return {};
}

std::string print_syntax(const File& file) {
  std::string s;
  for (const Item& item : file.items) {
    if (const auto* d = std::get_if<Dims>(&item)) {
      s += "dim" +
           joined(d->bindings, [](const Binding& b) { return b.name + "=" + print_syntax(b.value); }) + "\n";
    } else if (const auto* b = std::get_if<DataBlock>(&item)) {
      s += lines(*b);
    } else if (const auto* c = std::get_if<Definition>(&item)) {
      s += lines(*c);
    } else if (const auto* t = std::get_if<Train>(&item)) {
      s += fmt::format("train {} on {}\n", t->model.text, t->data.text) + lines(t->settings);
    } else {
      const auto& u = std::get<Use>(item);
      s += fmt::format("{} {}\n", u.kind == Use::Kind::Generate ? "generate" : "predict", u.model.text) +
           lines(u.settings);
    }
  }
  return s;
}

}  // namespace rnnc
