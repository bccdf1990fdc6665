#include "tools/flowrun/test_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "runtime/base/suggest.h"
#include "tools/flowrun/test_rows.h"
#include "tools/flowrun/text.h"

namespace flowrun {
namespace {

constexpr size_t kRowsShown = 20;
constexpr int64_t kMillisecond = 1000, kSecond = 1'000'000, kMinute = 60 * kSecond,
                  kHour = 60 * kMinute;

// As the option `at` takes it: "1500 milliseconds", "2 seconds".
std::string duration_text(int64_t microseconds) {
  struct Unit {
    int64_t size;
    const char* name;
  };
  for (const Unit& unit : {Unit{kHour, "hour"},
                           {kMinute, "minute"},
                           {kSecond, "second"},
                           {kMillisecond, "millisecond"}}) {
    if (microseconds % unit.size == 0 && (microseconds != 0 || unit.size == kSecond)) {
      const int64_t count = microseconds / unit.size;
      return fmt::format("{} {}{}", count, unit.name, count == 1 ? "" : "s");
    }
  }
  return fmt::format("{} microseconds", microseconds);
}

// All that a sink was given, as a set: of a sink that is given whole results the last one.
std::vector<std::string> all_rows(const SinkRecord& record) {
  std::vector<std::string> rows;
  for (const SinkRecord::Turn& turn : record.turns) {
    if (record.mode == OutputMode::complete) rows.clear();
    rows.insert(rows.end(), turn.rows.begin(), turn.rows.end());
  }
  return rows;
}

void append_rows(const std::vector<std::string>& rows, const SchemaPtr& schema, char sign,
                 std::string& out) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i == kRowsShown) {
      out += fmt::format("    {} ... {} more\n", sign, rows.size() - i);
      return;
    }
    out += fmt::format("    {} {}\n", sign, yaml_row(rows[i], schema));
  }
}

// Compares one sink.
class SinkComparison {
 public:
  SinkComparison(const ExpectedSink& expected, const SinkRecord& record, Diagnostics& diagnostics)
      : expected_(expected), record_(record), diagnostics_(diagnostics) {}

  std::string run() {
    std::string differences;
    if (expected_.in_all) {
      const ExpectedTurn& turn = expected_.turns.front();
      return difference("", rows_of(turn), all_rows(record_));
    }
    std::vector<const ExpectedTurn*> turns;
    for (const ExpectedTurn& turn : expected_.turns) {
      if (!turn.rows.empty()) turns.push_back(&turn);
    }
    const size_t count = std::max(turns.size(), record_.turns.size());
    for (size_t i = 0; i < count; ++i) {
      static const SinkRecord::Turn kNone;
      const SinkRecord::Turn& given = i < record_.turns.size() ? record_.turns[i] : kNone;
      const std::vector<std::string> wanted =
          i < turns.size() ? rows_of(*turns[i]) : std::vector<std::string>();
      const bool there = i < record_.turns.size();
      const int64_t at = there ? given.at : turns[i]->at.value_or(0);
      differences += difference(" at " + duration_text(at), wanted, given.rows);
      if (there && i < turns.size() && turns[i]->at && *turns[i]->at != given.at) {
        differences += fmt::format("  {}: rows of {} came at {}\n", expected_.sink,
                                   duration_text(*turns[i]->at), duration_text(given.at));
      }
    }
    return differences;
  }

 private:
  std::vector<std::string> rows_of(const ExpectedTurn& turn) {
    std::vector<std::string> rows;
    for (const RawValue& raw : turn.rows) {
      Result<std::string> row = canonical_row(raw, record_.schema);
      if (row) {
        rows.push_back(std::move(*row));
      } else {
        diagnostics_.push_back(make_diagnostic(std::move(row.error()), expected_.sink));
      }
    }
    return rows;
  }

