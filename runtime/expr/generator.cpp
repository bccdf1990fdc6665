#include "runtime/expr/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/expr/bound_expression.h"

namespace flowrun {

namespace {

struct GeneratorName {
  std::string_view name;
  Generator::Kind kind;
  bool outer;
  bool position;
};
constexpr std::array<GeneratorName, 7> kGenerators = {{
    {"explode", Generator::Kind::explode, false, false},
    {"explode_outer", Generator::Kind::explode, true, false},
    {"posexplode", Generator::Kind::explode, false, true},
    {"posexplode_outer", Generator::Kind::explode, true, true},
    {"inline", Generator::Kind::inline_, false, false},
    {"inline_outer", Generator::Kind::inline_, true, false},
    {"stack", Generator::Kind::stack, false, false},
}};

const Ast& call_of(const Ast& ast) { return ast.kind == Ast::Kind::alias ? *ast.children[0] : ast; }

const GeneratorName* find_generator(const Ast& call) {
  if (call.kind != Ast::Kind::call) return nullptr;
  const auto found = std::ranges::find(kGenerators, call.text, &GeneratorName::name);
  return found == kGenerators.end() ? nullptr : &*found;
}

Result<std::vector<Field>> exploded_columns(const TypedNode& argument, const Generator& generator) {
  std::vector<Field> columns;
  if (generator.position) columns.push_back({"pos", Type::integer(), generator.outer});
  if (argument.type.id() == TypeId::array) {
    columns.push_back({"col", argument.type.element()});
  } else if (argument.type.id() == TypeId::map) {
    columns.push_back({"key", argument.type.key(), generator.outer});
    columns.push_back({"value", argument.type.value()});
  } else {
    return Error::invalid(fmt::format("{} is {} — explode takes an array or a map", argument.name,
                                      argument.type.simple_string()));
  }
  return columns;
}

Result<std::vector<Field>> inlined_columns(const TypedNode& argument) {
  if (argument.type.id() != TypeId::array || argument.type.element().id() != TypeId::struct_) {
    return Error::invalid(fmt::format("{} is {} — inline takes an array of structs", argument.name,
                                      argument.type.simple_string()));
  }
  const auto fields = argument.type.element().fields();
  std::vector<Field> columns(fields.begin(), fields.end());
  for (Field& column : columns) column.nullable = true;
  return columns;
}

// stack(n, v1, v2, ...): the arguments behind n, cast so that each column has one type.
Result<std::vector<Field>> stacked_columns(Analyzer& analyzer, std::vector<TypedPtr>& arguments,
                                           int64_t& rows) {
  const auto* count =
      arguments.empty() ? nullptr : dynamic_cast<const ConstantNode*>(arguments[0].get());
  if (count == nullptr || count->type.id() != TypeId::integer || count->value()->is_null(0) ||
      count->value()->values<int32_t>()[0] <= 0 || arguments.size() < 2) {
    return Error::invalid(
        "stack takes the number of rows, a positive constant, and then the values");
  }
  rows = count->value()->values<int32_t>()[0];
  arguments.erase(arguments.begin());
  const size_t width =
      (arguments.size() + static_cast<size_t>(rows) - 1) / static_cast<size_t>(rows);
  std::vector<Field> columns;
  const CallSite site(analyzer, "stack", {}, nullptr);
  for (size_t column = 0; column < width; ++column) {
    std::vector<TypedPtr> values;
    for (size_t i = column; i < arguments.size(); i += width) values.push_back(arguments[i]);
    FLOWRUN_TRY(values, site.to_common_type(std::move(values)));
    columns.push_back({fmt::format("col{}", column), values[0]->type});
    for (size_t i = column; i < arguments.size(); i += width)
      arguments[i] = values[(i - column) / width];
  }
  return columns;
}

}  // namespace

bool is_generator(const Ast& ast) { return find_generator(call_of(ast)) != nullptr; }

Result<Generator> bind_generator(Analyzer& analyzer, const Ast& ast) {
  const Ast& call = call_of(ast);
  const GeneratorName& known = *find_generator(call);
  Generator generator;
  generator.kind = known.kind;
  generator.outer = known.outer;
  generator.position = known.position;
  std::vector<TypedPtr> arguments;
  for (const AstPtr& child : call.children) {
    FLOWRUN_TRY(arguments.emplace_back(), analyzer.analyze(*child));
  }
  if (generator.kind == Generator::Kind::stack) {
    FLOWRUN_TRY(generator.columns, stacked_columns(analyzer, arguments, generator.stack_rows));
  } else {
    if (arguments.size() != 1) {
      return Error::invalid(
                 fmt::format("`{}` takes 1 argument; got {}", call.text, arguments.size()))
          .at_offset(call.offset);
    }
    FLOWRUN_TRY(generator.columns, generator.kind == Generator::Kind::explode
                                       ? exploded_columns(*arguments[0], generator)
                                       : inlined_columns(*arguments[0]));
  }
  if (ast.kind == Ast::Kind::alias) {
    if (ast.parts.size() != generator.columns.size()) {
      return Error::invalid(fmt::format("`{}` gives {} columns — {} names are given", call.text,
                                        generator.columns.size(), ast.parts.size()))
          .at_offset(ast.offset);
    }
    for (size_t i = 0; i < ast.parts.size(); ++i) generator.columns[i].name = ast.parts[i];
  }
  for (TypedPtr& argument : arguments) {
    std::string name = argument->name;
    generator.arguments.push_back(
        std::make_shared<BoundExpression>(std::move(argument), std::move(name)));
  }
  return generator;
}

}  // namespace flowrun
