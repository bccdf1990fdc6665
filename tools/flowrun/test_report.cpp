#include "tools/flowrun/test_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "runtime/base/suggest.h"
#include "tools/flowrun/test_rows.h"
#include "tools/flowrun/text.h"

namespace flowrun {
namespace {

constexpr size_t kRowsShown = 20;
constexpr double kSecond = 1e6;

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
      return difference("", rows_of(turn), rows_in_all(record_));
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

// "readings" of its step "readings.filter-2".
std::string node_of(const std::string& id) { return id.substr(0, id.find('.')); }

int64_t rows_of(const Progress& progress, const std::string& node, int64_t NodeProgress::*counted) {
  int64_t rows = 0;
  for (const NodeProgress& each : progress.nodes) {
    if (each.node == node || node_of(each.node) == node) rows += each.*counted;
  }
  return rows;
}

void check_nodes(const ExpectedCounts& counts, const Progress& progress, Diagnostics& diagnostics) {
  std::set<std::string> known;
  for (const NodeProgress& node : progress.nodes) known.insert({node.node, node_of(node.node)});
  const std::vector<std::string> names(known.begin(), known.end());
  for (const auto& [node, position] : counts.nodes) {
    if (known.contains(node)) continue;
    std::string hint = did_you_mean(node, names);
    if (hint.empty()) hint = " — there are " + back_quoted_list(names);
    diagnostics.push_back({Diagnostic::Severity::error,
                           "no node " + back_quoted(node) + " leads to a sink" + hint, "",
                           position});
  }
}

}  // namespace

int64_t late_rows_of(const Progress& progress, const std::string& node) {
  return rows_of(progress, node, &NodeProgress::late_rows);
}

int64_t rejected_rows_of(const Progress& progress, const std::string& node) {
  return rows_of(progress, node, &NodeProgress::rejected_rows);
}

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
  const auto counts = [&](const std::string& what, const ExpectedCounts& expected, int64_t in_all,
                          auto count_of) {
    if (expected.in_all) note(different_count(what, expected.in_all->rows, in_all));
    for (const auto& [node, count] : expected.by_node)
      note(different_count(what + " of " + node, count.rows, count_of(progress, node)));
    check_nodes(expected, progress, diagnostics);
  };
  counts("late rows", test.late, progress.late_rows, late_rows_of);
  counts("rejected records", test.rejected, progress.rejected_rows, rejected_rows_of);
  return failures;
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
