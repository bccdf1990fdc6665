#include "runtime/expr/analyzer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/base/suggest.h"
#include "runtime/expr/cast.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/field_node.h"
#include "runtime/expr/lazy_nodes.h"
#include "runtime/expr/literal.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

Error with_offset(Error error, size_t offset) {
  if (!error.offset) error.offset = offset;
  return error;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::string quoted_path(std::span<const std::string> parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ".") + part;
  return "`" + out + "`";
}

// Functions that may be written without parentheses, where no column has their name.
bool is_bare_function(std::string_view name) {
  constexpr std::array<std::string_view, 6> kBareFunctions = {"current_date", "current_timestamp",
                                                              "current_user", "user",
                                                              "session_user", "localtimestamp"};
  return std::ranges::find(kBareFunctions, lower_name(name)) != kBareFunctions.end();
}

std::string count_text(const ScalarFunction& function) {
  if (function.max_arguments == ScalarFunction::kAnyNumber)
    return fmt::format("at least {}", function.min_arguments);
  if (function.min_arguments == function.max_arguments)
    return fmt::format("{}", function.min_arguments);
  return fmt::format("{} to {}", function.min_arguments, function.max_arguments);
}

}  // namespace

std::string Analyzer::item_name(const Ast& ast, const TypedNode& node) {
  const Ast* inner = &ast;
  while (inner->kind == Ast::Kind::cast) inner = inner->children[0].get();
  return inner->kind == Ast::Kind::name ? inner->parts.back() : node.name;
}

Result<TypedPtr> Analyzer::analyze(const Ast& ast) {
  auto node = dispatch(ast);
  if (!node) return with_offset(std::move(node.error()), ast.offset);
  return std::move(*node);
}

Result<TypedPtr> Analyzer::dispatch(const Ast& ast) {
  switch (ast.kind) {
    case Ast::Kind::literal: {
      auto node = std::make_shared<ConstantNode>(ast.value, literal_name(*ast.value));
      node->is_literal = true;
      return TypedPtr(std::move(node));
    }
    case Ast::Kind::name:
      return name(ast);
    case Ast::Kind::call:
      return function(ast);
    case Ast::Kind::row:
      return row(ast);
    case Ast::Kind::cast:
      return cast(ast);
    case Ast::Kind::case_:
      return case_expression(ast);
    case Ast::Kind::element:
      return element(ast);
    case Ast::Kind::field: {
      FLOWRUN_TRY(TypedPtr base, analyze(*ast.children[0]));
      return field(std::move(base), ast.text);
    }
    case Ast::Kind::alias: {
      FLOWRUN_TRY(TypedPtr inner, analyze(*ast.children[0]));
      return CallSite::named(inner, fmt::format("{} AS {}", inner->name, ast.parts[0]));
    }
    case Ast::Kind::star:
      return Error::invalid("`*` is not expected here — it stands alone, or in count(*)");
    case Ast::Kind::lambda:
      return Error::invalid(
          "a lambda is not expected here — functions such as transform and filter take one");
  }
  return Error::invalid("an expression of no known kind");
}

Result<TypedPtr> Analyzer::name(const Ast& ast) {
  size_t used = 1;
  if (ast.parts.size() == 1 && is_bare_function(ast.parts[0]) && !is_known(ast.parts[0])) {
    Ast bare{.kind = Ast::Kind::call, .offset = ast.offset};
    bare.text = lower_name(ast.parts[0]);
    return function(bare);
  }
  FLOWRUN_TRY(TypedPtr node, column(ast, used));
  for (; used < ast.parts.size(); ++used) {
    FLOWRUN_TRY(node, field(std::move(node), ast.parts[used]));
  }
  return node;
}

bool Analyzer::is_known(std::string_view name) const {
  const auto is_it = [&](const LambdaParameter& variable) {
    return names_equal(variable.name, name);
  };
  return std::ranges::any_of(variables_, is_it) || !schema_.find_all(name).empty();
}

