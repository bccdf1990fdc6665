#include "runtime/sql/sql_aggregates.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <memory>

#include "runtime/expr/cast.h"
#include "runtime/state/bound_aggregate.h"

namespace flowrun {

namespace {

constexpr size_t kRowsOfChunk = 4096;
// Of a text or blob while it is collected, besides its bytes.
constexpr int64_t kBytesOfCell = 16;

// Rows of some arguments; all columns are as long.
struct Chunk {
  int64_t num_rows = 0;
  std::vector<ColumnPtr> columns;
  int64_t bytes = 0;
};

// The function for arguments of some types.
struct Bound {
  std::vector<Type> types;  // what the arguments are cast to first
  SchemaPtr schema;
  BoundAggregate aggregate;
  std::vector<std::unique_ptr<GroupStates>> idle;  // without groups
};

// The rows of one group, by one call.
struct Group {
  std::vector<std::vector<SqlCell>> cells;  // of the chunk that is being filled
  int64_t num_rows = 0;                     // of it
  int64_t bytes = 0;                        // of it
  std::vector<Chunk> chunks;                // not yet absorbed
  // From the first absorption on.
  Bound* bound = nullptr;
  std::vector<Type> types;  // of the arguments, before they are cast
  std::unique_ptr<GroupStates> states;
  int64_t state_bytes = 0;
  int64_t num_absorbed = 0;  // chunks
};

// One call. SQLite may be in the middle of several groups of it (a CTE that is used twice).
class SqlAggregate {
 public:
  SqlAggregate(const SqlAggregateCall& call, const SchemaPtr& columns, SqlAggregateContext& context)
      : call_(call), context_(context) {
    const Binder binder(Scope{columns}, context.environment);
    for (const std::string& written : call.arguments) {
      const auto bound = binder.bind(written);
      Argument& argument = arguments_.emplace_back();
      argument.constant = bound && (*bound)->constant();
      if (bound && (*bound)->type().id() != TypeId::null) argument.expected = (*bound)->type();
    }
  }

  Status step(Group& group, sqlite3_value** values) {
    group.cells.resize(arguments_.size());
    for (size_t i = 0; i < arguments_.size(); ++i) {
      if (arguments_[i].constant) continue;
      const SqlCell& cell = group.cells[i].emplace_back(read_cell(values[i]));
      group.bytes += kBytesOfCell + static_cast<int64_t>(cell.bytes.size());
    }
    const bool full = static_cast<size_t>(++group.num_rows) == kRowsOfChunk;
    if (!full && group.bytes <= kMostBytesOfChunk) return {};
    FLOWRUN_RETURN_IF_ERROR(close_chunk(group));
    return group.chunks.size() < kMostChunks ? ok_status() : absorb(group);
  }

  Result<ColumnPtr> finish(Group& group) {
    FLOWRUN_RETURN_IF_ERROR(close_chunk(group));
    FLOWRUN_RETURN_IF_ERROR(absorb(group));
    if (context_.deadline.over()) return Error::cancelled();
    static constexpr uint32_t kOnly[] = {0};
    auto result = group.states->result(kOnly);
    return result ? std::move(result) : std::move(result.error()).within(call_.function);
  }

  // Some call has: nobody will see what the others give.
  [[nodiscard]] bool failed() const { return context_.failed.has_value(); }

  void forget(Group& group) {
    for (Chunk& chunk : group.chunks) drop(chunk);
    context_.memory -= group.state_bytes;
    if (!group.states) return;
    group.states->clear();
    group.bound->idle.push_back(std::move(group.states));
  }

  void give(sqlite3_context* sqlite, const Column& column) {
    context_.types.give(sqlite, column, 0, context_.types.id(column.type()), false);
  }

  void fail(sqlite3_context* sqlite, Error error) {
    if (error.code == ErrorCode::cancelled) {
      sqlite3_result_error_code(sqlite, SQLITE_INTERRUPT);
    } else {
      sqlite3_result_error(sqlite, error.message.c_str(), -1);
    }
    if (!context_.failed) context_.failed = std::move(error).at_offset(call_.offset);
  }

