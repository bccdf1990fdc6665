#include <fmt/format.h>

#include "runtime/expr/analyzer.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/literal.h"

namespace flowrun {

Result<TypedPtr> CallSite::call_as(std::string_view function, std::string_view written,
                                   std::vector<TypedPtr> arguments) const {
  const ScalarFunction* found = analyzer_.environment().functions->find_scalar(function);
  if (found == nullptr)
    return Error::invalid(fmt::format("no function `{}` is registered", function));
  return analyzer_.call(*found, written, std::move(arguments));
}

std::string CallSite::field_name(size_t i) const {
  if (const auto* column = dynamic_cast<const ColumnNode*>(arguments_[i].get());
      column && column->name.find(" AS ") == std::string::npos) {
    return column->name;
  }
  if (ast_ == nullptr || i >= ast_->children.size()) return "";
  const Ast& child = *ast_->children[i];
  const bool named = child.kind == Ast::Kind::alias || child.kind == Ast::Kind::name ||
                     child.kind == Ast::Kind::field;
  if (!named) return "";
  return child.kind == Ast::Kind::field ? child.text : child.parts.back();
}

bool CallSite::is_lambda(size_t i) const {
  return i < arguments_.size() && arguments_[i] == nullptr;
}

size_t CallSite::lambda_parameters(size_t i) const { return ast_->children[i]->parts.size(); }

Result<TypedPtr> CallSite::lambda(size_t i, std::span<const Parameter> parameters) {
  const Ast& ast = *ast_->children[i];
  if (ast.parts.size() > parameters.size()) {
    return Error::invalid(fmt::format("the lambda of `{}` has {} parameters — it takes {}",
                                      written_, ast.parts.size(), parameters.size()))
        .at_offset(ast.offset);
  }
  std::vector<LambdaParameter> named;
  for (size_t p = 0; p < ast.parts.size(); ++p) {
    named.push_back(
        {ast.parts[p], parameters[p].type, parameters[p].nullable, analyzer_.num_variables() + p});
  }
  return analyzer_.lambda(ast, named);
}

std::string CallSite::default_name() const {
  std::string text;
  for (const TypedPtr& argument : arguments_) {
    if (!text.empty() || &argument != arguments_.data()) text += ", ";
    text += argument->name;
  }
  return fmt::format("{}({})", written_, text);
}

TypedPtr CallSite::named(const TypedPtr& node, std::string name) {
  MutableTypedPtr copy = node->with_children(node->children);
  copy->name = std::move(name);
  copy->nullable = node->nullable;
  return copy;
}

TypedPtr CallSite::constant(ColumnPtr value) {
  std::string name = literal_name(*value);
  auto node = std::make_shared<ConstantNode>(std::move(value), std::move(name));
  node->is_literal = true;
  return node;
}

Result<std::vector<TypedPtr>> CallSite::to_common_type(std::vector<TypedPtr> nodes,
                                                       bool promote_strings) const {
  std::vector<Type> types;
  for (const TypedPtr& node : nodes) types.push_back(node->type);
  const std::optional<Type> common = wider_type(types, promote_strings);
  if (!common) {
    std::string text;
    for (const Type& type : types) text += (text.empty() ? "" : ", ") + type.simple_string();
    return Error::invalid(
        fmt::format("the values of `{}` have no type in common: {}", written_, text));
  }
  for (TypedPtr& node : nodes) node = cast(std::move(node), *common);
  return nodes;
}

Error CallSite::wrong_argument(size_t i, std::string_view expected) const {
  return Error::invalid(fmt::format(
      "argument {} of `{}` is {} — it takes {}", i + 1, written_,
      is_lambda(i)
          ? std::string("a lambda")
          : fmt::format("{} ({})", arguments_[i]->type.simple_string(), arguments_[i]->name),
      expected));
}

}  // namespace flowrun