// The variable or column that the first parts of the name stand for; `used` says how many.
Result<TypedPtr> Analyzer::column(const Ast& ast, size_t& used) {
  for (auto variable = variables_.rbegin(); variable != variables_.rend(); ++variable) {
    if (names_equal(variable->name, ast.parts[0])) {
      return TypedPtr(
          std::make_shared<VariableNode>(variable->slot, variable->type, variable->nullable));
    }
  }
  std::vector<size_t> found = schema_.find_all(ast.parts[0]);
  if (ast.parts.size() > 1 && (found.empty() || !schema_.field(found[0]).type.is_nested())) {
    std::vector<size_t> qualified;
    for (const size_t index : schema_.find_all(ast.parts[1])) {
      if (names_equal(schema_.field(index).qualifier, ast.parts[0])) qualified.push_back(index);
    }
    if (!qualified.empty()) {
      found = std::move(qualified);
      used = 2;
    }
  }
  if (found.empty()) return unknown_column(ast);
  if (found.size() > 1) {
    std::string choices;
    for (const size_t index : found) {
      const Field& field = schema_.field(index);
      if (field.qualifier.empty()) continue;
      choices +=
          fmt::format("{}`{}.{}`", choices.empty() ? "" : " or ", field.qualifier, field.name);
    }
    return Error::invalid(fmt::format("column `{}` is ambiguous: {} columns have that name{}{}",
                                      ast.parts[used - 1], found.size(),
                                      choices.empty() ? "" : " — write ", choices));
  }
  const Field& field = schema_.field(found[0]);
  return TypedPtr(
      std::make_shared<ColumnNode>(found[0], field.type, ast.parts[used - 1], field.nullable));
}

Error Analyzer::unknown_column(const Ast& ast) const {
  std::vector<std::string> candidates = schema_.names();
  for (const LambdaParameter& variable : variables_) candidates.push_back(variable.name);
  std::string known;
  for (const std::string& candidate : candidates) {
    if (!candidate.empty()) known += (known.empty() ? "" : ", ") + candidate;
  }
  constexpr size_t kMost = 200;
  if (known.size() > kMost) known = known.substr(0, kMost) + "...";
  std::string hint = did_you_mean(ast.parts[0], candidates);
  if (hint.empty() && aggregates_allowed_)
    hint = did_you_mean(ast.parts[0], environment_.functions->aggregate_names());
  return Error::invalid(fmt::format("no column {} in [{}]{}", quoted_path(ast.parts), known, hint));
}

Result<TypedPtr> Analyzer::field(TypedPtr base, std::string_view field) {
  if (base->type.id() == TypeId::map) {
    return call("[]", {std::move(base), CallSite::constant(constant_text(field))});
  }
  const bool in_array = base->type.id() == TypeId::array;
  const Type& holder = in_array ? base->type.element() : base->type;
  if (holder.id() != TypeId::struct_) {
    return Error::invalid(fmt::format("{} is {} — only a struct has fields such as `{}`",
                                      base->name, base->type.simple_string(), field));
  }
  std::vector<size_t> found;
  std::vector<std::string> candidates;
  for (size_t i = 0; i < holder.fields().size(); ++i) {
    candidates.push_back(holder.fields()[i].name);
    if (names_equal(holder.fields()[i].name, field)) found.push_back(i);
  }
  if (found.empty()) {
    return Error::invalid(fmt::format("no field `{}` in {} ({}){}", field, base->name,
                                      base->type.simple_string(), did_you_mean(field, candidates)));
  }
  if (found.size() > 1)
    return Error::invalid(fmt::format("field `{}` of {} is ambiguous", field, base->name));
  std::string node_name = fmt::format("{}.{}", base->name, field);
  return fold(std::make_shared<FieldNode>(std::move(base), found[0], std::move(node_name)), zone_);
}

Result<TypedPtr> Analyzer::element(const Ast& ast) {
  FLOWRUN_TRY(TypedPtr base, analyze(*ast.children[0]));
  const Ast& key = *ast.children[1];
  const bool of_struct =
      base->type.id() == TypeId::struct_ ||
      (base->type.id() == TypeId::array && base->type.element().id() == TypeId::struct_);
  if (of_struct && key.kind == Ast::Kind::literal && key.value->type().id() == TypeId::string) {
    return field(std::move(base), key.value->string(0));
  }
  FLOWRUN_TRY(TypedPtr index, analyze(key));
  return call("[]", {std::move(base), std::move(index)});
}

TypedPtr Analyzer::cast_to(TypedPtr node, const Type& type) const {
  if (node->type == type) return node;
  std::string node_name = node->name;
  const auto* constant = dynamic_cast<const ConstantNode*>(node.get());
  const bool is_literal = constant != nullptr && constant->is_literal;
  auto cast = std::make_shared<CastNode>(std::move(node), type, std::move(node_name),
                                         CastNode::Kind::implicit);
  TypedPtr folded = fold(std::move(cast), zone_);
  if (is_literal) {
    if (const auto* value = dynamic_cast<const ConstantNode*>(folded.get())) {
      auto literal = std::make_shared<ConstantNode>(value->value(), value->name);
      literal->is_literal = true;
      return literal;
    }
  }
  return folded;
}

