// Writes data files as C++ tables, so that the flowrun binary needs no file beside it. Run by the
// build:
//   embed movement data/watches-hhar.jsonl movement_table.cpp
//   embed plays data/plays/a.txt data/plays/b.txt plays_table.cpp
//   embed changes data/recentchange.jsonl data/hte-garonne.csv changes_table.cpp
//
// A movement row keeps the number text of x, y and z verbatim, as a piece of JSON, and how far the
// record's creation lay behind its arrival. A play's row is the object that the simulator sends. A
// change is the recorded event with its two times cut out, a commune the title of its page as JSON
// text.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

// The text of the number behind `"key":`.
std::optional<std::string> number_text(const std::string& line, const std::string& key) {
  const std::string quoted = "\"" + key + "\":";
  const size_t start = line.find(quoted);
  if (start == std::string::npos) return std::nullopt;
  const size_t first = start + quoted.size();
  return line.substr(first, line.find_first_of(",}", first) - first);
}

struct Movement {
  std::string axes;
  int64_t lag;  // nanoseconds from creation to arrival
};

std::vector<Movement> read_movement(const char* path) {
  constexpr int64_t kNanosPerMilli = 1'000'000;
  std::vector<Movement> rows;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const auto x = number_text(line, "x"), y = number_text(line, "y"), z = number_text(line, "z");
    const auto arrival = number_text(line, "Arrival_Time"),
               creation = number_text(line, "Creation_Time");
    if (!x || !y || !z || !arrival || !creation) continue;
    rows.push_back({R"("x":)" + *x + R"(,"y":)" + *y + R"(,"z":)" + *z + "}\n",
                    std::stoll(*arrival) * kNanosPerMilli - std::stoll(*creation)});
  }
  return rows;
}

bool write_movement(const char* input, const char* output) {
  std::vector<Movement> rows = read_movement(input);
  if (rows.empty()) return false;
  const int64_t least = std::ranges::min_element(rows, {}, &Movement::lag)->lag;
  std::ofstream out(output);
  out << "// Generated from " << input << ".\n#include \"tools/simulate/tables.h\"\n\n"
      << "namespace flowrun::simulate {\nnamespace {\nconstexpr Movement kRows[] = {\n";
  for (const Movement& row : rows)
    out << "{R\"(" << row.axes << ")\", " << row.lag - least << "},\n";
  out << "};\n}  // namespace\n\nstd::span<const Movement> movements() { return kRows; }\n"
      << "}  // namespace flowrun::simulate\n";
  return out.good();
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool write_plays(std::span<char*> inputs, const char* output) {
  std::ofstream out(output);
  out << "// Generated from data/plays.\n#include \"tools/simulate/tables.h\"\n\n"
      << "namespace flowrun::simulate {\nnamespace {\n";
  std::string plays;
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::ifstream in(inputs[i]);
    out << "constexpr std::string_view kPlay" << i << "[] = {\n";
    size_t rows = 0;
    for (std::string line; std::getline(in, line); ++rows) {
      const size_t tab = line.find('\t');
      if (tab == std::string::npos) return false;
      const std::string_view text = line;
      out << "R\"({\"character\":" << json_text(text.substr(0, tab))
          << ",\"quote\":" << json_text(text.substr(tab + 1)) << "}\n)\",\n";
    }
    if (rows == 0) return false;
    out << "};\n";
    plays += "kPlay" + std::to_string(i) + ", ";
  }
  out << "constexpr std::span<const std::string_view> kPlays[] = {" << plays << "};\n"
      << "}  // namespace\n\nstd::span<const std::span<const std::string_view>> plays() { return "
         "kPlays; }\n"
      << "}  // namespace flowrun::simulate\n";
  return out.good();
}

struct Change {
  std::string text;
  size_t timestamp = 0;             // where the seconds since 1970 stood
  size_t date = std::string::npos;  // where `dt` stood in its quotes; npos: it was absent
};

std::optional<Change> read_change(const std::string& line) {
  const std::string timestamp_key = R"("timestamp":)", date_key = R"("dt":")";
  Change change{line, line.find(timestamp_key), line.find(date_key)};
  if (change.timestamp == std::string::npos) return std::nullopt;
  const auto cut = [&](size_t begin, const char* ends) {
    const size_t size = change.text.find_first_of(ends, begin) - begin;
    change.text.erase(begin, size);
    return size;
  };
  change.timestamp += timestamp_key.size();
  const size_t timestamp_size = cut(change.timestamp, ",}");
  if (change.date == std::string::npos) return change;
  change.date += date_key.size();
  const bool date_first = change.date < change.timestamp;
  if (!date_first) change.date -= timestamp_size;
  const size_t date_size = cut(change.date, "\"");
  if (date_first) change.timestamp -= date_size;
  return change;
}

bool write_changes(const char* changes, const char* communes, const char* output) {
  std::ofstream out(output);
  out << "// Generated from " << changes << " and " << communes
      << ".\n#include \"tools/simulate/tables.h\"\n\nnamespace flowrun::simulate {\nnamespace {\n"
      << "constexpr Change kChanges[] = {\n";
  size_t num_changes = 0, num_communes = 0;
  std::ifstream events(changes);
  for (std::string line; std::getline(events, line);) {
    const std::optional<Change> change = read_change(line);
    if (!change) continue;
    ++num_changes;
    // With its length: to count so many bytes is too much for a constant expression.
    out << "{{R\"~~(" << change->text << ")~~\", " << change->text.size() << "}, "
        << change->timestamp << ", ";
    out << (change->date == std::string::npos ? "kAbsent" : std::to_string(change->date)) << "},\n";
  }
  out << "};\nconstexpr std::string_view kCommunes[] = {\n";
  std::ifstream table(communes);
  std::string line;
  std::getline(table, line);  // the names of the columns
  while (std::getline(table, line)) {
    while (line.ends_with('\r')) line.pop_back();
    const std::string title = line.substr(line.rfind(',') + 1);
    if (title.empty() || line.find('"') != std::string::npos) continue;
    ++num_communes;
    out << "R\"~~(" << title << ")~~\",\n";
  }
  out << "};\n}  // namespace\n\nstd::span<const Change> changes() { return kChanges; }\n"
      << "std::span<const std::string_view> communes() { return kCommunes; }\n"
      << "}  // namespace flowrun::simulate\n";
  return out.good() && num_changes > 0 && num_communes > 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::span<char*> all(arguments, static_cast<size_t>(count));
  const std::string_view kind = count > 3 ? all[1] : "";
  bool written = false;
  if (kind == "movement" && count == 4) written = write_movement(all[2], all[3]);
  if (kind == "plays") written = write_plays(all.subspan(2, all.size() - 3), all.back());
  if (kind == "changes" && count == 5) written = write_changes(all[2], all[3], all[4]);
  if (!written)
    std::cerr << "embed: cannot make the table — embed movement|plays|changes INPUT... OUTPUT\n";
  return written ? 0 : 1;
}
