// The simulated streams, without a network.

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tools/simulate/event_log.h"
#include "tools/simulate/pacer.h"
#include "tools/simulate/record_stream.h"

using namespace flowrun::simulate;

namespace {

constexpr int64_t kNow = 1'700'000'000'000'000'000;

std::vector<std::string> lines(RecordStream& stream, int64_t records) {
  std::string text;
  stream.append(text, records, kNow);
  std::vector<std::string> out;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\n', start);
    out.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return out;
}

// The value's text of a key in a flat record, quotes removed.
std::string field(const std::string& line, const std::string& key) {
  const size_t start = line.find("\"" + key + "\":");
  if (start == std::string::npos) return "absent";
  std::string value = line.substr(start + key.size() + 3);
  if (value.front() == '"') return value.substr(1, value.find('"', 1) - 1);
  return value.substr(0, value.find_first_of(",}"));
}

}  // namespace

TEST_CASE("watches show every activity, the text null and every model within 10,000 records") {
  for (const double rate : {10.0, 1000.0, 1e6}) {
    const auto stream = make_watches({.seed = 3, .rate = rate, .nulls = 0.01});
    std::map<std::string, int> activities;
    std::set<std::string> models, users, devices;
    for (const std::string& line : lines(*stream, 10'000)) {
      if (field(line, "x") == "null") continue;
      ++activities[field(line, "gt")];
      models.insert(field(line, "Model"));
      users.insert(field(line, "User"));
      devices.insert(field(line, "Device"));
    }
    for (const char* activity :
         {"stand", "sit", "walk", "run", "bike", "stairsup", "stairsdown", "null"}) {
      CHECK(activities[activity] > 0);
    }
    CHECK(activities.size() == 8);
    CHECK(models.size() == 6);
    CHECK(users.size() == 26);
    CHECK(devices.size() > models.size());
  }
}

TEST_CASE("the same seed gives the same records, another seed others") {
  const auto make = {make_watches, make_heart, make_quotes};
  for (const auto make_stream : make) {
    const auto first = make_stream({.seed = 7, .nulls = 0.1, .late = 0.1});
    const auto same = make_stream({.seed = 7, .nulls = 0.1, .late = 0.1});
    const auto other = make_stream({.seed = 8, .nulls = 0.1, .late = 0.1});
    const auto expected = lines(*first, 500);
    CHECK(expected == lines(*same, 500));
    CHECK(expected != lines(*other, 500));
  }
}

TEST_CASE("one record in a hundred is in error, with nothing but its two times") {
  const auto stream = make_watches({.nulls = 0.01});
  int errors = 0;
  for (const std::string& line : lines(*stream, 20'000)) {
    CHECK(field(line, "Arrival_Time") != "null");
    CHECK(field(line, "Creation_Time") != "null");
    if (field(line, "gt") != "null" || line.find("\"gt\":\"null\"") != std::string::npos) continue;
    ++errors;
    for (const char* key : {"Device", "Index", "Model", "User", "x", "y", "z"})
      CHECK(field(line, key) == "null");
  }
  CHECK(errors > 100);
  CHECK(errors < 300);
}

TEST_CASE("creation lies up to a second before arrival, so that records come out of order") {
  const auto stream = make_watches({});
  int64_t previous = 0;
  int backwards = 0;
  for (const std::string& line : lines(*stream, 5000)) {
    const int64_t creation = std::stoll(field(line, "Creation_Time"));
    const int64_t lag = std::stoll(field(line, "Arrival_Time")) - creation;
    REQUIRE(lag >= 0);
    REQUIRE(lag < 1'000'000'000);
    backwards += creation < previous ? 1 : 0;
    previous = creation;
  }
  CHECK(backwards > 1000);
}

TEST_CASE("late records are half a minute old and more") {
  const auto stream = make_heart({.late = 0.02});
  int late = 0;
  for (const std::string& line : lines(*stream, 10'000)) {
    const int64_t lag =
        std::stoll(field(line, "Arrival_Time")) - std::stoll(field(line, "Creation_Time"));
    late += lag >= 30'000'000'000 ? 1 : 0;
  }
  CHECK(late > 100);
  CHECK(late < 400);
}

TEST_CASE("the index counts each device's records") {
  const auto stream = make_watches({});
  std::map<std::string, int64_t> next;
  for (const std::string& line : lines(*stream, 2000)) {
    CHECK(std::stoll(field(line, "Index")) == next[field(line, "Device") + field(line, "User")]++);
  }
}

TEST_CASE("heart rates are physiological with a few outliers") {
  const auto stream = make_heart({.rate = 100});
  int outliers = 0;
  std::set<int64_t> seen;
  for (const std::string& line : lines(*stream, 10'000)) {
    const int64_t bpm = std::stoll(field(line, "bpm"));
    outliers += bpm < 40 || bpm > 200 ? 1 : 0;
    seen.insert(bpm);
  }
  CHECK(outliers > 10);
  CHECK(outliers < 150);
  CHECK(seen.size() > 60);
}

TEST_CASE("quotes come from both plays, whole and in order") {
  const auto stream = make_quotes({});
  std::set<std::string> characters;
  for (const std::string& line : lines(*stream, 3000)) {
    REQUIRE(line.starts_with("{\"character\":\""));
    REQUIRE(line.ends_with("\"}"));
    characters.insert(field(line, "character"));
  }
  CHECK(characters.contains("MONSIEUR JOURDAIN"));
  CHECK(characters.contains("ROMEO"));
}

TEST_CASE("changes of wikis have fresh times, and the invented ones say so") {
  const auto stream = make_wikimedia({.seed = 3});
  int invented = 0, french = 0;
  for (const std::string& line : lines(*stream, 20'000)) {
    REQUIRE(line.ends_with("}"));
    const int64_t age = kNow / 1'000'000'000 - std::stoll(field(line, "timestamp"));
    REQUIRE(age >= 0);
    REQUIRE(age <= 2);
    const std::string date = field(line, "dt");
    CHECK((date == "absent" || date.starts_with("2023-11-14T22:13:")));
    if (field(line, "invented") != "true") continue;
    ++invented;
    french += field(line, "wiki") == "frwiki" ? 1 : 0;
  }
  CHECK(invented > 8'000);
  CHECK(invented < 12'000);
  CHECK(french > 1'000);
}

TEST_CASE("a burst is a run of edits on one page") {
  for (const bool burst : {false, true}) {
    const auto stream = make_wikimedia({.seed = 5, .burst = burst});
    std::map<std::string, int> edits;  // by page and person
    for (const std::string& line : lines(*stream, 20'000)) {
      if (field(line, "invented") == "true" && field(line, "bot") == "false")
        ++edits[field(line, "uri") + field(line, "user")];
    }
    const auto runs =
        std::ranges::count_if(edits, [](const auto& entry) { return entry.second >= 5; });
    CHECK((runs > 20) == burst);
  }
}

TEST_CASE("whoever names an event is given those that followed it") {
  EventLog log(100);
  const auto id = [](int64_t offset) { return "[{\"offset\":" + std::to_string(offset) + "}]"; };
  const auto after = [&](const std::string& last) {
    std::string out;
    log.append_after(last, out);
    return std::ranges::count(out, '}') / 3;  // two in the id, one in the data
  };
  std::string out;
  log.append("{1}\n{2}\n{3}\n", out);
  CHECK(out.starts_with("event: message\nid: [{\"topic\""));
  CHECK(out.find("\"offset\":100}") != std::string::npos);
  CHECK(out.ends_with("data: {3}\n\n"));
  CHECK(after(id(100)) == 2);
  CHECK(after(id(102)) == 0);
  CHECK(after(id(7)) == 3);
  CHECK(after(id(1000)) == 0);
  CHECK(after("") == 0);
  CHECK(after("17") == 0);
  std::string many;
  for (size_t i = 0; i < EventLog::kKept; ++i) many += "{}\n";
  log.append(many, out);
  CHECK(after(id(100)) == static_cast<int64_t>(EventLog::kKept));
}

TEST_CASE("the pacer hands out what is due, evenly and without loss") {
  for (const double rate : {0.1, 3.0, 1000.0, 2e6}) {
    Pacer pacer(rate, 0);
    int64_t taken = 0;
    const int64_t step = rate < 100 ? 100'000 : 500;
    const int64_t end = rate < 1 ? 100'000'000 : 5'000'000;
    int64_t largest = 0;
    for (int64_t now = 0; now < end; now += step) {
      const int64_t due = pacer.take(now, 1'000'000);
      largest = std::max(largest, due);
      taken += due;
    }
    const auto expected = static_cast<int64_t>(rate * static_cast<double>(end) / 1e6);
    CHECK(taken >= expected - largest);
    CHECK(taken <= expected + 1);
    CHECK(largest <=
          std::max<int64_t>(1, static_cast<int64_t>(rate * static_cast<double>(step) / 1e6) + 1));
  }
}

TEST_CASE("the pacer sends the first record at once and says when the next is due") {
  Pacer pacer(2, 1000);
  CHECK(pacer.take(1000, 10) == 1);
  CHECK(pacer.next() == 501'000);
  CHECK(pacer.take(500'000, 10) == 0);
  CHECK(pacer.take(501'000, 10) == 1);
}

TEST_CASE("the pacer never makes more than asked for, and does not catch up after a long pause") {
  Pacer pacer(1000, 0);
  CHECK(pacer.take(100'000, 10) == 10);
  CHECK(pacer.take(100'000, 1000) == 91);
  CHECK(pacer.take(60'000'000, 1000) == 1);
  CHECK(pacer.take(60'010'000, 1000) == 10);
}
