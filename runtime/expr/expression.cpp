#include "runtime/expr/expression.h"

#include <fmt/format.h>

#include "runtime/expr/analyzer.h"
#include "runtime/expr/ast.h"
#include "runtime/expr/bound_expression.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/generator.h"
#include "runtime/format/time_zone.h"

namespace flowrun {

namespace {

ExpressionPtr bound(TypedPtr node, std::string name) {
  return std::make_shared<BoundExpression>(std::move(node), std::move(name));
}

// The expression below an alias, and the name of the column.
struct Item {
  const Ast* ast;
  std::optional<std::string> alias;
};

Result<Item> unalias(const Ast& ast) {
  if (ast.kind != Ast::Kind::alias) return Item{&ast, std::nullopt};
  if (ast.parts.size() > 1) {
    return Error::invalid(
               "several names are given to one column — only a generator such as explode has "
               "several")
        .at_offset(ast.offset);
  }
  return Item{ast.children[0].get(), ast.parts[0]};
}

Result<TypedPtr> as_type(Analyzer& analyzer, TypedPtr node, const Type& type) {
  if (node->type == type) return node;
  if (!implicit_cast(node->type, type)) {
    return Error::invalid(fmt::format("{} is {} — {} is needed", node->name,
                                      node->type.simple_string(), type.simple_string()));
  }
  return analyzer.cast_to(std::move(node), type);
}

Result<ExpressionPtr> bind_ast(Analyzer& analyzer, const Ast& ast) {
  FLOWRUN_TRY(const Item item, unalias(ast));
  FLOWRUN_TRY(TypedPtr node, analyzer.analyze(*item.ast));
  std::string name = item.alias ? *item.alias : Analyzer::item_name(*item.ast, *node);
  return bound(std::move(node), std::move(name));
}

void split_conjuncts(const Ast& ast, std::vector<const Ast*>& conjuncts) {
  if (ast.kind == Ast::Kind::call && ast.text == "and") {
    for (const AstPtr& child : ast.children) split_conjuncts(*child, conjuncts);
  } else {
    conjuncts.push_back(&ast);
  }
}

// What `*` or `a.*` stands for.
Result<std::vector<SelectItem>> expand_star(const Schema& schema, const Ast& star,
                                            Analyzer& analyzer) {
  std::vector<SelectItem> items;
  for (size_t i = 0; i < schema.num_fields(); ++i) {
    if (!star.parts.empty() && !names_equal(schema.field(i).qualifier, star.parts.back())) continue;
    items.push_back({column_expression(schema, i), std::nullopt});
  }
  if (!items.empty() || star.parts.empty()) return items;
  // The fields of a struct.
  Ast name{.kind = Ast::Kind::name, .offset = star.offset};
  name.parts = star.parts;
  FLOWRUN_TRY(const TypedPtr base, analyzer.analyze(name));
  if (base->type.id() != TypeId::struct_) {
    return Error::invalid(fmt::format("{} is {} — only a struct or a table has `.*`", base->name,
                                      base->type.simple_string()))
        .at_offset(star.offset);
  }
  for (const Field& field : base->type.fields()) {
    Ast part = name;
    part.parts.push_back(field.name);
    FLOWRUN_TRY(TypedPtr node, analyzer.analyze(part));
    items.push_back({bound(std::move(node), field.name), std::nullopt});
  }
  return items;
}

}  // namespace

Result<ExpressionPtr> Binder::bind(std::string_view text) const {
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(environment_.timezone));
  FLOWRUN_TRY(const AstPtr ast, parse_expression(text, true));
  Analyzer analyzer(*scope_.schema, environment_, *zone);
  return bind_ast(analyzer, *ast);
}

Result<ExpressionPtr> Binder::bind_as(std::string_view text, const Type& type) const {
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(environment_.timezone));
  FLOWRUN_TRY(const AstPtr ast, parse_expression(text, true));
  Analyzer analyzer(*scope_.schema, environment_, *zone);
  FLOWRUN_TRY(const Item item, unalias(*ast));
  FLOWRUN_TRY(TypedPtr node, analyzer.analyze(*item.ast));
  std::string name = item.alias ? *item.alias : Analyzer::item_name(*item.ast, *node);
  FLOWRUN_TRY(node, as_type(analyzer, std::move(node), type));
  return bound(std::move(node), std::move(name));
}

Result<std::vector<SelectItem>> Binder::bind_select(std::string_view text) const {
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(environment_.timezone));
  FLOWRUN_TRY(const AstPtr ast, parse_expression(text, true));
  Analyzer analyzer(*scope_.schema, environment_, *zone);
  if (ast->kind == Ast::Kind::star) return expand_star(*scope_.schema, *ast, analyzer);
  if (is_generator(*ast)) {
    FLOWRUN_TRY(Generator generator, bind_generator(analyzer, *ast));
    return std::vector<SelectItem>{{nullptr, std::move(generator)}};
  }
  FLOWRUN_TRY(ExpressionPtr expression, bind_ast(analyzer, *ast));
  return std::vector<SelectItem>{{std::move(expression), std::nullopt}};
}

Result<std::vector<ExpressionPtr>> Binder::bind_conjuncts(std::string_view text) const {
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(environment_.timezone));
  FLOWRUN_TRY(const AstPtr ast, parse_expression(text, false));
  Analyzer analyzer(*scope_.schema, environment_, *zone);
  std::vector<const Ast*> conjuncts;
  split_conjuncts(*ast, conjuncts);
  std::vector<ExpressionPtr> expressions;
  for (const Ast* conjunct : conjuncts) {
    FLOWRUN_TRY(TypedPtr node, analyzer.analyze(*conjunct));
    std::string name = node->name;
    auto truth = as_type(analyzer, std::move(node), Type::boolean());
    if (!truth) return std::move(truth.error()).at_offset(conjunct->offset);
    expressions.push_back(bound(std::move(*truth), std::move(name)));
  }
  return expressions;
}

ExpressionPtr column_expression(const Schema& schema, size_t index) {
  const Field& field = schema.field(index);
  return bound(std::make_shared<ColumnNode>(index, field.type, field.name, field.nullable),
               field.name);
}

}  // namespace flowrun
