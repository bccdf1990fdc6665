// Changes of wikis: every other one as recorded, with fresh times; the rest invented, and marked
// so.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <iterator>

#include "tools/simulate/random.h"
#include "tools/simulate/record_stream.h"
#include "tools/simulate/tables.h"

namespace flowrun::simulate {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

struct Wiki {
  std::string_view name;
  std::string_view server;
  uint32_t share;  // of the invented edits, in hundredths
  double bots;     // share of its edits that are made by bots
};
constexpr std::array kWikis = {
    Wiki{"enwiki", "en.wikipedia.org", 26, 0.08},
    Wiki{"commonswiki", "commons.wikimedia.org", 18, 0.5},
    Wiki{"frwiki", "fr.wikipedia.org", 14, 0.15},
    Wiki{"dewiki", "de.wikipedia.org", 9, 0.05},
    Wiki{"eswiki", "es.wikipedia.org", 7, 0.1},
    Wiki{"ruwiki", "ru.wikipedia.org", 6, 0.1},
    Wiki{"itwiki", "it.wikipedia.org", 5, 0.15},
    Wiki{"jawiki", "ja.wikipedia.org", 4, 0.05},
    Wiki{"plwiki", "pl.wikipedia.org", 3, 0.1},
    Wiki{"ptwiki", "pt.wikipedia.org", 3, 0.1},
    Wiki{"arwiki", "ar.wikipedia.org", 3, 0.4},
    Wiki{"cawiki", "ca.wikipedia.org", 1, 0.1},
    Wiki{"ocwiki", "oc.wikipedia.org", 1, 0.2},
};
constexpr size_t kFrench = 2;  // of kWikis
static_assert(kWikis[kFrench].name == "frwiki");

// Titles of the edits that are about no commune; the first ones are edited most.
constexpr std::array<std::string_view, 24> kTitles = {
    "Jeux olympiques", "Garonne",         "Canal du Midi",
    "Toulouse",        "Albert Einstein", "Cassoulet",
    "Tour de France",  "Victor Hugo",     "Comète de Halley",
    "Aérostat",        "Marie Curie",     "Pyrénées",
    "Molière",         "Pastel",          "Saturne (planète)",
    "Occitanie",       "Aéropostale",     "Pierre-Paul Riquet",
    "Capitole",        "Violette",        "Ours brun",
    "Photosynthèse",   "Alan Turing",     "Système solaire"};

// One invented edit.
struct Edit {
  const Wiki* wiki;
  std::string_view title;
  uint64_t user;
  bool bot;
};

class Wikimedia final : public RecordStream {
 public:
  explicit Wikimedia(const StreamOptions& options)
      : random_(options.seed),
        late_(options.late),
        burst_(options.burst),
        next_recorded_(random_.below(static_cast<uint32_t>(changes().size()))) {}

  void append(std::string& out, int64_t records, int64_t now) override;

 private:
  void append_recorded(std::string& out, int64_t seconds);
  void append_invented(std::string& out, int64_t seconds, const Edit& edit);
  Edit commune_edit();
  Edit burst_edit();
  Edit other_edit();
  const Wiki& any_wiki();
  int64_t time_of_change(int64_t now);
  const std::string& date_of(int64_t seconds);

