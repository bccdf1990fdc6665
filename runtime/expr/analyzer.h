#pragma once
// Analyzer: AST to typed tree. Resolves names, inserts Spark's implicit casts, names every node as
// Spark would, and folds what is constant.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/expr/ast.h"
#include "runtime/expr/expression.h"
#include "runtime/expr/typed_node.h"

namespace flowrun {

// A call of an aggregate function inside a typed tree, until bind_aggregate puts a column in its
// place.
class AggregateNode final : public TypedNode {
 public:
  explicit AggregateNode(AggregateCall aggregate_call, std::vector<TypedPtr> arguments,
                         std::string node_name);
  [[nodiscard]] Result<Datum> evaluate(const Frame&) const override;
  [[nodiscard]] MutableTypedPtr with_children(std::vector<TypedPtr> arguments) const override;
  [[nodiscard]] std::string identity() const override;
  [[nodiscard]] const AggregateCall& call() const { return call_; }

 private:
  AggregateCall call_;
};

// grouping(k) or, with no children, grouping_id(): as AggregateNode.
class GroupingNode final : public TypedNode {
 public:
  GroupingNode(std::vector<TypedPtr> keys, bool of_one_key, std::string node_name);
  [[nodiscard]] Result<Datum> evaluate(const Frame&) const override;
  [[nodiscard]] MutableTypedPtr with_children(std::vector<TypedPtr> keys) const override;
  [[nodiscard]] std::string identity() const override {
    return of_one_key_ ? "grouping" : "grouping_id";
  }
  [[nodiscard]] bool of_one_key() const { return of_one_key_; }

 private:
  bool of_one_key_;
};

struct LambdaParameter {
  std::string name;
  Type type;
  bool nullable;
  size_t slot;
};

class Analyzer {
 public:
  Analyzer(const Schema& schema, const ExpressionEnvironment& environment, const TimeZone& zone)
      : schema_(schema), environment_(environment), zone_(zone) {}

  // Aggregate functions are refused unless allowed; never inside one another.
  void allow_aggregates() { aggregates_allowed_ = true; }

  Result<TypedPtr> analyze(const Ast& ast);
  // Spark's name for a select item without an alias: `st.a` and casts of it are named `a`.
  static std::string item_name(const Ast& ast, const TypedNode& node);

  // For functions that build their tree (CallSite).
  Result<TypedPtr> call(const ScalarFunction& function, std::string_view written,
                        std::vector<TypedPtr> arguments, const Ast* ast = nullptr);
  Result<TypedPtr> call(std::string_view function, std::vector<TypedPtr> arguments);
  [[nodiscard]] TypedPtr cast_to(TypedPtr node, const Type& type) const;
  Result<TypedPtr> lambda(const Ast& ast, std::span<const LambdaParameter> parameters);
  [[nodiscard]] size_t num_variables() const { return variables_.size(); }
  [[nodiscard]] const TimeZone& zone() const { return zone_; }
  [[nodiscard]] const ExpressionEnvironment& environment() const { return environment_; }

 private:
  Result<TypedPtr> dispatch(const Ast& ast);
  Result<TypedPtr> name(const Ast& ast);
  Result<TypedPtr> column(const Ast& ast, size_t& used);
  // A column or a lambda's variable has the name.
  [[nodiscard]] bool is_known(std::string_view name) const;
  Result<TypedPtr> field(TypedPtr base, std::string_view field);
  Result<TypedPtr> element(const Ast& ast);
  Result<TypedPtr> cast(const Ast& ast);
  Result<TypedPtr> case_expression(const Ast& ast);
  Result<TypedPtr> row(const Ast& ast);
  Result<TypedPtr> function(const Ast& ast);
  Result<TypedPtr> aggregate(const Ast& ast, const AggregateFunction& function);
  Result<std::vector<TypedPtr>> order_values(const Ast& ast);
  Result<TypedPtr> grouping(const Ast& ast);
  Result<std::vector<TypedPtr>> arguments(const Ast& ast, bool takes_lambdas = false);
  [[nodiscard]] Error unknown_function(const Ast& ast) const;
  [[nodiscard]] Error unknown_column(const Ast& ast) const;

  const Schema& schema_;
  const ExpressionEnvironment& environment_;
  const TimeZone& zone_;
  std::vector<LambdaParameter> variables_;
  bool aggregates_allowed_ = false;
};

// What a BuildFunction is given: the call's arguments, and the analyzer's means to build from them.
class CallSite {
 public:
  CallSite(Analyzer& analyzer, std::string_view written, std::vector<TypedPtr> arguments,
           const Ast* ast)
      : analyzer_(analyzer), written_(written), arguments_(std::move(arguments)), ast_(ast) {}

  [[nodiscard]] std::string_view function() const { return written_; }
  [[nodiscard]] size_t size() const { return arguments_.size(); }
  // Null where a lambda was written.
  [[nodiscard]] const TypedPtr& argument(size_t i) const { return arguments_[i]; }
  [[nodiscard]] const std::vector<TypedPtr>& arguments() const { return arguments_; }
  // The name that argument i has of itself: its alias (struct(i AS x)) or its column; empty if
  // none.
  [[nodiscard]] std::string field_name(size_t i) const;
  [[nodiscard]] bool is_lambda(size_t i) const;
  [[nodiscard]] size_t lambda_parameters(size_t i) const;
  // The lambda's body over parameters of these types (as many as it takes, from the front). Its
  // variables stand behind those of the frame around it.
  struct Parameter {
    Type type;
    bool nullable = true;
  };
  Result<TypedPtr> lambda(size_t i, std::span<const Parameter> parameters);
  // The variables that lambdas around this call have.
  [[nodiscard]] size_t outer_variables() const { return analyzer_.num_variables(); }

  // "function(argument, argument)".
  [[nodiscard]] std::string default_name() const;
  Result<TypedPtr> call(std::string_view function, std::vector<TypedPtr> arguments) const {
    return analyzer_.call(function, std::move(arguments));
  }
  // The same, with errors that speak of `written`.
  Result<TypedPtr> call_as(std::string_view function, std::string_view written,
                           std::vector<TypedPtr> arguments) const;
  // A cast that does not show in names; `node` itself if it has the type.
  [[nodiscard]] TypedPtr cast(TypedPtr node, const Type& type) const {
    return analyzer_.cast_to(std::move(node), type);
  }
  // The same computation under another name.
  [[nodiscard]] static TypedPtr named(const TypedPtr& node, std::string name);
  [[nodiscard]] TypedPtr finish(MutableTypedPtr node) const {
    return fold(std::move(node), analyzer_.zone());
  }
  [[nodiscard]] static TypedPtr constant(ColumnPtr value);
  // All of `nodes` cast to the type they have in common, or an error naming them.
  Result<std::vector<TypedPtr>> to_common_type(std::vector<TypedPtr> nodes,
                                               bool promote_strings = true) const;
  // "argument 1 of `if` is int (i) — it takes boolean"
  [[nodiscard]] Error wrong_argument(size_t i, std::string_view expected) const;

 private:
  Analyzer& analyzer_;
  std::string_view written_;
  std::vector<TypedPtr> arguments_;
  const Ast* ast_;
};

}  // namespace flowrun
