#include "runtime/operator/session_partition.h"

#include <algorithm>
#include <numeric>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

constexpr size_t kBoundColumns = 2;  // begin and end, before the keys

std::vector<Type> local_types(const SessionShape& shape) {
  std::vector<Type> types{Type::timestamp(), Type::timestamp()};
  for (const ExpressionPtr& key : shape.keys) types.push_back(key->type());
  return types;
}

template <class Session, class Bound>
ColumnPtr time_column(std::span<const Session> sessions, Bound bound) {
  FixedWriter<int64_t> times(Type::timestamp(), static_cast<int64_t>(sessions.size()));
  for (size_t i = 0; i < sessions.size(); ++i)
    times.set(static_cast<int64_t>(i), bound(sessions[i]));
  return times.finish();
}

}  // namespace

std::vector<Type> SessionShape::key_types() const {
  std::vector<Type> types;
  for (const ExpressionPtr& key : keys) types.push_back(key->type());
  return types;
}

LocalSessions::LocalSessions(const SessionShape& shape)
    : table(local_types(shape)), states(shape.aggregates.make_states()) {}

SessionPartition::SessionPartition(const SessionShape& shape, size_t number, size_t count)
    : shape_(shape),
      number_(number),
      count_(count),
      keys_(shape.key_types()),
      states_(shape.aggregates.make_states()) {}

std::vector<SessionPartition::Piece> SessionPartition::gather(
    std::span<const LocalSessions* const> locals) {
  std::vector<Piece> pieces;
  for (const Session& session : sessions_) pieces.push_back({session, nullptr});
  for (const LocalSessions* local : locals) {
    std::vector<uint32_t> groups(local->table.size());
    std::iota(groups.begin(), groups.end(), 0u);
    const std::vector<ColumnPtr> columns = local->table.keys(groups);
    std::vector<ColumnPtr> keys(columns.begin() + kBoundColumns, columns.end());
    std::vector<uint64_t> hashes(groups.size());
    keys_.hash_rows(keys, hashes);
    std::vector<int32_t> own;
    for (size_t i = 0; i < hashes.size(); ++i) {
      if (hashes[i] % count_ == number_) own.push_back(static_cast<int32_t>(i));
    }
    for (ColumnPtr& key : keys) key = take(*key, own);
    std::vector<uint32_t> numbers(own.size());
    keys_.find_or_add(keys, numbers);
    for (size_t i = 0; i < own.size(); ++i) {
      const auto row = static_cast<size_t>(own[i]);
      pieces.push_back({{numbers[i], columns[0]->values<int64_t>()[row],
                         columns[1]->values<int64_t>()[row], static_cast<uint32_t>(row)},
                        local});
    }
  }
  return pieces;
}

Status SessionPartition::merge(std::span<const LocalSessions* const> locals) {
  const bool none = std::ranges::all_of(
      locals, [](const LocalSessions* local) { return local->table.size() == 0; });
  if (none) return {};
  std::vector<Piece> pieces = gather(locals);
  // Of equal bounds the open session comes first: its slot is kept.
  std::ranges::stable_sort(pieces, {}, [](const Piece& piece) {
    return std::tuple(piece.session.key, piece.session.begin, piece.session.end);
  });
  sessions_.clear();
  for (size_t first = 0; first < pieces.size();) {
    int64_t end = pieces[first].session.end;
    size_t last = first + 1;
    // The gap itself still joins.
    while (last < pieces.size() && pieces[last].session.key == pieces[first].session.key &&
           pieces[last].session.begin <= end) {
      end = std::max(end, pieces[last++].session.end);
    }
    FLOWRUN_RETURN_IF_ERROR(join(std::span(pieces).subspan(first, last - first)));
    sessions_.back().end = end;
    first = last;
  }
  if (num_slots_ > 2 * sessions_.size() + 1024) compact();
  return {};
}

Status SessionPartition::join(std::span<const Piece> pieces) {
  const auto open = std::ranges::find(pieces, nullptr, &Piece::local);
  Session session = pieces.front().session;
  session.slot = open == pieces.end() ? num_slots_++ : open->session.slot;
  for (const auto& states : states_) states->resize(num_slots_);
  for (const Piece& piece : pieces) {
    if (!piece.local && piece.session.slot == session.slot) continue;
    for (size_t i = 0; i < states_.size(); ++i) {
      const GroupStates& from = piece.local ? *piece.local->states[i] : *states_[i];
      FLOWRUN_RETURN_IF_ERROR(
          states_[i]->merge(std::span(&session.slot, 1), from, std::span(&piece.session.slot, 1)));
    }
  }
  sessions_.push_back(session);
  return {};
}

// Drops the slots and keys of no session.
void SessionPartition::compact() {
  std::vector<uint32_t> slots;
  std::vector<uint32_t> keys;
  for (Session& session : sessions_) {
    slots.push_back(session.slot);
    session.slot = static_cast<uint32_t>(slots.size() - 1);
    if (keys.empty() || keys.back() != session.key) keys.push_back(session.key);
    session.key = static_cast<uint32_t>(keys.size() - 1);
  }
  for (const auto& states : states_) states->keep(slots);
  keys_.keep(keys);
  num_slots_ = static_cast<uint32_t>(slots.size());
}

