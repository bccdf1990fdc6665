#include "runtime/expr/pattern_walk.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/suggest.h"
#include "runtime/expr/function_registry.h"

namespace flowrun {

bool is_pattern_navigation(std::string_view function) {
  return function == "first" || function == "last" || function == "prev" || function == "next";
}

bool is_about_match(std::string_view function) {
  return function == "match_start" || function == "match_rowtime" || function == "classifier";
}

std::optional<size_t> PatternNames::variable(std::string_view name) const {
  for (size_t i = 0; i < variables.size(); ++i) {
    if (names_equal(variables[i], name)) return i;
  }
  return std::nullopt;
}

Result<AstPtr> PatternWalk::walk(const AstPtr& ast) {
  if (!ast) return AstPtr();
  if (ast->kind == Ast::Kind::name) {
    if (std::ranges::any_of(parameters_, [&](const std::string& parameter) {
          return names_equal(parameter, ast->parts[0]);
        }))
      return ast;
    return on_name(ast);
  }
  if (ast->kind == Ast::Kind::star) return on_star(ast);
  if (ast->kind == Ast::Kind::call) {
    FLOWRUN_TRY(AstPtr taken, on_call(ast));
    if (taken) return taken;
  }
  const size_t outer = parameters_.size();
  if (ast->kind == Ast::Kind::lambda)
    parameters_.insert(parameters_.end(), ast->parts.begin(), ast->parts.end());
  Ast copy = *ast;
  for (AstPtr& child : copy.children) {
    FLOWRUN_TRY(child, walk(child));
  }
  FLOWRUN_TRY(copy.filter, walk(ast->filter));
  for (Ast::OrderItem& item : copy.order_by) {
    FLOWRUN_TRY(item.value, walk(item.value));
  }
  parameters_.resize(outer);
  return std::make_shared<const Ast>(std::move(copy));
}

bool PatternWalk::is_aggregate(const Ast& call) const {
  return names_.environment.functions->find_aggregate(call.text) != nullptr;
}

Error PatternWalk::unknown_name(const Ast& ast, Error error) const {
  if (ast.parts.size() > 1 && !names_.variable(ast.parts[0]) &&
      names_.scope.find_all(ast.parts[0]).empty()) {
    const std::vector<std::string> known(names_.variables.begin(), names_.variables.end());
    error =
        Error::invalid(fmt::format("no pattern variable `{}` — the pattern has {}{}", ast.parts[0],
                                   back_quoted_list(known), did_you_mean(ast.parts[0], known)));
  }
  if (!error.offset) error.offset = ast.offset;
  return error;
}

Result<AstPtr> RowPart::on_name(const AstPtr& ast) {
  const std::optional<size_t> variable =
      ast->parts.size() > 1 ? names_.variable(ast->parts[0]) : std::nullopt;
  Ast bare = *ast;
  if (variable) bare.parts.erase(bare.parts.begin());
  Analyzer analyzer(names_.scope, names_.environment, names_.zone);
  auto node = analyzer.analyze(bare);
  if (!node) return unknown_name(*ast, std::move(node.error()));
  // A function without brackets, such as current_date.
  if (columns_read(**node).empty()) return ast;
  FLOWRUN_RETURN_IF_ERROR(use(variable, ast->offset));
  return std::make_shared<const Ast>(std::move(bare));
}

Result<AstPtr> RowPart::on_star(const AstPtr& ast) {
  if (ast->parts.empty()) return ast;
  const std::optional<size_t> variable = names_.variable(ast->parts[0]);
  if (!variable) {
    Ast shown = *ast;
    shown.parts.emplace_back("*");
    return unknown_name(shown, Error::invalid(fmt::format("no variable `{}`", ast->parts[0])));
  }
  FLOWRUN_RETURN_IF_ERROR(use(variable, ast->offset));
  Ast bare = *ast;
  bare.parts.clear();
  return std::make_shared<const Ast>(std::move(bare));
}

Result<AstPtr> RowPart::on_call(const AstPtr& ast) {
  if (!is_pattern_navigation(ast->text) && !is_about_match(ast->text) && !is_aggregate(*ast))
    return AstPtr();
  return Error::invalid(fmt::format("`{}` cannot stand inside `{}` — that takes values of one row",
                                    ast->text, owner_))
      .at_offset(ast->offset);
}

Status RowPart::use(std::optional<size_t> variable, size_t offset) {
  if (!variable_) variable_.emplace(variable);
  if (*variable_ == variable) return {};
  const auto shown = [&](std::optional<size_t> one) {
    return one ? fmt::format("`{}`", names_.variables[*one]) : std::string("the whole match");
  };
  return Error::invalid(fmt::format("`{}` looks at rows of {} and of {} at once — it takes columns "
                                    "of one variable",
                                    owner_, shown(*variable_), shown(variable)))
      .at_offset(offset);
}

}  // namespace flowrun