Result<TypedPtr> Analyzer::cast(const Ast& ast) {
  FLOWRUN_TRY(TypedPtr inner, analyze(*ast.children[0]));
  const bool tried = ast.text == "try_cast";
  if (!(tried ? can_try_cast : can_cast)(inner->type, ast.type)) {
    return Error::invalid(fmt::format(
        "{} ({}) cannot be cast to {}{}", inner->name, inner->type.simple_string(),
        ast.type.simple_string(),
        tried && can_cast(inner->type, ast.type) ? " by try_cast — by cast it can" : ""));
  }
  std::string node_name = ast.text.empty()
                              ? inner->name
                              : fmt::format("{}({} AS {})", upper(ast.text), inner->name,
                                            upper(ast.type.simple_string()));
  if (ast.children[0]->kind == Ast::Kind::literal && inner->type.id() == TypeId::null) {
    TypedPtr null = CallSite::constant(null_column(ast.type, 1));
    return ast.type.is_nested() ? std::move(null) : CallSite::named(null, std::move(node_name));
  }
  const CastNode::Kind kind = tried ? CastNode::Kind::tried : CastNode::Kind::written;
  return fold(std::make_shared<CastNode>(std::move(inner), ast.type, std::move(node_name), kind),
              zone_);
}

Result<TypedPtr> Analyzer::case_expression(const Ast& ast) {
  std::vector<TypedPtr> conditions;
  std::vector<TypedPtr> values;
  std::string node_name = "CASE";
  for (size_t i = 0; i + 1 < ast.children.size(); i += 2) {
    FLOWRUN_TRY(TypedPtr condition, analyze(*ast.children[i]));
    if (condition->type.id() != TypeId::boolean && condition->type.id() != TypeId::null) {
      return Error::invalid(fmt::format("WHEN {} is {} — it takes boolean", condition->name,
                                        condition->type.simple_string()))
          .at_offset(ast.children[i]->offset);
    }
    FLOWRUN_TRY(TypedPtr value, analyze(*ast.children[i + 1]));
    node_name += fmt::format(" WHEN {} THEN {}", condition->name, value->name);
    conditions.push_back(cast_to(std::move(condition), Type::boolean()));
    values.push_back(std::move(value));
  }
  if (ast.children.size() % 2 == 1) {
    FLOWRUN_TRY(TypedPtr otherwise, analyze(*ast.children.back()));
    node_name += fmt::format(" ELSE {}", otherwise->name);
    values.push_back(std::move(otherwise));
  }
  const CallSite site(*this, "CASE", {}, nullptr);
  FLOWRUN_TRY(values, site.to_common_type(std::move(values)));
  return fold(
      std::make_shared<CaseNode>(std::move(conditions), std::move(values), node_name + " END"),
      zone_);
}

Result<TypedPtr> Analyzer::row(const Ast& ast) {
  std::vector<TypedPtr> parts;
  for (size_t i = 0; i < ast.children.size(); ++i) {
    const Ast& child = *ast.children[i];
    const Ast& value = child.kind == Ast::Kind::alias ? *child.children[0] : child;
    std::string field = fmt::format("col{}", i + 1);
    if (child.kind == Ast::Kind::alias || child.kind == Ast::Kind::name) field = child.parts.back();
    FLOWRUN_TRY(TypedPtr part, analyze(value));
    parts.push_back(CallSite::constant(constant_text(field)));
    parts.push_back(std::move(part));
  }
  return call("named_struct", std::move(parts));
}

Result<std::vector<TypedPtr>> Analyzer::arguments(const Ast& ast, bool takes_lambdas) {
  std::vector<TypedPtr> arguments;
  for (const AstPtr& child : ast.children) {
    if (child->kind == Ast::Kind::lambda) {
      if (!takes_lambdas)
        return Error::invalid(fmt::format("`{}` takes no lambda", ast.text))
            .at_offset(child->offset);
      arguments.push_back(nullptr);
    } else if (child->kind == Ast::Kind::star) {
      for (size_t i = 0; i < schema_.num_fields(); ++i) {
        const Field& field = schema_.field(i);
        if (field.name.empty() ||
            (!child->parts.empty() && !names_equal(field.qualifier, child->parts[0])))
          continue;
        arguments.push_back(
            std::make_shared<ColumnNode>(i, field.type, field.name, field.nullable));
      }
    } else {
      FLOWRUN_TRY(arguments.emplace_back(), analyze(*child));
    }
  }
  return arguments;
}