 private:
  struct Argument {
    bool constant = false;         // it is bound as it is written
    std::optional<Type> expected;  // as the statement reads
  };
  static constexpr int64_t kMostBytesOfChunk = 1 << 20;
  // Kept until the types of the arguments are decided; from then on they are absorbed in time.
  static constexpr size_t kMostChunks = 64;

  Status check_memory(int64_t more) const {
    if (context_.memory + more <= context_.max_memory) return {};
    return Error::invalid(fmt::format(
        "{}: what it collects takes more than {} MiB — ask for fewer rows, or for smaller groups",
        call_.function, context_.max_memory >> 20));
  }

  void drop(Chunk& chunk) {
    context_.memory -= chunk.bytes;
    chunk = {};
  }

  Status close_chunk(Group& group) {
    if (group.num_rows == 0) return {};
    Chunk chunk{group.num_rows, {}, group.bytes};
    for (size_t i = 0; i < arguments_.size(); ++i) {
      if (arguments_[i].constant) continue;
      chunk.columns.push_back(context_.types.collected(group.cells[i], arguments_[i].expected));
      if (!chunk.columns.back()) return mixed(i);
      group.cells[i].clear();
    }
    group.num_rows = 0;
    group.bytes = 0;
    FLOWRUN_RETURN_IF_ERROR(check_memory(chunk.bytes));
    context_.memory += chunk.bytes;
    group.chunks.push_back(std::move(chunk));
    return {};
  }

  [[nodiscard]] Error mixed(size_t argument) const {
    return Error::invalid(fmt::format(
        "{}: `{}` has values of several types (text, numbers, binary) — cast it to one of them",
        call_.function, call_.arguments[argument]));
  }

  [[nodiscard]] Error changed(size_t argument, const Type& before, const Type& after) const {
    return Error::invalid(fmt::format("{}: `{}` is {} in many rows, then {} — cast it to {}",
                                      call_.function, call_.arguments[argument],
                                      before.simple_string(), after.simple_string(),
                                      after.simple_string()));
  }

  // One type per argument in all chunks.
  Status agree(Group& group) const {
    const bool decided = group.bound != nullptr;
    if (!decided) group.types.clear();
    size_t column = 0;
    for (size_t i = 0; i < arguments_.size(); ++i) {
      if (arguments_[i].constant) continue;
      std::optional<Type> common = decided ? std::optional(group.types[column]) : std::nullopt;
      for (const Chunk& chunk : group.chunks) {
        if (chunk.columns[column]->null_count() == chunk.num_rows) continue;
        const Type& type = chunk.columns[column]->type();
        common = common ? common_type(*common, type) : type;
        if (!common) return mixed(i);
      }
      if (!decided)
        group.types.push_back(common ? *common : arguments_[i].expected.value_or(Type::null()));
      if (common && *common != group.types[column]) return changed(i, group.types[column], *common);
      for (Chunk& chunk : group.chunks) {
        FLOWRUN_RETURN_IF_ERROR(convert(chunk.columns[column], group.types[column]));
      }
      ++column;
    }
    return {};
  }

  // Of what `collected` gives for values of one kind: the type expected, or what they are.
  static std::optional<Type> common_type(const Type& a, const Type& b) {
    if (a == b) return a;
    const auto whole = [](const Type& type) {
      return type.is_integral() || type.id() == TypeId::boolean;
    };
    if (whole(a) && whole(b)) return Type::bigint();
    const auto number = [&](const Type& type) { return whole(type) || type.is_numeric(); };
    if (number(a) && number(b)) return Type::double_();
    const auto text = [](const Type& type) {
      return type.id() != TypeId::binary && !type.is_nested();
    };
    if (!number(a) && !number(b) && text(a) && text(b)) return Type::string();
    return std::nullopt;
  }

  Status convert(ColumnPtr& column, const Type& type) const {
    if (column->type() == type) return {};
    if (column->null_count() == column->size()) {
      column = null_column(type, column->size());
    } else if (type.id() == TypeId::string) {
      column = column_as_text(column, context_.types.zone());
    } else {
      FLOWRUN_TRY(column, cast(column, type, context_.types.zone()));
    }
    return {};
  }

