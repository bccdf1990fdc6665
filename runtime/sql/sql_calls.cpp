#include "runtime/sql/sql_calls.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace flowrun {

namespace {

// Calls inside of one another, by subqueries: each is read as a part of those around it too.
constexpr size_t kMostNested = 16;

std::string name_of(const StatementToken& token, std::string_view statement) {
  std::string name(token.in(statement));
  if (token.kind == StatementToken::Kind::quoted_name) std::erase(name, '`');
  return name;
}

// Reads one call, from its name on.
class CallReader : TokenReader {
 public:
  CallReader(std::string_view statement, const std::vector<StatementToken>& tokens)
      : TokenReader(statement, tokens), closings_(tokens.size()) {
    std::vector<size_t> open;
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (word(i) == "(") open.push_back(i);
      if (word(i) != ")" || open.empty()) continue;
      closings_[open.back()] = i;
      open.pop_back();
    }
  }

  // Nothing if it is no call, or one that SQLite answers itself.
  std::optional<SqlAggregateCall> read(size_t name) {
    edits_.clear();
    call_ = {};
    call_.function = lower_name(name_of(tokens_[name], statement_));
    call_.offset = tokens_[name].begin;
    const size_t open = name + 1;
    const size_t close = closing(open);
    if (close == 0) return std::nullopt;
    read_arguments(open + 1, close);
    end_ = close + 1;
    read_order(close);
    size_t after = end_;
    if (is_word(after, "filter") && word(after + 1) == "(") after = closing(after + 1) + 1;
    read_nulls(after);
    if (is_word(after, "over") || defines_table(name, close) || stays_with_sqlite())
      return std::nullopt;
    return call_;
  }

  // The token behind the call that was read last.
  [[nodiscard]] size_t end() const { return end_; }
  // Besides the name.
  [[nodiscard]] const SqlText::Edits& edits() const { return edits_; }
  // The words of the call without the space between them.
  [[nodiscard]] std::string key(size_t name) const {
    std::string text = call_.function;
    for (size_t i = name + 1; i < end_; ++i) text.append(" ").append(word(i));
    return text + (call_.ignore_nulls ? " ignore nulls" : "");
  }

 private:
  [[nodiscard]] std::string text(size_t first, size_t end) const {
    return std::string(
        statement_.substr(tokens_[first].begin, tokens_[end - 1].end - tokens_[first].begin));
  }
  // The parenthesis that closes the one at `open`; 0 if there is none.
  [[nodiscard]] size_t closing(size_t open) const {
    return open < closings_.size() ? closings_[open] : 0;
  }
  // The end of what begins at `first`: a comma outside of parentheses, or `end`.
  [[nodiscard]] size_t end_of_item(size_t first, size_t end) const {
    for (size_t i = first; i < end; ++i) {
      if (word(i) == ",") return i;
      if (word(i) != "(") continue;
      i = closing(i);
      if (i == 0) break;
    }
    return end;
  }
  void drop(size_t i) { edits_.emplace_back(i, ""); }

  void read_arguments(size_t first, size_t end) {
    call_.distinct = is_word(first, "distinct");
    if (call_.distinct || is_word(first, "all")) drop(first++);
    while (first < end) {
      const size_t item_end = end_of_item(first, end);
      if (item_end > first) call_.arguments.push_back(text(first, item_end));
      first = item_end + 1;
    }
  }

  // WITHIN GROUP (ORDER BY x desc, y): x and y become the last arguments.
  void read_order(size_t close) {
    const size_t within = close + 1;
    const bool follows = is_word(within, "within") && is_word(within + 1, "group") &&
                         word(within + 2) == "(" && is_word(within + 3, "order") &&
                         is_word(within + 4, "by");
    const size_t last = follows ? closing(within + 2) : 0;
    if (last == 0) return;
    edits_.emplace_back(close, call_.arguments.empty() ? "" : ",");
    for (size_t i = within; i < within + 5; ++i) drop(i);
    for (size_t first = within + 5; first < last;) {
      const size_t item_end = end_of_item(first, last);
      size_t value_end = item_end;
      while (value_end > first + 1 && says_direction(value_end - 1)) drop(--value_end);
      if (value_end > first) {
        call_.arguments.push_back(text(first, value_end));
        call_.order.push_back(value_end < item_end ? " " + text(value_end, item_end) : "");
      }
      first = item_end + 1;
    }
    end_ = last + 1;
  }

