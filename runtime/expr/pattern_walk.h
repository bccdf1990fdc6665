#pragma once
// PatternWalk: what the binding of pattern expressions shares: names, variables and a walk over
// trees that leaves the parameters of lambdas alone. For pattern_expression.cpp only.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/expr/analyzer.h"

namespace flowrun {

// first, last, prev, next: they look at one row.
bool is_pattern_navigation(std::string_view function);
// match_start, match_rowtime, classifier: they are about the whole match.
bool is_about_match(std::string_view function);

// What is fixed while the expressions of one pattern are bound.
struct PatternNames {
  const Schema& scope;
  std::span<const std::string> variables;
  const ExpressionEnvironment& environment;
  const TimeZone& zone;

  [[nodiscard]] std::optional<size_t> variable(std::string_view name) const;
};

// Makes another tree of a tree.
class PatternWalk {
 public:
  // The names must outlive it.
  explicit PatternWalk(const PatternNames& names) : names_(names) {}
  virtual ~PatternWalk() = default;

  // Null for null.
  Result<AstPtr> walk(const AstPtr& ast);

 protected:
  // What stands in the place of a column's name, of `*`, of a call.
  virtual Result<AstPtr> on_name(const AstPtr& ast) = 0;
  virtual Result<AstPtr> on_star(const AstPtr& ast) = 0;
  // Null: the call stays and its parts are walked.
  virtual Result<AstPtr> on_call(const AstPtr& ast) = 0;

  [[nodiscard]] bool is_aggregate(const Ast& call) const;
  // `error` with its place; it speaks of variables where one was meant.
  [[nodiscard]] Error unknown_name(const Ast& ast, Error error) const;

  const PatternNames& names_;

 private:
  std::vector<std::string> parameters_;  // of the lambdas around
};

// The part of an expression that is computed from single rows of one variable: takes the variable
// off its names, so that it can be bound to the scope.
class RowPart final : public PatternWalk {
 public:
  // `owner` is the function it stands in, for messages.
  RowPart(const PatternNames& names, std::string_view owner) : PatternWalk(names), owner_(owner) {}

  // Of the columns seen; none for columns of any row.
  [[nodiscard]] std::optional<size_t> variable() const { return variable_.value_or(std::nullopt); }

 protected:
  Result<AstPtr> on_name(const AstPtr& ast) override;
  Result<AstPtr> on_star(const AstPtr& ast) override;
  Result<AstPtr> on_call(const AstPtr& ast) override;

 private:
  Status use(std::optional<size_t> variable, size_t offset);

  std::string owner_;
  std::optional<std::optional<size_t>> variable_;  // once a column was seen
};

}  // namespace flowrun