  std::string difference(const std::string& when, std::vector<std::string> wanted,
                         std::vector<std::string> given) const {
    if (expected_.in_order && wanted != given) {
      std::string text =
          fmt::format("  {}{}: other rows, or in another order\n", expected_.sink, when);
      append_rows(wanted, record_.schema, '-', text);
      append_rows(given, record_.schema, '+', text);
      return text;
    }
    std::ranges::sort(wanted);
    std::ranges::sort(given);
    std::vector<std::string> missing, unexpected;
    std::ranges::set_difference(wanted, given, std::back_inserter(missing));
    std::ranges::set_difference(given, wanted, std::back_inserter(unexpected));
    if (missing.empty() && unexpected.empty()) return {};
    std::string text =
        fmt::format("  {}{}: {} missing (-), {} unexpected (+)\n", expected_.sink, when,
                    plural(std::ssize(missing), "row"), plural(std::ssize(unexpected), "row"));
    append_rows(missing, record_.schema, '-', text);
    append_rows(unexpected, record_.schema, '+', text);
    return text;
  }

  const ExpectedSink& expected_;
  const SinkRecord& record_;
  Diagnostics& diagnostics_;
};

std::string different_count(std::string_view what, int64_t wanted, int64_t given) {
  if (wanted == given) return {};
  return fmt::format("  {}: {} expected, {} counted\n", what, wanted, given);
}

std::string rows_block(const std::vector<std::string>& rows, const SchemaPtr& schema,
                       const std::string& indent) {
  std::string text;
  for (const std::string& row : rows)
    text += fmt::format("{}- {}\n", indent, yaml_row(row, schema));
  return text;
}

std::string sink_block(const std::string& name, const SinkRecord& record, bool in_all,
                       bool in_order) {
  std::string text = fmt::format("  {}:\n", name);
  if (in_all) {
    std::vector<std::string> rows = all_rows(record);
    if (!in_order) std::ranges::sort(rows);
    if (in_order) text += "    in_order: true\n";
    return text + (rows.empty() ? "    rows: []\n" : "    rows:\n") +
           rows_block(rows, record.schema, "      ");
  }
  if (record.turns.empty()) return fmt::format("  {}: []\n", name);
  for (const SinkRecord::Turn& turn : record.turns) {
    std::vector<std::string> rows = turn.rows;
    if (!in_order) std::ranges::sort(rows);
    text += fmt::format("    - at: {}\n", duration_text(turn.at));
    if (in_order) text += "      in_order: true\n";
    text += "      rows:\n" + rows_block(rows, record.schema, "        ");
  }
  return text;
}

std::string expect_block(const PipelineTest& test, const TestScript& script) {
  std::string text = "expect:\n";
  if (test.expected.empty()) {
    for (const auto& [name, record] : script.sinks())
      text += sink_block(name, record, false, false);
  }
  for (const ExpectedSink& sink : test.expected) {
    const auto found = script.sinks().find(sink.sink);
    if (found != script.sinks().end())
      text += sink_block(sink.sink, found->second, sink.in_all, sink.in_order);
  }
  return text;
}

int64_t late_of(const TestScript& script, const std::string& node) {
  int64_t late = 0;
  for (const StateProgress& state : script.last_progress().states) {
    if (state.node == node) late += state.late_rows;
  }
  return late;
}

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= ' ' || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// `block` in the place of the key, or at the end.
void replace_key(PipelineTest& test, std::string_view key, const std::string& block) {
  const auto [begin, end] = extent_of_key(test, key);
  if (begin == end) {
    if (!test.text.empty() && !test.text.ends_with('\n')) test.text += '\n';
    test.text += block;
  } else {
    // Comments and blank lines before the next key are that one's.
    const std::string old = test.text.substr(begin, end - begin);
    const std::vector<std::string> lines = split(old);
    std::string tail;
    for (auto line = lines.rbegin();
         line != lines.rend() && (line->empty() || line->starts_with('#')); ++line)
      tail = *line + "\n" + tail;
    test.text.replace(begin, end - begin, block + tail);
  }
}

}  // namespace

