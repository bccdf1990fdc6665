#include "runtime/operator/pattern_questions.h"

#include <algorithm>
#include <numeric>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

void add_columns(const ExpressionPtr& expression, std::vector<bool>& set) {
  if (!expression) return;
  for (const size_t column : expression->columns()) set[column] = true;
}

}  // namespace

Result<PatternFormula> PatternFormula::bind(PatternExpression expression,
                                            const FunctionRegistry& functions) {
  PatternFormula formula;
  for (const PatternAggregate& aggregate : expression.aggregates) {
    FLOWRUN_TRY(formula.aggregates.emplace_back(), BoundAggregate::bind(aggregate.call, functions));
    std::vector<size_t>& columns = formula.aggregate_columns.emplace_back();
    const auto add = [&](const ExpressionPtr& part) {
      if (part) columns.insert(columns.end(), part->columns().begin(), part->columns().end());
    };
    std::ranges::for_each(aggregate.call.arguments, add);
    add(aggregate.call.filter);
    std::ranges::sort(columns);
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  }
  formula.expression = std::move(expression);
  return formula;
}

void PatternFormula::add_columns_read(std::vector<bool>& set) const {
  for (const PatternSlot& slot : expression.slots) add_columns(slot.value, set);
  for (const std::vector<size_t>& columns : aggregate_columns) {
    for (const size_t column : columns) set[column] = true;
  }
}

int64_t PatternRun::row(const RowReference& reference) const {
  const int32_t found = position(reference);
  if (found == kNoRow) return PatternRows::kNone;
  const int64_t index = static_cast<int64_t>(start_) + found - reference.back;
  if (index < 0) return PatternRows::kNone;
  const PatternRow& row = rows_[static_cast<size_t>(index)];
  // What is longer ago than `within` may have been forgotten: nobody sees it.
  const int64_t last = rows_[start_ + static_cast<size_t>(last_position())].time;
  if (reference.back > 0 && within_ && last - row.time > *within_) return PatternRows::kNone;
  return row.number;
}

CandidateRun::CandidateRun(std::span<const PatternRow> rows, size_t start,
                           std::optional<int64_t> within, const PatternProgram& program,
                           const PatternPaths& paths, const PatternPaths::Candidate& candidate)
    : PatternRun(rows, start, within),
      program_(program),
      paths_(paths),
      candidate_(candidate),
      registers_(program.num_registers) {
  paths.registers_after(program, candidate, registers_);
}

int32_t CandidateRun::last_position() const { return static_cast<int32_t>(paths_.num_rows()); }

int32_t CandidateRun::position(const RowReference& reference) const {
  const auto offset = static_cast<int32_t>(reference.offset);
  if (!reference.variable) {
    const int32_t found = reference.first ? offset : last_position() - offset;
    return found < 0 || found > last_position() ? kNoRow : found;
  }
  const size_t variable = *reference.variable;
  const size_t at = reference.first ? program_.first_at[variable] : program_.last_at[variable];
  return registers_[at + static_cast<size_t>(reference.offset)];
}

void CandidateRun::positions(std::optional<size_t> variable, std::vector<int32_t>& out) const {
  out.clear();
  if (variable) return paths_.rows_after(candidate_, *variable, out);
  out.resize(paths_.num_rows() + 1);
  std::iota(out.begin(), out.end(), 0);
}

int32_t MatchRun::position(const RowReference& reference) const {
  std::vector<int32_t> all;
  positions(reference.variable, all);
  const auto offset = static_cast<size_t>(reference.offset);
  if (offset >= all.size()) return kNoRow;
  return reference.first ? all[offset] : all[all.size() - 1 - offset];
}

void MatchRun::positions(std::optional<size_t> variable, std::vector<int32_t>& out) const {
  out.clear();
  for (size_t i = 0; i < variables_.size(); ++i) {
    if (!variable || variables_[i] == *variable) out.push_back(static_cast<int32_t>(i));
  }
}

PatternQuestions::PatternQuestions(const PatternFormula& formula)
    : formula_(&formula),
      slot_rows_(formula.expression.slots.size()),
      members_(formula.aggregates.size()) {}

void PatternQuestions::add(const PatternRun& run) {
  const PatternExpression& expression = formula_->expression;
  for (size_t i = 0; i < slot_rows_.size(); ++i) {
    const PatternSlot& slot = expression.slots[i];
    slot_rows_[i].push_back(slot.value ? run.row(slot.row)
                                       : static_cast<int64_t>(run.last_variable()));
  }
  for (size_t i = 0; i < members_.size(); ++i) {
    run.positions(expression.aggregates[i].variable, positions_);
    for (const int32_t position : positions_) {
      members_[i].rows.push_back(run.row_at(position));
      members_[i].questions.push_back(static_cast<uint32_t>(size_));
    }
  }
  ++size_;
}

Result<ColumnPtr> PatternQuestions::slot_values(size_t index, const PatternRows& rows,
                                                std::span<const std::string> variables,
                                                const EvaluationContext& context) const {
  const PatternSlot& slot = formula_->expression.slots[index];
  const std::vector<int64_t>& asked = slot_rows_[index];
  if (!slot.value) {
    StringBuilder names(Type::string());
    for (const int64_t variable : asked) names.append(variables[static_cast<size_t>(variable)]);
    return names.finish();
  }
  const RecordBatch gathered = rows.gather(asked, slot.value->columns());
  FLOWRUN_TRY(ColumnPtr values, slot.value->evaluate(gathered, context));
  if (slot.value->bare_column()) return values;
  // An expression may make a value even of the nulls of a row that is not there.
  std::vector<int32_t> there(asked.size());
  for (size_t i = 0; i < asked.size(); ++i)
    there[i] = asked[i] == PatternRows::kNone ? -1 : static_cast<int32_t>(i);
  return take(*values, there);
}

Result<ColumnPtr> PatternQuestions::aggregate_values(size_t index, const PatternRows& rows,
                                                     const EvaluationContext& context) const {
  const Members& members = members_[index];
  const BoundAggregate& aggregate = formula_->aggregates[index];
  const std::unique_ptr<GroupStates> states = aggregate.make_states();
  states->resize(size_);
  if (!members.rows.empty()) {
    const RecordBatch gathered = rows.gather(members.rows, formula_->aggregate_columns[index]);
    FLOWRUN_RETURN_IF_ERROR(aggregate.update(*states, members.questions, gathered, context, 0));
  }
  std::vector<uint32_t> all(size_);
  std::iota(all.begin(), all.end(), 0u);
  return states->result(all);
}

Result<ColumnPtr> PatternQuestions::answer(const PatternRows& rows,
                                           std::span<const std::string> variables,
                                           const EvaluationContext& context) {
  std::vector<ColumnPtr> columns;
  for (size_t i = 0; i < slot_rows_.size(); ++i) {
    FLOWRUN_TRY(columns.emplace_back(), slot_values(i, rows, variables, context));
  }
  for (size_t i = 0; i < members_.size(); ++i) {
    FLOWRUN_TRY(columns.emplace_back(), aggregate_values(i, rows, context));
  }
  const auto num_rows = static_cast<int64_t>(size_);
  size_ = 0;
  for (auto& asked : slot_rows_) asked.clear();
  for (Members& members : members_) {
    members.rows.clear();
    members.questions.clear();
  }
  const RecordBatch batch(formula_->expression.columns, num_rows, std::move(columns));
  return formula_->expression.result->evaluate(batch, context);
}

}  // namespace flowrun
