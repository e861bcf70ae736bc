// The answer of a loss: see answer.h.
#include "frontend/answer.h"

#include "frontend/language.h"

namespace rnnc {
namespace {

using ast::Expr;

/// The first call of a loss that compares with a category, in the order of writing.
const Expr* find_category_loss(const Expr& e) {
  if (e.kind == Expr::Kind::Call && e.operands[0].kind == Expr::Kind::Name && e.args.size() >= 2) {
    const Function* function = find_function(e.operands[0].text);
    if (function && function->kind == FunctionClass::CategoryLoss) return &e;
  }
  for (const Expr& operand : e.operands)
    if (const Expr* found = find_category_loss(operand)) return found;
  for (const ast::Arg& arg : e.args)
    if (const Expr* found = find_category_loss(arg.value)) return found;
  return nullptr;
}

}  // namespace

std::optional<Answer> answer_of(const ast::Train& train) {
  const Expr* loss = nullptr;
  for (const ast::Setting& setting : train.settings)
    if (setting.name == "loss" && !loss && !setting.args.empty())
      loss = find_category_loss(setting.args[0].value);
  if (!loss) return std::nullopt;
  Answer answer{&loss->args[0].value, {}, false, nullptr};
  const Expr* field = &loss->args[1].value;
  answer.next = field->kind == Expr::Kind::Call && field->operands[0].text == "next" && !field->args.empty();
  if (answer.next) {
    if (field->args.size() > 1) answer.far = &field->args[1].value;
    field = &field->args[0].value;
  }
  if (field->kind != Expr::Kind::Name) return std::nullopt;
  answer.field = field->text;
  return answer;
}

}  // namespace rnnc
