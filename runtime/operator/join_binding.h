#pragma once
// JoinBinding: what the joins share: which rows of two sides belong together, and what comes out.
//
//   FLOWRUN_TRY(JoinBinding join, JoinBinding::bind(JoinKind::left, options, stream, table, env));
//   // candidates come from join.condition().equalities, by a hash table
//   FLOWRUN_RETURN_IF_ERROR(join.keep_true(stream_rows, table_rows, context, pairs));
//   FLOWRUN_TRY(RecordBatch out, join.rows(stream_rows, table_rows, pairs, wanted, context));
//
// With `on` the keys come first, once each, then the other columns of the left and of the right
// side; with `condition` alone all columns of both. A full join gives a key from whichever side has
// the row.

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/expr/join_condition.h"
#include "runtime/operator/join_table.h"
#include "runtime/operator/options.h"
#include "runtime/operator/spec.h"
#include "runtime/operator/transform.h"

namespace flowrun {

enum class JoinKind : uint8_t { inner, left, right, full, left_semi, left_anti };
inline constexpr std::array kJoinKinds{"inner", "left", "right", "full", "left_semi", "left_anti"};
// REQUIRES: one of kJoinKinds.
JoinKind join_kind(std::string_view word);

struct JoinOptions {
  std::optional<OptionValue> on;         // names of both sides
  std::optional<OptionValue> condition;  // an expression over both

  // `on` and `condition`, as each join's spec has them.
  static std::vector<OptionSpec> specs();
  // Refused if there is neither.
  static Result<JoinOptions> read(const Options& options);
  [[nodiscard]] std::string describe() const;  // " on User", " on id = ref"
};

// A side as it is named in messages.
struct JoinInput {
  InputSchema input;
  std::string what;  // "the table `users`"
};

// Immutable once bound: thread-safe.
class JoinBinding {
 public:
  static Result<JoinBinding> bind(JoinKind kind, const JoinOptions& options, const JoinInput& left,
                                  const JoinInput& right, const ExpressionEnvironment& environment);

  [[nodiscard]] const JoinCondition& condition() const { return condition_; }
  // Takes what looks at one side only out of the condition: the caller tries it before the join.
  SideConditions take_side_conditions() {
    return flowrun::take_side_conditions(condition_, num_left_);
  }
  // The columns of both sides, left ones first, each qualified by its node or table.
  [[nodiscard]] const SchemaPtr& joined() const { return joined_; }
  [[nodiscard]] size_t num_left() const { return num_left_; }
  [[nodiscard]] const SchemaPtr& output() const { return output_; }

  // Which columns of a side (0: left, 1: right) the calls below read.
  [[nodiscard]] ColumnSet reads(size_t side, const ColumnSet& wanted) const;
  // Drops the pairs for which what is left of the condition is not true. REQUIRES: no missing rows.
  Status keep_true(const RecordBatch& left, const RecordBatch& right,
                   const EvaluationContext& context, RowPairs& pairs) const;
  // The wanted output columns of the pairs; a row of -1 gives nulls. An empty set wants all. With
  // `left_untouched` the pairs hold each left row once, in order: its columns are passed on.
  [[nodiscard]] Result<RecordBatch> rows(const RecordBatch& left, const RecordBatch& right,
                                         const RowPairs& pairs, const ColumnSet& wanted,
                                         const EvaluationContext& context,
                                         bool left_untouched = false) const;

 private:
  // Where an output column comes from; a key of a full join from both, by equality `key`.
  struct Place {
    std::optional<size_t> left;
    std::optional<size_t> right;
    size_t key = 0;
  };

  Status bind_keys(const OptionValue& on, const Schema& left, const Schema& right,
                   const JoinInput& right_input, const ExpressionEnvironment& environment);
  Status bind_condition(const OptionValue& option, const Schema& left, const Schema& right,
                        const JoinInput& left_input, const JoinInput& right_input,
                        const ExpressionEnvironment& environment);
  void lay_out(JoinKind kind, const Schema& left, const Schema& right);
  Place key_place(JoinKind kind, size_t key, const Schema& left, const Schema& right,
                  Field& field) const;
  [[nodiscard]] Result<ColumnPtr> key_of_either(const RecordBatch& left, const RecordBatch& right,
                                                const RowPairs& pairs, size_t key,
                                                const EvaluationContext& context) const;

  std::vector<std::pair<size_t, size_t>> using_;  // columns of left and right that `on` names
  JoinCondition condition_;
  size_t num_left_ = 0;
  SchemaPtr joined_;
  SchemaPtr output_;
  std::vector<Place> places_;
};

}  // namespace flowrun