Result<TypedPtr> Analyzer::function(const Ast& ast) {
  if (const AggregateFunction* found = environment_.functions->find_aggregate(ast.text))
    return aggregate(ast, *found);
  if (ast.text == "grouping" || ast.text == "grouping_id") return grouping(ast);
  const ScalarFunction* found = environment_.functions->find_scalar(ast.text);
  if (found == nullptr) return unknown_function(ast);
  if (ast.distinct || ast.filter || !ast.order_by.empty()) {
    return Error::invalid(fmt::format(
        "`{}` is no aggregate — DISTINCT, FILTER and WITHIN GROUP are for aggregates", ast.text));
  }
  FLOWRUN_TRY(std::vector<TypedPtr> nodes, arguments(ast, found->takes_lambdas));
  return call(*found, ast.text, std::move(nodes), &ast);
}

Error Analyzer::unknown_function(const Ast& ast) const {
  std::vector<std::string> names = environment_.functions->names();
  // Operators, and what functions are made of, have names that nobody can write.
  std::erase_if(names, [](const std::string& name) {
    return !(name[0] >= 'a' && name[0] <= 'z') || name.find(' ') != std::string::npos;
  });
  std::string hint;
  if (aggregates_allowed_) hint = did_you_mean(ast.text, environment_.functions->aggregate_names());
  if (hint.empty()) hint = did_you_mean(ast.text, names);
  return Error::invalid(fmt::format("no function `{}`{}", ast.text, hint));
}

Result<TypedPtr> Analyzer::call(std::string_view function, std::vector<TypedPtr> arguments) {
  const ScalarFunction* found = environment_.functions->find_scalar(function);
  if (found == nullptr)
    return Error::invalid(fmt::format("no function `{}` is registered", function));
  return call(*found, function, std::move(arguments));
}

Result<TypedPtr> Analyzer::call(const ScalarFunction& function, std::string_view written,
                                std::vector<TypedPtr> nodes, const Ast* ast) {
  const size_t given = nodes.size();
  if (given < function.min_arguments || given > function.max_arguments) {
    return Error::invalid(fmt::format("`{}` takes {} arguments; got {} — {}", written,
                                      count_text(function), given, function.doc));
  }
  if (!function.defaults.empty()) {
    for (size_t i = given - function.min_arguments; i < function.defaults.size(); ++i) {
      nodes.push_back(CallSite::constant(function.defaults[i]));
    }
  }
  if (function.build) {
    CallSite site(*this, written, std::move(nodes), ast);
    return function.build(site);
  }
  std::vector<Type> types;
  std::vector<ColumnPtr> constants;
  std::vector<std::string> names;
  uint64_t literals = 0;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const auto* constant = dynamic_cast<const ConstantNode*>(nodes[i].get());
    types.push_back(nodes[i]->type);
    constants.push_back(constant != nullptr ? constant->value() : nullptr);
    names.push_back(nodes[i]->name);
    if (constant != nullptr && constant->is_literal && i < 64) literals |= uint64_t{1} << i;
  }
  FLOWRUN_TRY(BoundFunction bound,
              function.bind(Arguments{written, types, constants, names, literals}));
  std::string node_name;
  if (function.column_name) {
    node_name = function.column_name(names);
  } else {
    for (const std::string& name : names) node_name += (&name == names.data() ? "" : ", ") + name;
    node_name = fmt::format(
        "{}({})", function.shown.empty() ? std::string(written) : function.shown, node_name);
  }
  for (size_t i = 0; i < nodes.size(); ++i)
    nodes[i] = cast_to(std::move(nodes[i]), bound.arguments[i]);
  return fold(std::make_shared<CallNode>(function, std::move(bound), std::move(nodes),
                                         std::move(node_name)),
              zone_);
}

Result<TypedPtr> Analyzer::lambda(const Ast& ast, std::span<const LambdaParameter> parameters) {
  const size_t outer = variables_.size();
  variables_.insert(variables_.end(), parameters.begin(), parameters.end());
  auto body = analyze(*ast.children[0]);
  variables_.resize(outer);
  return body;
}

}  // namespace flowrun
