#include "runtime/operator/option_reading.h"

#include <catch2/catch.hpp>

#include "runtime/operator/option_specs.h"
#include "runtime/operator/spark_words.h"

namespace flowrun {
namespace {

using namespace option;

// The value, or the message.
Result<OptionValue> read(const OptionSpec& spec, const RawValue& raw) {
  Errors errors;
  OptionValue value = read_option(spec, raw, errors);
  if (!errors.empty()) return errors.front();
  return value;
}
Result<OptionValue> read(const OptionSpec& spec, const std::string& text) {
  return read(spec, RawValue::scalar(text));
}

TEST_CASE("sizes are powers of 1024 whatever their spelling") {
  CHECK(parse_bytes("4096").value() == 4096);
  CHECK(parse_bytes("64k").value() == 64 << 10);
  CHECK(parse_bytes("10 MiB").value() == 10 << 20);
  CHECK(parse_bytes("10MB").value() == 10 << 20);
  CHECK(parse_bytes("1.5 g").value() == (int64_t{3} << 29));
  CHECK(parse_bytes("9007199254740993").value() == 9007199254740993);
  for (const char* wrong : {"", "x", "-1", "1 parsec", "1 kib b", "1e400", "9000000 TiB", "1..2"}) {
    INFO(wrong);
    CHECK_FALSE(parse_bytes(wrong));
  }
}

TEST_CASE("a scalar is read by its option alone") {
  CHECK(read(integer("a", ""), "1_000").value().integer == 1000);
  CHECK(read(rows("a", ""), "false").value().integer == -1);
  CHECK(read(duration("a", ""), "2 seconds").value().integer == 2'000'000);
  CHECK(read(boolean("a", ""), "TRUE").value().boolean);
  CHECK(read(number("a", ""), "1e3").value().number == 1000);
  CHECK(read(data_type("a", ""), "array<int>").value().type == Type::array(Type::integer()));
  CHECK(read(schema("a", ""), "a int, b string").value().schema->num_fields() == 2);
  CHECK(read(list_of(column("a", "")), "x").value().items.size() == 1);
  CHECK(read(word("a", {"left_semi"}, ""), "left-semi").value().text == "left_semi");
  for (const OptionSpec& spec : {integer("a", "").between(1, 5), rows("a", ""), duration("a", ""),
                                 bytes("a", ""), boolean("a", ""), number("a", ""),
                                 data_type("a", ""), word("a", {"b"}, ""), schema("a", "")}) {
    INFO(describe_option(spec));
    CHECK_FALSE(read(spec, "9 of them"));
    CHECK_FALSE(read(spec, RawValue{}));
    CHECK_FALSE(read(spec, RawValue::list({RawValue::list({})})));
  }
}

TEST_CASE(
    "one_of takes the first alternative that fits, and says of the nearest what is wrong in it") {
  const OptionSpec agg = one_of(
      "agg", "",
      {word("", {"count", "sum"}, ""), map_of(expression("", "")), list_of(expression("", ""))});
  CHECK(read(agg, "count").value().kind == OptionKind::word);
  CHECK(read(agg, "sum(x)").value().kind == OptionKind::list);
  CHECK(read(agg, RawValue::map({{"n", RawValue::scalar("count(*)")}})).value().kind ==
        OptionKind::map);
  const auto wrong = read(agg, RawValue::map({{"n", RawValue{}}}));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message == "`n` has no value — write an expression");
}

TEST_CASE(
    "options of an operator: defaults, what is missing, what is unknown, what does not go "
    "together") {
  OperatorSpec spec;
  spec.name = "window";
  spec.kind = OperatorKind::stateful;
  spec.primary = duration("window", "");
  spec.options = {required(column("on", "the time")),
                  word("format", {"csv", "json"}, "").with_default("json"),
                  boolean("infer_schema", "").when("format", "csv")};
  const Options options = make_options(spec, RawValue::map({{"window", RawValue::scalar("1 hour")},
                                                            {"on", RawValue::scalar("t")}}))
                              .value();
  CHECK(options.integer("window") == 3'600'000'000);
  CHECK(options.text("format") == "json");
  CHECK_FALSE(options.has("infer_schema"));

  Errors errors;
  read_operator_options(spec,
                        RawValue::map({{"inferSchema", RawValue::scalar("true")},
                                       {"infer_schema", RawValue::scalar("true")}}),
                        errors);
  std::vector<std::string> messages;
  for (const Error& error : errors) messages.push_back(error.message);
  CHECK(messages ==
        std::vector<std::string>{
            "unknown option `inferSchema` of window — here it is `infer_schema`",
            "window needs `on` — write a column's name: the time",
            "`infer_schema` belongs to `format: csv`, and here it is `format: json` — remove it"});
}

TEST_CASE("of options of one name the one is read that belongs to what was chosen") {
  OperatorSpec spec;
  spec.name = "parse";
  spec.primary = word("parse", {"csv", "bars"}, "the format");
  spec.options = {text("sep", "").with_default(",").when("parse", "csv"),
                  required(integer("sep", "")).when("parse", "bars"),
                  required(text("bar", "")).when("parse", "bars")};
  const auto read_as = [&](const std::string& format, const std::string& option,
                           const std::string& value) {
    return make_options(spec, RawValue::map({{"parse", RawValue::scalar(format)},
                                             {"bar", RawValue::scalar("|")},
                                             {option, RawValue::scalar(value)}}));
  };
  CHECK(read_as("bars", "sep", "7").value().integer("sep") == 7);
  CHECK_FALSE(read_as("bars", "sep", ";"));
  const auto csv = make_options(spec, RawValue::map({{"parse", RawValue::scalar("csv")}}));
  REQUIRE(csv);
  CHECK(csv->text("sep") == ",");
  const auto bars = make_options(
      spec, RawValue::map({{"parse", RawValue::scalar("bars")}, {"sep", RawValue::scalar("7")}}));
  REQUIRE_FALSE(bars);
  CHECK(bars.error().message.find("parse needs `bar`") != std::string::npos);
}

TEST_CASE("a group takes its own options, and says what is wrong in it") {
  const OptionSpec tls =
      group("tls", "",
            {required(path("certificate", "a file")), integer("depth", "").with_default("3"),
             secret(integer("pin", ""))});
  const auto written = [](std::vector<std::pair<std::string, std::string>> entries) {
    std::vector<std::pair<std::string, RawValue>> raw;
    for (auto& [key, text] : entries) raw.emplace_back(key, RawValue::scalar(text));
    return RawValue::map(std::move(raw));
  };
  Options options;
  options.set("tls", read(tls, written({{"certificate", "a.pem"}})).value());
  const Options inside = options.group("tls");
  CHECK(inside.text("certificate").ends_with("a.pem"));
  CHECK(inside.integer("depth") == 3);
  CHECK_FALSE(inside.has("pin"));
  CHECK(options.group("absent").values().empty());

  CHECK(read(tls, written({{"certificat", "a"}, {"certificate", "b"}})).error().message ==
        "unknown option `certificat` of `tls` — did you mean `certificate`?");
  CHECK(read(tls, written({})).error().message ==
        "`tls` needs `certificate` — write a path: a file");
  CHECK(read(tls, "a.pem").error().message ==
        "`tls` cannot be `a.pem` — write a mapping with `certificate`, `depth` and `pin`");
  const auto pin = read(tls, written({{"certificate", "a"}, {"pin", "hidden"}}));
  REQUIRE(!pin);
  CHECK(pin.error().message.find("hidden") == std::string::npos);

  const OptionSpec after =
      one_of("after", "", {word("", {"keep"}, ""), group("", "", {required(path("archive", ""))})});
  CHECK(read(after, "keep").value().text == "keep");
  CHECK(read(after, written({{"archive", "done"}})).value().items.size() == 1);
  CHECK(read(after, written({{"archives", "done"}, {"archive", "a"}})).error().message ==
        "unknown option `archives` of `after` — did you mean `archive`?");
}

TEST_CASE("a secret is not shown in messages") {
  const auto wrong = read(secret(integer("pin", "")), "hunter2");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message.find("hunter2") == std::string::npos);
}

TEST_CASE("Spark's words are known") {
  const std::vector<std::string> known = {"infer_schema", "mode", "with_columns", "group_by", "on"};
  CHECK(suggest_word("inferSchema", known) == " — here it is `infer_schema`");
  CHECK(suggest_word("outputMode", known) == " — here it is `mode`");
  CHECK(suggest_word("withColumn", known) == " — here it is `with_columns`");
  CHECK(suggest_word("groupBy", known) == " — here it is `group_by`");
  CHECK(suggest_word("group_bi", known) == " — did you mean `group_by`?");
  CHECK(suggest_word("zebra", known).empty());
}

}  // namespace
}  // namespace flowrun
