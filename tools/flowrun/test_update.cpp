#include "tools/flowrun/test_update.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/config/yaml_document.h"
#include "tools/flowrun/test_report.h"
#include "tools/flowrun/test_rows.h"
#include "tools/flowrun/text.h"
#include "tools/flowrun/text_edits.h"

namespace flowrun {
namespace {

using Rows = std::vector<std::string>;  // canonical

std::string rows_block(const Rows& rows, const SchemaPtr& schema, const std::string& indent) {
  std::string text;
  for (const std::string& row : rows)
    text += fmt::format("{}- {}\n", indent, yaml_row(row, schema));
  return text;
}

Rows in_writing_order(Rows rows, bool in_order) {
  if (!in_order) std::ranges::sort(rows);
  return rows;
}

std::string turn_block(const SinkRecord::Turn& turn, const SchemaPtr& schema, bool in_order,
                       const std::string& indent) {
  return fmt::format("{0}- at: {1}\n{2}{0}  rows:\n", indent, duration_text(turn.at),
                     in_order ? indent + "  in_order: true\n" : "") +
         rows_block(in_writing_order(turn.rows, in_order), schema, indent + "    ");
}

std::string sink_block(const std::string& name, const SinkRecord& record, bool in_all,
                       bool in_order) {
  std::string text = fmt::format("  {}:\n", name);
  if (in_all) {
    const Rows rows = in_writing_order(rows_in_all(record), in_order);
    if (in_order) text += "    in_order: true\n";
    return text + (rows.empty() ? "    rows: []\n" : "    rows:\n") +
           rows_block(rows, record.schema, "      ");
  }
  if (record.turns.empty()) return fmt::format("  {}: []\n", name);
  for (const SinkRecord::Turn& turn : record.turns)
    text += turn_block(turn, record.schema, in_order, "    ");
  return text;
}

// How much of what two rows begin with is the same: the first columns tell rows apart.
size_t likeness(const std::string& a, const std::string& b) {
  return static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

// Which of the given rows belongs to each expected one.
std::vector<std::optional<size_t>> match_rows(const Rows& expected, const Rows& given,
                                              bool in_order) {
  std::vector<std::optional<size_t>> match(expected.size());
  std::vector<bool> taken(given.size(), false);
  const auto take = [&](size_t row, size_t from) {
    match[row] = from;
    taken[from] = true;
  };
  for (size_t i = 0; in_order && i < std::min(expected.size(), given.size()); ++i) take(i, i);
  for (size_t i = 0; i < expected.size(); ++i) {
    for (size_t g = 0; !match[i] && g < given.size(); ++g) {
      if (!taken[g] && given[g] == expected[i]) take(i, g);
    }
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    if (match[i]) continue;
    std::optional<size_t> best;
    for (size_t g = 0; g < given.size(); ++g) {
      const bool better =
          !best || likeness(expected[i], given[g]) > likeness(expected[i], given[*best]);
      if (!taken[g] && better) best = g;
    }
    if (best) take(i, *best);
  }
  return match;
}

// Edits what `expect:` has. `failed` when something stands there in a form that it cannot edit.
class ExpectEditor {
 public:
  ExpectEditor(const PipelineTest& test, const TestScript& script)
      : test_(test), script_(script), pieces_(test.text) {}

  std::optional<std::string> run() {
    Diagnostics unused;
    const RawValue root = read_yaml(test_.text, nullptr, unused);
    const RawValue* expect = root.find("expect");
    if (!expect || expect->items.size() != test_.expected.size()) return std::nullopt;
    for (size_t i = 0; i < expect->items.size(); ++i) {
      const ExpectedSink& sink = test_.expected[i];
      const auto found = script_.sinks().find(sink.sink);
      if (found == script_.sinks().end()) return std::nullopt;
      edit_sink(sink, found->second, expect->items[i], expect->keys[i]);
    }
    edit_counts(test_.late, script_.last_progress().late_rows, late_rows_of);
    edit_counts(test_.rejected, script_.last_progress().rejected_rows, rejected_rows_of);
    return failed_ ? std::nullopt : edits_.apply(test_.text);
  }

 private:
  template <class CountOf>
  void edit_counts(const ExpectedCounts& expected, int64_t in_all, CountOf count_of) {
    const auto edit = [&](const ExpectedCount& count, int64_t counted) {
      if (count.rows == counted) return;
      const size_t begin = pieces_.begin_of(count.position);
      const size_t end = test_.text.find_first_not_of("0123456789", begin);
      edits_.replace(begin, std::min(end, test_.text.size()), std::to_string(counted));
    };
    if (expected.in_all) edit(*expected.in_all, in_all);
    for (const auto& [node, count] : expected.by_node)
      edit(count, count_of(script_.last_progress(), node));
  }

  void edit_sink(const ExpectedSink& sink, const SinkRecord& record, const RawValue& value,
                 const RawValue::Key& key) {
    sink_ = &sink;
    schema_ = record.schema;
    if (!sink.in_all) return edit_turns(value, record.turns, key);
    for (size_t i = 0; i < value.keys.size(); ++i) {
      if (value.keys[i].text == "rows")
        edit_rows(value.items[i], rows_in_all(record), value.keys[i],
                  pieces_.is_flow(pieces_.begin_of(value.position)));
    }
  }

  // One by one if there are as many as before, else those of one time belong together.
  void edit_turns(const RawValue& list, const std::vector<SinkRecord::Turn>& given,
                  const RawValue::Key& key) {
    std::vector<size_t> turns;  // those with rows
    for (size_t i = 0; i < list.items.size(); ++i) {
      if (!sink_->turns[i].rows.empty()) turns.push_back(i);
    }
    const size_t begin = pieces_.begin_of(list.position);
    if (pieces_.is_flow(begin) && turns.size() != given.size())
      return write_turns(list, given, key);
    size_t t = 0, g = 0;
    std::optional<size_t> before;  // the last turn that stays
    bool kept = turns.size() < list.items.size();
    while (t < turns.size() || g < given.size()) {
      const bool both = t < turns.size() && g < given.size();
      const auto at = t < turns.size() ? sink_->turns[turns[t]].at : std::nullopt;
      if (both && (turns.size() == given.size() || !at || *at == given[g].at)) {
        edit_turn(list.items[turns[t]], given[g++]);
        before = turns[t++];
        kept = true;
      } else if (t < turns.size() && (g == given.size() || *at < given[g].at)) {
        remove_item(pieces_.begin_of(list.items[turns[t++]].position));
      } else {
        const std::string indent(pieces_.column_of(begin), ' ');
        const size_t place = before ? pieces_.line_after(pieces_.end_of(
                                          pieces_.begin_of(list.items[*before].position), false))
                                    : pieces_.line_of(begin);
        insert_line(place, turn_block(given[g++], schema_, sink_->in_order, indent));
        kept = true;
      }
    }
    if (!kept) empty_list(key);
  }

  // In place of `[]` or of a list on one line.
  void write_turns(const RawValue& list, const std::vector<SinkRecord::Turn>& given,
                   const RawValue::Key& key) {
    const size_t begin = pieces_.begin_of(list.position), end = pieces_.end_of(begin, false);
    failed_ |= !pieces_.comments(begin, end).empty();
    const std::string indent(pieces_.column_of(pieces_.begin_of(key.position)) + 2, ' ');
    std::string text = given.empty() ? "[]" : "\n";
    for (const SinkRecord::Turn& turn : given)
      text += turn_block(turn, schema_, sink_->in_order, indent);
    if (!given.empty()) text.pop_back();
    put(begin, end, text);
  }

  void edit_turn(const RawValue& raw, const SinkRecord::Turn& turn) {
    const bool in_flow = pieces_.is_flow(pieces_.begin_of(raw.position));
    for (size_t i = 0; i < raw.keys.size(); ++i) {
      if (raw.keys[i].text == "rows") edit_rows(raw.items[i], turn.rows, raw.keys[i], in_flow);
      if (raw.keys[i].text != "at") continue;
      const auto expected = std::ranges::find_if(sink_->turns, [&](const ExpectedTurn& wanted) {
        return wanted.position.line == raw.position.line &&
               wanted.position.column == raw.position.column;
      });
      if (expected == sink_->turns.end() || expected->at == turn.at) continue;
      const size_t begin = pieces_.begin_of(raw.items[i].position);
      edits_.replace(begin, value_end(begin, in_flow), duration_text(turn.at));
    }
  }

  // Of a value that stands on one line.
  [[nodiscard]] size_t value_end(size_t begin, bool in_flow) const {
    return in_flow ? pieces_.end_of(begin, true)
                   : std::min(pieces_.end_of(begin, false), pieces_.line_after(begin) - 1);
  }

  void edit_rows(const RawValue& list, Rows given, const RawValue::Key& key, bool in_flow) {
    given = in_writing_order(std::move(given), sink_->in_order);
    Rows expected;
    for (const RawValue& raw : list.items) {
      const Result<std::string> row = canonical_row(raw, schema_);
      expected.push_back(row ? *row : std::string());
    }
    const auto match = match_rows(expected, given, sink_->in_order);
    if (pieces_.is_flow(pieces_.begin_of(list.position)))
      return edit_flow_rows(list, expected, given, match, key, in_flow);
    std::vector<bool> taken(given.size(), false);
    size_t last = pieces_.begin_of(list.position);
    for (size_t i = 0; i < list.items.size(); ++i) {
      const size_t begin = pieces_.begin_of(list.items[i].position);
      last = pieces_.end_of(begin, false);
      if (!match[i]) {
        remove_item(begin);
        continue;
      }
      taken[*match[i]] = true;
      if (expected[i] != given[*match[i]])
        edits_.replace(begin, last, yaml_row(given[*match[i]], schema_));
    }
    Rows more;
    for (size_t g = 0; g < given.size(); ++g) {
      if (!taken[g]) more.push_back(given[g]);
    }
    const std::string indent(pieces_.column_of(pieces_.begin_of(list.position)), ' ');
    if (!more.empty()) insert_line(pieces_.line_after(last), rows_block(more, schema_, indent));
    if (given.empty()) empty_list(key);
  }

  // [ row, row ]: written anew on one line when rows come or go.
  void edit_flow_rows(const RawValue& list, const Rows& expected, const Rows& given,
                      const std::vector<std::optional<size_t>>& match, const RawValue::Key& key,
                      bool in_flow) {
    const size_t begin = pieces_.begin_of(list.position), end = pieces_.end_of(begin, true);
    if (expected.size() == given.size()) {
      for (size_t i = 0; i < expected.size(); ++i) {
        if (expected[i] == given[*match[i]]) continue;
        const size_t row = pieces_.begin_of(list.items[i].position);
        edits_.replace(row, pieces_.end_of(row, true), yaml_row(given[*match[i]], schema_));
      }
      return;
    }
    failed_ |= !pieces_.comments(begin, end).empty();
    std::string text;
    if (!in_flow && expected.empty()) {
      const std::string indent(pieces_.column_of(pieces_.begin_of(key.position)) + 2, ' ');
      text = "\n" + rows_block(given, schema_, indent);
      text.pop_back();
    } else {
      for (const std::string& row : given)
        text += (text.empty() ? "[ " : ", ") + yaml_row(row, schema_);
      text += given.empty() ? "[]" : " ]";
    }
    put(begin, end, text);
  }

  // The lines of an item of a list in lines; its comments stay.
  void remove_item(size_t begin) {
    const size_t line = pieces_.line_of(begin);
    const size_t end = pieces_.line_after(pieces_.end_of(begin, false));
    const std::string indent(test_.text.find_first_not_of(' ', line) - line, ' ');
    failed_ |= test_.text[line + indent.size()] != '-';
    std::string kept;
    for (const std::string& comment : pieces_.comments(line, end)) kept += indent + comment + "\n";
    edits_.replace(line, end, kept);
  }

  // Behind `key:`, whose items are all gone.
  void empty_list(const RawValue::Key& key) {
    const size_t colon = test_.text.find(':', pieces_.begin_of(key.position));
    edits_.insert(colon + 1, " []");
  }

  // A text that goes on below leaves no spaces behind its key.
  void put(size_t begin, size_t end, const std::string& text) {
    while (text.starts_with('\n') && test_.text[begin - 1] == ' ') --begin;
    edits_.replace(begin, end, text);
  }

  // The last line of the file may have no end.
  void insert_line(size_t at, std::string lines) {
    const bool open = at > 0 && test_.text[at - 1] != '\n';
    edits_.insert(at, open ? "\n" + lines : lines);
  }

  const PipelineTest& test_;
  const TestScript& script_;
  YamlPieces pieces_;
  TextEdits edits_;
  const ExpectedSink* sink_ = nullptr;
  SchemaPtr schema_;
  bool failed_ = false;
};

// `block` in the place of a top-level key, or at the end. Comments that stood there come first.
std::string with_key(const std::string& text, std::string_view key, const std::string& block) {
  const YamlPieces pieces(text);
  const auto [begin, end] = pieces.extent_of_key(key);
  if (begin == end) return text + (text.empty() || text.ends_with('\n') ? "" : "\n") + block;
  // Comments at the margin and blank lines before the next key are that one's.
  size_t own = end;
  while (own > pieces.line_after(begin)) {
    const size_t line = pieces.line_of(own - 1);
    if (text[line] != '#' && text[line] != '\n') break;
    own = line;
  }
  std::string comments;
  for (const std::string& comment : pieces.comments(begin, own)) comments += comment + "\n";
  return text.substr(0, begin) + comments + block + text.substr(own);
}

std::string written_anew(const PipelineTest& test, const TestScript& script) {
  std::string expect = "expect:\n";
  if (test.expected.empty()) {
    for (const auto& [name, record] : script.sinks())
      expect += sink_block(name, record, false, false);
  }
  for (const ExpectedSink& sink : test.expected) {
    const auto found = script.sinks().find(sink.sink);
    if (found != script.sinks().end())
      expect += sink_block(sink.sink, found->second, sink.in_all, sink.in_order);
  }
  std::string text = with_key(test.text, "expect", expect);
  const auto counts = [&](const char* key, const ExpectedCounts& expected, int64_t in_all,
                          auto count_of) {
    if (expected.in_all) text = with_key(text, key, fmt::format("{}: {}\n", key, in_all));
    std::string entries;
    for (const auto& [node, count] : expected.by_node)
      entries += fmt::format("{}{}: {}", entries.empty() ? "" : ", ", node,
                             count_of(script.last_progress(), node));
    if (!entries.empty()) text = with_key(text, key, fmt::format("{}: {{ {} }}\n", key, entries));
  };
  counts("late", test.late, script.last_progress().late_rows, late_rows_of);
  counts("rejected", test.rejected, script.last_progress().rejected_rows, rejected_rows_of);
  return text;
}

bool passes(const PipelineTest& test, const std::string& text, const TestScript& script) {
  Diagnostics diagnostics;
  const auto changed = parse_pipeline_test(test.file, text, diagnostics);
  return changed && compare(*changed, script, diagnostics).empty() && diagnostics.empty();
}

}  // namespace

std::string updated_text(const PipelineTest& test, const TestScript& script) {
  if (!test.expected.empty()) {
    const auto edited = ExpectEditor(test, script).run();
    if (edited && passes(test, *edited, script)) return *edited;
  }
  return written_anew(test, script);
}

}  // namespace flowrun