  // The types of the arguments are decided by the chunks of the first time.
  Status absorb(Group& group) {
    FLOWRUN_RETURN_IF_ERROR(agree(group));
    if (!group.bound) {
      FLOWRUN_TRY(group.bound, bind(group));
      std::vector<std::unique_ptr<GroupStates>>& idle = group.bound->idle;
      if (idle.empty()) idle.push_back(group.bound->aggregate.make_states());
      group.states = std::move(idle.back());
      idle.pop_back();
      group.states->resize(1);
    }
    for (Chunk& chunk : group.chunks) {
      if (context_.deadline.over()) return Error::cancelled();
      FLOWRUN_RETURN_IF_ERROR(absorb(group, chunk));
      drop(chunk);
    }
    group.chunks.clear();
    context_.memory -= group.state_bytes;
    group.state_bytes = group.states->memory_bytes();
    context_.memory += group.state_bytes;
    return check_memory(0);
  }

  Status absorb(Group& group, Chunk& chunk) {
    const Bound& bound = *group.bound;
    for (size_t i = 0; i < chunk.columns.size(); ++i) {
      if (bound.types[i].id() == TypeId::boolean && !is_truth(*chunk.columns[i]))
        return Error::invalid(call_.function + ": takes a boolean, got whole numbers");
      FLOWRUN_RETURN_IF_ERROR(convert(chunk.columns[i], bound.types[i]));
    }
    zeros_.resize(std::max(zeros_.size(), static_cast<size_t>(chunk.num_rows)));
    const RecordBatch batch(bound.schema, chunk.num_rows, chunk.columns);
    auto done = bound.aggregate.update(*group.states,
                                       std::span(zeros_).first(static_cast<size_t>(chunk.num_rows)),
                                       batch, context_.evaluation, group.num_absorbed++);
    return done ? std::move(done) : std::move(done.error()).within(call_.function);
  }

  // For SQLite booleans are the numbers 1 and 0: where the function refuses one it is tried with
  // the other.
  Result<Bound*> bind(const Group& group) {
    const std::vector<Type>& types = group.types;
    auto bound = bind(types, types);
    if (bound) return bound;
    std::vector<size_t> switchable;
    for (size_t i = 0; i < types.size(); ++i) {
      const auto true_or_false = [i](const Chunk& chunk) { return is_truth(*chunk.columns[i]); };
      if (may_be_truth(types[i]) && std::ranges::all_of(group.chunks, true_or_false))
        switchable.push_back(i);
    }
    constexpr size_t kMostSwitchable = 4;
    switchable.resize(std::min(switchable.size(), kMostSwitchable));
    for (size_t chosen = 1; chosen < size_t{1} << switchable.size(); ++chosen) {
      std::vector<Type> others = types;
      for (size_t i = 0; i < switchable.size(); ++i) {
        Type& type = others[switchable[i]];
        if ((chosen >> i & 1) == 0) continue;
        type = type.id() == TypeId::boolean ? Type::bigint() : Type::boolean();
      }
      auto other = bind(types, others);
      if (other) return other;
    }
    return bound;
  }

  static bool may_be_truth(const Type& type) {
    return type.id() == TypeId::boolean || type.is_integral();
  }

  // Booleans, or whole numbers that are all 1 or 0.
  static bool is_truth(const Column& values) {
    if (values.type().id() == TypeId::boolean) return true;
    if (!may_be_truth(values.type())) return values.null_count() == values.size();
    for (int64_t row = 0; row < values.size(); ++row) {
      if (values.is_valid(row) && (whole_number(values, row) & ~int64_t{1}) != 0) return false;
    }
    return true;
  }

  // What is refused is remembered too.
  Result<Bound*> bind(const std::vector<Type>& types, const std::vector<Type>& cast_to) {
    std::vector<size_t> key;
    for (const Type& type : types) key.push_back(context_.types.id(type));
    for (const Type& type : cast_to) key.push_back(context_.types.id(type));
    auto found = bound_.find(key);
    if (found == bound_.end()) found = bound_.emplace(std::move(key), bind(cast_to)).first;
    if (!found->second) return Error(found->second.error());
    return &*found->second;
  }

