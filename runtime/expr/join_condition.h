#pragma once
// JoinCondition: a condition over two sides, taken apart into what a hash table can find and what
// is left.
//
//   FLOWRUN_TRY(JoinCondition condition,
//               bind_join_condition("who = customer and amount >= level * 2.5", stream, table,
//               environment));
//   // equalities: [who, customer]; rest: [amount >= level * 2.5] over the stream's columns, then
//   the table's
//
// Spark's implicit casts are part of the keys: a bigint that meets a double is compared as a
// double.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/expr/expression.h"

namespace flowrun {

struct JoinCondition {
  // left = right, or left <=> right, each bound to the columns of its own side; both have one type.
  struct Equality {
    ExpressionPtr left;
    ExpressionPtr right;
    bool null_safe = false;
  };
  std::vector<Equality> equalities;
  // Conjuncts that are no such equality, over the columns of the left side and then those of the
  // right.
  std::vector<ExpressionPtr> rest;
};

// What can be tried on the rows of one side before the join: each bound to that side's columns.
struct SideConditions {
  std::vector<ExpressionPtr> left;
  std::vector<ExpressionPtr> right;
};

// Takes the deterministic conjuncts that read one side only out of the rest.
SideConditions take_side_conditions(JoinCondition& condition, size_t num_left);

// Columns (of the two sides, left ones first) that must not be null for the condition to be true:
// what comparisons read, through what gives null for null.
std::vector<size_t> columns_that_must_be(const JoinCondition& condition, size_t num_left);

// "column `index` of the schema is not null".
ExpressionPtr not_null_condition(const Schema& schema, size_t index,
                                 const ExpressionEnvironment& environment);

// The columns of both sides, left ones first: what a condition is bound against. Qualifiers are
// kept.
SchemaPtr joined_schema(const Schema& left, const Schema& right);

Result<JoinCondition> bind_join_condition(std::string_view text, const Schema& left,
                                          const Schema& right,
                                          const ExpressionEnvironment& environment);

// Column `first` of the left side equals column `second` of the right one, for each pair. Errors
// carry no offset.
Result<JoinCondition> bind_join_columns(const std::vector<std::pair<size_t, size_t>>& columns,
                                        const Schema& left, const Schema& right,
                                        const ExpressionEnvironment& environment);

}  // namespace flowrun