  Random random_;
  double late_;
  bool burst_;
  size_t next_recorded_;
  int64_t next_id_ = 2'000'000'000;
  std::string_view last_commune_;
  std::string_view burst_page_;
  int burst_left_ = 0;
  int64_t date_seconds_ = -1;
  std::string date_;
};

void Wikimedia::append(std::string& out, int64_t records, int64_t now) {
  constexpr double kCommunes = 0.02, kInvented = 0.5, kBurstBegins = 0.002;
  for (int64_t i = 0; i < records; ++i) {
    const int64_t seconds = time_of_change(now);
    const double draw = random_.unit();
    if (burst_ && burst_left_ == 0 && random_.chance(kBurstBegins)) {
      constexpr int kRun = 25;
      burst_left_ = kRun;
      burst_page_ = communes()[random_.below(static_cast<uint32_t>(communes().size()))];
    }
    if (draw < kCommunes) {
      append_invented(out, seconds, commune_edit());
    } else if (burst_left_ > 0) {
      append_invented(out, seconds, burst_edit());
    } else if (draw < kInvented) {
      append_invented(out, seconds, other_edit());
    } else {
      append_recorded(out, seconds);
    }
  }
}

// Most changes are told at once, some a second or two later.
int64_t Wikimedia::time_of_change(int64_t now) {
  constexpr double kSlow = 0.1;
  int64_t seconds = now / kNanosPerSecond;
  if (random_.chance(kSlow)) seconds -= static_cast<int64_t>(1 + random_.below(2));
  if (random_.chance(late_)) seconds -= static_cast<int64_t>(30 + random_.below(570));
  return seconds;
}

const std::string& Wikimedia::date_of(int64_t seconds) {
  if (seconds != date_seconds_) {
    date_ = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
    date_seconds_ = seconds;
  }
  return date_;
}

void Wikimedia::append_recorded(std::string& out, int64_t seconds) {
  const Change& change = changes()[next_recorded_];
  next_recorded_ = (next_recorded_ + 1) % changes().size();
  const size_t begin = out.size();
  out += change.text;
  // The later place first, so that the other stays where it is.
  const auto put_timestamp = [&] {
    out.insert(begin + change.timestamp, fmt::format_int(seconds).str());
  };
  if (change.date == kAbsent || change.date < change.timestamp) put_timestamp();
  if (change.date != kAbsent) out.insert(begin + change.date, date_of(seconds));
  if (change.date != kAbsent && change.date > change.timestamp) put_timestamp();
  out += '\n';
}

const Wiki& Wikimedia::any_wiki() {
  uint64_t draw = random_.below(100);
  for (const Wiki& wiki : kWikis) {
    if (draw < wiki.share) return wiki;
    draw -= wiki.share;
  }
  return kWikis.front();
}

// Now and then the page of the same name on another wiki.
Edit Wikimedia::commune_edit() {
  constexpr double kElsewhere = 0.25, kBots = 0.2;
  constexpr uint64_t kPeople = 40;
  const bool elsewhere = !last_commune_.empty() && random_.chance(kElsewhere);
  const Wiki* wiki = &kWikis[kFrench];
  while (elsewhere && wiki == &kWikis[kFrench]) wiki = &any_wiki();
  if (!elsewhere)
    last_commune_ = communes()[random_.below(static_cast<uint32_t>(communes().size()))];
  return {wiki, last_commune_, random_.below(kPeople), random_.chance(kBots)};
}

Edit Wikimedia::burst_edit() {
  --burst_left_;
  constexpr uint64_t kQuarrelers = 3;
  return {&kWikis[kFrench], burst_page_, random_.below(kQuarrelers), false};
}

Edit Wikimedia::other_edit() {
  constexpr uint64_t kPeople = 400;
  const Wiki& wiki = any_wiki();
  const uint64_t first = random_.below(kTitles.size());
  const uint64_t second = random_.below(kTitles.size());
  return {&wiki, kTitles[std::min(first, second)], random_.below(kPeople),
          random_.chance(wiki.bots)};
}

// As in a URL's path: spaces are underscores, what is not ASCII is escaped.
void append_page_name(std::string& out, std::string_view title) {
  for (const char c : title) {
    if (c == ' ') {
      out += '_';
    } else if (static_cast<unsigned char>(c) < 0x80 && c != '?' && c != '%' && c != '#') {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
}

void Wikimedia::append_invented(std::string& out, int64_t seconds, const Edit& edit) {
  const auto to = std::back_inserter(out);
  std::string page = fmt::format("https://{}/wiki/", edit.wiki->server);
  append_page_name(page, edit.title);
  const int64_t id = next_id_++;
  const uint64_t old_length = 500 + random_.below(40'000);
  const uint64_t new_length = old_length + random_.below(400) - std::min<uint64_t>(200, old_length);
  const uint64_t a = random_.next(), b = random_.next();
  fmt::format_to(
      to,
      R"({{"$schema":"/mediawiki/recentchange/1.0.0","invented":true,"meta":{{"uri":"{}",)"
      R"("request_id":"{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}","id":"{:08x}-{:04x}-4{:03x}-9{:03x}-{:012x}",)"
      R"("dt":"{}","domain":"{}","stream":"mediawiki.recentchange",)"
      R"("topic":"eqiad.mediawiki.recentchange","partition":0,"offset":{}}},)",
      page, a & 0xffffffff, (a >> 32) & 0xffff, (a >> 48) & 0xfff, (b >> 48) & 0xfff,
      b & 0xffffffffffff, b & 0xffffffff, (b >> 32) & 0xffff, (a >> 16) & 0xfff, (a >> 4) & 0xfff,
      a & 0xffffffffffff, date_of(seconds), edit.wiki->server, id);
  fmt::format_to(to,
                 R"("id":{},"type":"edit","namespace":0,"title":"{}","title_url":"{}",)"
                 R"("comment":"invented by the simulator","timestamp":{},"user":"{}-{}","bot":{},)"
                 R"("minor":{},"length":{{"old":{},"new":{}}},"revision":{{"old":{},"new":{}}},)"
                 R"("server_url":"https://{}","server_name":"{}","server_script_path":"/w",)"
                 R"("wiki":"{}","parsedcomment":"invented by the simulator"}})",
                 id, edit.title, page, seconds, edit.bot ? "InventedBot" : "Invented",
                 edit.bot ? edit.user % 5 : edit.user, edit.bot, random_.chance(0.3), old_length,
                 new_length, id - 1, id, edit.wiki->server, edit.wiki->server, edit.wiki->name);
  out += '\n';
}

}  // namespace

std::unique_ptr<RecordStream> make_wikimedia(const StreamOptions& options) {
  return std::make_unique<Wikimedia>(options);
}

}  // namespace flowrun::simulate
