#pragma once
// PatternQuestions: one formula asked of many matches, or half-made ones, at once.
//
//   PatternQuestions questions(formula);
//   questions.add(run, where);               // once per match
//   FLOWRUN_TRY(ColumnPtr answers, questions.answer(rows, variables, context));   // one row each

#include <vector>

#include "runtime/operator/pattern_rows.h"
#include "runtime/operator/pattern_shape.h"

namespace flowrun {

// One row of a key, in the order of time.
struct PatternRow {
  int64_t number;      // in PatternRows
  int64_t time;        // microseconds
  uint64_t variables;  // a bit for each whose condition on the row alone is true
};

// Where the rows of one match stand: positions count from its first row.
class PatternRun {
 public:
  // `rows` are the key's, `start` the match's first among them; `within` bounds how far `prev`
  // sees.
  PatternRun(std::span<const PatternRow> rows, size_t start, std::optional<int64_t> within)
      : rows_(rows), start_(start), within_(within) {}
  virtual ~PatternRun() = default;

  // PatternRows::kNone if there is no such row.
  [[nodiscard]] int64_t row(const RowReference& reference) const;
  [[nodiscard]] int64_t row_at(int32_t position) const {
    return rows_[start_ + static_cast<size_t>(position)].number;
  }
  // kNoRow if there is none.
  [[nodiscard]] virtual int32_t position(const RowReference& reference) const = 0;
  // All rows of a variable, or of the match, in order.
  virtual void positions(std::optional<size_t> variable, std::vector<int32_t>& out) const = 0;
  [[nodiscard]] virtual int32_t last_position() const = 0;
  [[nodiscard]] virtual size_t last_variable() const = 0;

 private:
  std::span<const PatternRow> rows_;
  size_t start_;
  std::optional<int64_t> within_;
};

// A row that would go on from a way: what it is asked before it is taken.
class CandidateRun final : public PatternRun {
 public:
  // All must outlive it.
  CandidateRun(std::span<const PatternRow> rows, size_t start, std::optional<int64_t> within,
               const PatternProgram& program, const PatternPaths& paths,
               const PatternPaths::Candidate& candidate);
  [[nodiscard]] int32_t position(const RowReference& reference) const override;
  void positions(std::optional<size_t> variable, std::vector<int32_t>& out) const override;
  [[nodiscard]] int32_t last_position() const override;
  [[nodiscard]] size_t last_variable() const override { return candidate_.variable; }

 private:
  const PatternProgram& program_;
  const PatternPaths& paths_;
  const PatternPaths::Candidate& candidate_;
  std::vector<int32_t> registers_;
};

// A whole match.
class MatchRun final : public PatternRun {
 public:
  // `variables` are those of its rows; must outlive it.
  MatchRun(std::span<const PatternRow> rows, size_t start, std::optional<int64_t> within,
           std::span<const uint8_t> variables)
      : PatternRun(rows, start, within), variables_(variables) {}
  [[nodiscard]] int32_t position(const RowReference& reference) const override;
  void positions(std::optional<size_t> variable, std::vector<int32_t>& out) const override;
  [[nodiscard]] int32_t last_position() const override {
    return static_cast<int32_t>(variables_.size()) - 1;
  }
  [[nodiscard]] size_t last_variable() const override { return variables_.back(); }

 private:
  std::span<const uint8_t> variables_;
};

// Not thread-safe. The formula must outlive it.
class PatternQuestions {
 public:
  explicit PatternQuestions(const PatternFormula& formula);

  void add(const PatternRun& run);
  [[nodiscard]] size_t size() const { return size_; }
  // One row per question, in the order asked; forgets them.
  Result<ColumnPtr> answer(const PatternRows& rows, std::span<const std::string> variables,
                           const EvaluationContext& context);

 private:
  [[nodiscard]] Result<ColumnPtr> slot_values(size_t slot, const PatternRows& rows,
                                              std::span<const std::string> variables,
                                              const EvaluationContext& context) const;
  [[nodiscard]] Result<ColumnPtr> aggregate_values(size_t aggregate, const PatternRows& rows,
                                                   const EvaluationContext& context) const;

  const PatternFormula* formula_;
  size_t size_ = 0;
  std::vector<std::vector<int64_t>> slot_rows_;  // by slot; for classifier() the variable
  struct Members {
    std::vector<int64_t> rows;
    std::vector<uint32_t> questions;  // of each row
  };
  std::vector<Members> members_;  // by aggregate
  std::vector<int32_t> positions_;
};

}  // namespace flowrun
