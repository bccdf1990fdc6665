#pragma once
// PatternPartition: the rows of one partition's keys that wait or may still be part of a match, and
// how far each key's search has come.
//
// A row waits until the watermark has passed its time, and then takes its place behind its key's
// rows. Each key makes one search at a time, from one row on: rows before it are gone (but for
// those that `prev` may look at), rows behind it stay until the search is decided. A search is
// decided by the rows, or by the watermark when it has passed its first row by `within`.
//
// Conditions that look at rows before are asked of all keys at once: every key moves on until it
// has a question, the questions are answered as a batch, and so forth.

#include <limits>
#include <span>
#include <vector>

#include "runtime/operator/pattern_questions.h"
#include "runtime/operator/pending_rows.h"
#include "runtime/state/group_table.h"
#include "runtime/state/snapshot.h"

namespace flowrun {

// Not thread-safe.
class PatternPartition {
 public:
  // The shape must outlive it.
  PatternPartition(const PatternShape& shape, size_t number, size_t count);

  // Rows of this partition, of the shape's `carried`, in the order of the input.
  void merge(std::span<const RecordBatch> batches);
  // Takes what the watermark has passed, in the order of time, and finds the matches.
  Status evict(const Epoch& epoch);
  Status emit(EpochId since, Emitter& out) const { return matched_.emit(since, out); }
  void forget(EpochId served) { matched_.forget(served); }

  Status save(SnapshotWriter& writer) const;
  Status load(const RecordBatch& saved);

  [[nodiscard]] int64_t rows() const { return live_rows_; }
  [[nodiscard]] int64_t memory_bytes() const;

 private:
  struct Key {
    std::vector<PatternRow> rows;
    size_t start = 0;    // the search's first row; those before are for `prev`
    bool begun = false;  // `paths` are of this search
    bool active = false;
    int64_t deadline = kNoDeadline;  // that stands in deadlines_
    PatternPaths paths;
  };
  // A row whose time the watermark has not passed.
  struct Waiting {
    PatternRow row;
    uint32_t key;
  };
  struct Deadline {
    int64_t time;
    uint32_t key;
  };
  // A search that stands still until its candidates are judged.
  struct Asking {
    uint32_t key;
    std::vector<PatternPaths::Candidate> candidates;
    std::vector<uint8_t> verdicts;
  };
  struct Match {
    uint32_t key;
    int64_t last_time;
  };
  static constexpr int64_t kNoDeadline = std::numeric_limits<int64_t>::min();
  static constexpr int64_t kNoEnd = kEndOfTime;

  // Of the heap of waiting rows: the earliest, and of one time the first to come, stands first.
  static bool later_row(const Waiting& a, const Waiting& b) {
    return a.row.time != b.row.time ? a.row.time > b.row.time : a.row.number > b.row.number;
  }

  void insert(const RecordBatch& carried);
  void drain(int64_t watermark);
  void order_ties(std::vector<Waiting>& due) const;
  void expire(int64_t watermark);
  void activate(uint32_t key);
  Status search(const Epoch& epoch);
  // True if the key has asked, and false if it has come as far as it can.
  Result<bool> move_on(uint32_t number, int64_t watermark);
  // Asks whether the key's next row may be taken; false if that is known already. Either way the
  // answer stands last in asking_.
  bool ask(uint32_t number);
  Status answer(const EvaluationContext& context);
  Status advance(Key& key, const Asking& asked);
  void finish_match(uint32_t number);
  [[nodiscard]] size_t rows_to_skip(std::span<const uint8_t> variables) const;
  // Lets go of the rows that the key needs no more.
  void trim(uint32_t number, int64_t watermark);
  Status put_out(const Epoch& epoch);
  void compact();
  [[nodiscard]] int64_t end_of(int64_t time) const;
  [[nodiscard]] static int64_t bytes_of(const Key& key);

  const PatternShape& shape_;
  size_t number_;
  size_t count_;
  GroupTable table_;       // unused without keys
  std::vector<Key> keys_;  // by group
  PatternRows rows_;
  std::vector<Waiting> waiting_;     // a heap, the earliest first
  std::vector<Deadline> deadlines_;  // a heap, the earliest first; some have been overtaken
  int64_t live_rows_ = 0;
  int64_t key_bytes_ = 0;

  std::vector<uint32_t> active_;
  PatternPaths::Scratch scratch_;
  uint64_t first_variables_;  // a bit each: what the first row of a match may be
  std::vector<Asking> asking_;
  size_t num_asking_ = 0;                     // in use; the others keep their capacity
  std::vector<PatternQuestions> conditions_;  // by variable with one; see condition_at_
  std::vector<size_t> condition_at_;          // by variable
  struct Asked {
    size_t asking;
    size_t candidate;
  };
  std::vector<std::vector<Asked>> asked_;  // by condition: who asked
  std::vector<PatternQuestions> measures_;
  std::vector<Match> matches_;
  PendingRows matched_;
};

}  // namespace flowrun