Status SessionPartition::evict(const Epoch& epoch) {
  const auto due = [&](const Session& session) { return session.end <= epoch.watermark; };
  std::vector<Session> ended;
  std::ranges::copy_if(sessions_, std::back_inserter(ended), due);
  if (ended.empty()) return {};
  FLOWRUN_TRY(RecordBatch rows, output(ended, epoch.context));
  closed_.add(epoch.id, std::move(rows));
  std::erase_if(sessions_, due);
  compact();
  return {};
}

Result<RecordBatch> SessionPartition::output(std::span<const Session> sessions,
                                             const EvaluationContext& context) const {
  std::vector<uint32_t> groups;
  std::vector<uint32_t> slots;
  for (const Session& session : sessions) {
    groups.push_back(session.key);
    slots.push_back(session.slot);
  }
  const auto rows = static_cast<int64_t>(sessions.size());
  Column::Parts window{.type = shape_.output->field(0).type, .size = rows, .null_count = 0};
  window.children = {time_column(sessions, [](const Session& session) { return session.begin; }),
                     time_column(sessions, [](const Session& session) { return session.end; })};
  std::vector<ColumnPtr> columns{Column::make(std::move(window))};
  const std::vector<ColumnPtr> keys = keys_.keys(groups);
  columns.insert(columns.end(), keys.begin(), keys.end());
  FLOWRUN_TRY(const std::vector<ColumnPtr> results,
              shape_.aggregates.results(states_, slots, keys, context));
  columns.insert(columns.end(), results.begin(), results.end());
  return RecordBatch(shape_.output, rows, std::move(columns));
}

Status SessionPartition::emit(const Ask& ask, const Epoch& epoch, Emitter& out) const {
  if (ask.mode != OutputMode::complete) return closed_.emit(ask.since, out);
  if (sessions_.empty()) return {};
  FLOWRUN_TRY(RecordBatch rows, output(sessions_, epoch.context));
  return out.emit(0, std::move(rows));
}

Status SessionPartition::save(SnapshotWriter& writer) const {
  std::vector<uint32_t> groups;
  std::vector<uint32_t> slots;
  for (const Session& session : sessions_) {
    groups.push_back(session.key);
    slots.push_back(session.slot);
  }
  const std::span<const Session> all(sessions_);
  std::vector<ColumnPtr> columns{
      time_column(all, [](const Session& session) { return session.begin; }),
      time_column(all, [](const Session& session) { return session.end; })};
  std::vector<Field> fields{{"begin", Type::timestamp()}, {"end", Type::timestamp()}};
  for (ColumnPtr& key : keys_.keys(groups)) {
    fields.push_back({"key", key->type()});
    columns.push_back(std::move(key));
  }
  for (size_t i = 0; i < states_.size(); ++i) {
    FLOWRUN_TRY(std::vector<ColumnPtr> saved, states_[i]->save(slots));
    for (ColumnPtr& column : saved) {
      fields.push_back({"call" + std::to_string(i), column->type()});
      columns.push_back(std::move(column));
    }
  }
  return writer.write("sessions",
                      RecordBatch(Schema::make(std::move(fields)), rows(), std::move(columns)));
}

Status SessionPartition::load(const RecordBatch& rows) {
  const size_t num_keys = shape_.keys.size();
  if (rows.num_columns() < kBoundColumns + num_keys)
    return Error::invalid("the saved sessions have other keys");
  std::vector<uint64_t> hashes(static_cast<size_t>(rows.num_rows()));
  keys_.hash_rows(std::span(rows.columns()).subspan(kBoundColumns, num_keys), hashes);
  std::vector<int32_t> own;
  for (size_t i = 0; i < hashes.size(); ++i) {
    if (hashes[i] % count_ == number_) own.push_back(static_cast<int32_t>(i));
  }
  const RecordBatch part = rows.take(own);
  std::vector<uint32_t> groups(own.size());
  keys_.find_or_add(std::span(part.columns()).subspan(kBoundColumns, num_keys), groups);
  for (size_t i = 0; i < groups.size(); ++i) {
    sessions_.push_back({groups[i], part.column(0)->values<int64_t>()[i],
                         part.column(1)->values<int64_t>()[i], num_slots_++});
  }
  std::ranges::sort(sessions_, {},
                    [](const Session& session) { return std::pair(session.key, session.begin); });
  for (size_t i = 0; i < states_.size(); ++i) {
    std::vector<ColumnPtr> saved;
    for (const size_t index : part.schema()->find_all("call" + std::to_string(i)))
      saved.push_back(part.column(index));
    if (saved.empty()) return Error::invalid("the saved sessions have other aggregates");
    FLOWRUN_RETURN_IF_ERROR(states_[i]->load(saved));
  }
  return {};
}

int64_t SessionPartition::memory_bytes() const {
  int64_t bytes = keys_.memory_bytes() + closed_.memory_bytes() +
                  static_cast<int64_t>(sessions_.capacity() * sizeof(Session));
  for (const auto& states : states_) bytes += states->memory_bytes();
  return bytes;
}

}  // namespace flowrun