std::vector<std::string> compare(const PipelineTest& test, const TestScript& script,
                                 Diagnostics& diagnostics) {
  std::vector<std::string> failures;
  const auto note = [&](std::string failure) {
    if (!failure.empty()) failures.push_back(std::move(failure));
  };
  std::vector<std::string> known;
  for (const auto& [name, record] : script.sinks()) known.push_back(name);
  for (const ExpectedSink& sink : test.expected) {
    const auto found = script.sinks().find(sink.sink);
    if (found != script.sinks().end()) {
      note(SinkComparison(sink, found->second, diagnostics).run());
      continue;
    }
    std::string hint = did_you_mean(sink.sink, known);
    if (hint.empty()) hint = " — there are " + back_quoted_list(known);
    diagnostics.push_back({Diagnostic::Severity::error,
                           "the pipeline has no sink " + back_quoted(sink.sink) + hint, "",
                           sink.position});
  }
  const Progress& progress = script.last_progress();
  if (test.late) note(different_count("late rows", *test.late, progress.late_rows));
  for (const auto& [node, count] : test.late_by_node)
    note(different_count("late rows of " + node, count, late_of(script, node)));
  if (test.rejected)
    note(different_count("rejected records", *test.rejected, progress.rejected_rows));
  return failures;
}

std::string updated_text(const PipelineTest& test, const TestScript& script) {
  PipelineTest changed = test;
  replace_key(changed, "expect", expect_block(test, script));
  const Progress& progress = script.last_progress();
  if (test.rejected)
    replace_key(changed, "rejected", fmt::format("rejected: {}\n", progress.rejected_rows));
  if (test.late) replace_key(changed, "late", fmt::format("late: {}\n", progress.late_rows));
  if (!test.late_by_node.empty()) {
    std::string entries;
    for (const auto& [node, count] : test.late_by_node)
      entries += fmt::format("{}{}: {}", entries.empty() ? "" : ", ", node, late_of(script, node));
    replace_key(changed, "late", fmt::format("late: {{ {} }}\n", entries));
  }
  return changed.text;
}

// By the longest common subsequence: test files are short.
std::string line_diff(const std::string& before, const std::string& after) {
  const std::vector<std::string> a = split(before), b = split(after);
  std::vector<std::vector<size_t>> common(a.size() + 1, std::vector<size_t>(b.size() + 1, 0));
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;) {
      common[i][j] =
          a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::string text;
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      ++i, ++j;
    } else if (j == b.size() || (i < a.size() && common[i + 1][j] >= common[i][j + 1])) {
      text += fmt::format("  {:>4} - {}\n", i + 1, a[i]);
      ++i;
    } else {
      text += fmt::format("  {:>4} + {}\n", j + 1, b[j]);
      ++j;
    }
  }
  return text;
}

std::string junit_xml(const std::vector<TestResult>& results) {
  const auto seconds = [](int64_t microseconds) {
    return fmt::format("{:.3f}", static_cast<double>(microseconds) / kSecond);
  };
  int64_t total = 0;
  size_t failed = 0, refused = 0;
  std::string cases;
  for (const TestResult& result : results) {
    total += result.duration;
    if (!result.passed()) ++(result.refused ? refused : failed);
    cases += fmt::format(R"(  <testcase classname="flowrun" name="{}" time="{}")",
                         xml_text(result.file), seconds(result.duration));
    if (result.passed()) {
      cases += "/>\n";
      continue;
    }
    std::string text;
    for (const std::string& failure : result.failures) text += failure;
    const std::string_view kind = result.refused ? "error" : "failure";
    cases += fmt::format(">\n    <{0} message=\"{1}\">{2}</{0}>\n  </testcase>\n", kind,
                         result.refused ? "refused" : "other rows than expected", xml_text(text));
  }
  return fmt::format(
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"flowrun\" tests=\"{}\" "
             "failures=\"{}\" errors=\"{}\" time=\"{}\">\n",
             results.size(), failed, refused, seconds(total)) +
         cases + "</testsuite>\n";
}

}  // namespace flowrun