  [[nodiscard]] bool says_direction(size_t i) const {
    return is_word(i, "asc") || is_word(i, "desc") || is_word(i, "nulls") || is_word(i, "first") ||
           is_word(i, "last");
  }

  void read_nulls(size_t at) {
    const bool says = (is_word(at, "ignore") || is_word(at, "respect")) && is_word(at + 1, "nulls");
    if (!says) return;
    call_.ignore_nulls = is_word(at, "ignore");
    drop(at);
    drop(at + 1);
  }

  // with mode(a, b) as (select ...)
  [[nodiscard]] bool defines_table(size_t name, size_t close) const {
    const bool may = name > 0 && (is_word(name - 1, "with") || is_word(name - 1, "recursive") ||
                                  word(name - 1) == ",");
    return may && is_word(close + 1, "as") &&
           (word(close + 2) == "(" || is_word(close + 2, "materialized") ||
            is_word(close + 2, "not"));
  }

  [[nodiscard]] bool stays_with_sqlite() const {
    const size_t count = call_.arguments.size();
    if (call_.function == "count") return count <= 1;
    const bool extreme = call_.function == "min" || call_.function == "max";
    return extreme && count > 1;
  }

  std::vector<size_t> closings_;  // by token
  SqlAggregateCall call_;
  size_t end_ = 0;
  SqlText::Edits edits_;
};

bool may_be_alias(const StatementToken& token, std::string_view statement) {
  static constexpr std::array<std::string_view, 19> kNext = {
      "join",  "inner",  "left",   "right",     "full",  "cross", "natural",
      "on",    "using",  "where",  "group",     "order", "limit", "having",
      "union", "except", "window", "intersect", "outer"};
  if (token.kind == StatementToken::Kind::quoted_name) return true;
  return token.kind == StatementToken::Kind::word &&
         std::ranges::count(kNext, lower_name(token.in(statement))) == 0;
}

}  // namespace

SqlAggregateCalls find_aggregate_calls(std::string_view statement,
                                       const std::vector<StatementToken>& tokens,
                                       const std::function<bool(std::string_view)>& is_aggregate) {
  SqlAggregateCalls found;
  std::map<std::string, std::string> names;
  CallReader reader(statement, tokens);
  std::vector<size_t> around;  // the ends of the calls that token i is in
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    while (!around.empty() && around.back() <= i) around.pop_back();
    if (around.size() == kMostNested) continue;
    const bool named = tokens[i].kind == StatementToken::Kind::word ||
                       tokens[i].kind == StatementToken::Kind::quoted_name;
    const bool called = named && tokens[i + 1].in(statement) == "(" &&
                        (i == 0 || tokens[i - 1].in(statement) != ".");
    if (!called || !is_aggregate(name_of(tokens[i], statement))) continue;
    std::optional<SqlAggregateCall> call = reader.read(i);
    if (!call) continue;
    around.push_back(reader.end());
    auto [name, is_new] = names.try_emplace(reader.key(i));
    if (is_new) {
      name->second = call->function + "#" + std::to_string(names.size());
      call->sqlite_name = name->second;
      found.calls.push_back(std::move(*call));
    }
    found.edits.emplace_back(i, "\"" + name->second + "\"");
    found.edits.insert(found.edits.end(), reader.edits().begin(), reader.edits().end());
  }
  return found;
}

SchemaPtr columns_of_named_tables(std::string_view statement,
                                  const std::vector<StatementToken>& tokens,
                                  const std::deque<SqlTableSource>& sources) {
  std::vector<Field> fields;
  for (size_t i = 1; i < tokens.size(); ++i) {
    const std::string before = lower_name(tokens[i - 1].in(statement));
    if (before != "from" && before != "join" && before != "," && before != "(") continue;
    const auto source = std::ranges::find_if(sources, [&](const SqlTableSource& known) {
      return names_equal(known.table->name, name_of(tokens[i], statement));
    });
    if (source == sources.end()) continue;
    std::string qualifier = source->table->name;
    size_t next = i + 1;
    if (next + 1 < tokens.size() && names_equal(tokens[next].in(statement), "as")) ++next;
    if (next < tokens.size() && may_be_alias(tokens[next], statement))
      qualifier = name_of(tokens[next], statement);
    for (const SqlColumn& column : source->columns) {
      if (!column.hidden)
        fields.push_back({column.name, source->types->type(column.type), true, qualifier});
    }
  }
  return Schema::make(std::move(fields));
}

}  // namespace flowrun