  Result<Bound> bind(const std::vector<Type>& types) const {
    std::vector<Field> fields;
    for (const Type& type : types) fields.push_back({"a" + std::to_string(fields.size()), type});
    const SchemaPtr schema = Schema::make(std::move(fields));
    auto expression =
        Binder(Scope{schema}, context_.environment).bind_aggregate(call_text(), {}, false);
    if (!expression) return Error::invalid(std::move(expression.error().message));
    FLOWRUN_CHECK(expression->calls.size() == 1, "a call by itself is one call");
    auto aggregate = BoundAggregate::bind(expression->calls[0], *context_.environment.functions);
    if (!aggregate) return Error::invalid(std::move(aggregate.error().message));
    return Bound{types, schema, std::move(*aggregate), {}};
  }

  // The call over columns a0, a1, ..., with its constants as they are written.
  [[nodiscard]] std::string call_text() const {
    const size_t plain = arguments_.size() - call_.order.size();
    std::string text = call_.function + (call_.distinct ? "(distinct " : "(");
    size_t column = 0;
    for (size_t i = 0; i < arguments_.size(); ++i) {
      if (i == plain) text += ") within group (order by ";
      if (i > 0 && i != plain) text += ", ";
      text += arguments_[i].constant ? call_.arguments[i] : "a" + std::to_string(column++);
      if (i >= plain) text += call_.order[i - plain];
    }
    return text + ")" + (call_.ignore_nulls ? " ignore nulls" : "");
  }

  const SqlAggregateCall& call_;
  SqlAggregateContext& context_;
  std::vector<Argument> arguments_;
  std::map<std::vector<size_t>, Result<Bound>> bound_;  // by the types before and after casts
  std::vector<uint32_t> zeros_;  // the number of the only group, for as many rows as a chunk has
};

SqlAggregate& aggregate_of(sqlite3_context* sqlite) {
  return *static_cast<SqlAggregate*>(sqlite3_user_data(sqlite));
}

void step(sqlite3_context* sqlite, int, sqlite3_value** values) {
  auto** group = static_cast<Group**>(sqlite3_aggregate_context(sqlite, sizeof(Group*)));
  if (!group) return sqlite3_result_error_nomem(sqlite);
  if (!*group) *group = std::make_unique<Group>().release();
  SqlAggregate& aggregate = aggregate_of(sqlite);
  if (Status done = aggregate.step(**group, values); !done)
    aggregate.fail(sqlite, std::move(done.error()));
}

// Called for every group that was begun, when the statement fails too.
void finish(sqlite3_context* sqlite) {
  auto** held = static_cast<Group**>(sqlite3_aggregate_context(sqlite, 0));
  const auto group = held && *held ? std::unique_ptr<Group>(*held) : std::make_unique<Group>();
  SqlAggregate& aggregate = aggregate_of(sqlite);
  if (aggregate.failed()) return;
  auto result = aggregate.finish(*group);
  aggregate.forget(*group);
  if (result) return aggregate.give(sqlite, **result);
  aggregate.fail(sqlite, std::move(result.error()));
}

}  // namespace

Status register_sql_aggregates(sqlite3* database, const std::vector<SqlAggregateCall>& calls,
                               const SchemaPtr& columns, SqlAggregateContext& context) {
  for (const SqlAggregateCall& call : calls) {
    auto made = std::make_unique<SqlAggregate>(call, columns, context);
    const int done = sqlite3_create_function_v2(
        database, call.sqlite_name.c_str(), static_cast<int>(call.arguments.size()), SQLITE_UTF8,
        made.release(), nullptr, step, finish,
        [](void* data) { delete static_cast<SqlAggregate*>(data); });
    if (done != SQLITE_OK)
      return Error::invalid(
          fmt::format("cannot register {}: {}", call.function, sqlite3_errstr(done)));
  }
  return ok_status();
}

}  // namespace flowrun
