#include "runtime/format/json_reader.h"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

const char* const kSchema =
    "a bigint, b string, c double, d int, t tinyint, f float, e boolean, m decimal(10,2), y date, "
    "z timestamp, s struct<p: int, q: array<string>>, k map<string, double>";

SchemaPtr schema() { return *parse_schema(kSchema); }

// As a source makes them: views into one block, a line end between.
ColumnPtr lines_of(const std::vector<std::string>& records) {
  std::string text;
  for (const std::string& record : records) text += record + "\n";
  BufferPtr block = Buffer::allocate(text.size());
  std::memcpy(block->mutable_data(), text.data(), text.size());
  StringBuilder builder(Type::string());
  const uint32_t index = builder.share(block);
  const char* at = reinterpret_cast<const char*>(block->data());
  for (const std::string& record : records) {
    builder.append_shared({at, record.size()}, index);
    at += record.size() + 1;
  }
  return builder.finish();
}

ReadRows read(const ColumnPtr& lines, const JsonReadOptions& options, bool exact) {
  const SchemaPtr fields = schema();
  auto reader = JsonReader::make(fields, options, std::vector<bool>(fields->num_fields(), true));
  REQUIRE(reader.has_value());
  if (exact) (*reader)->use_exact_only();
  return *(*reader)->read(*lines);
}

bool same(const ReadRows& a, const ReadRows& b) {
  if (a.num_rows != b.num_rows || a.lines != b.lines || a.absent != b.absent) return false;
  if (a.bad.size() != b.bad.size()) return false;
  for (size_t i = 0; i < a.bad.size(); ++i) {
    if (a.bad[i].line != b.bad[i].line || a.bad[i].row != b.bad[i].row) return false;
  }
  for (size_t c = 0; c < a.columns.size(); ++c) {
    if (a.columns[c]->size() != a.num_rows || b.columns[c]->size() != a.num_rows) return false;
    for (int64_t row = 0; row < a.num_rows; ++row) {
      if (!rows_equal(*a.columns[c], row, *b.columns[c], row)) return false;
    }
  }
  return true;
}

rc::Gen<std::string> value() {
  return rc::gen::element<std::string>(
      "1", "-1", "0", "-0", "1.5", "1e3", "1E400", "0.1", "12345678.125", "123456789012345678901",
      "9223372036854775807", "9223372036854775808", "-9223372036854775808", "128", "300", "\"x\"",
      "\"\"", "\"a longer text than twelve\"", "\"esc\\n\\u00e9\\\"\"", "\"\\ud83d\"", "\"\xff\"",
      "\"bad \\x\"", "true", "false", "null", "tru", "NaN", "{}", "[]", "[1,2]",
      "{\"p\":1,\"q\":[\"x\",null]}", "{\"p\":1,\"p\":2}", "{\"p\":\"x\"}", "{\"q\":[{}]}", "01",
      "1.", "'s'", "\"2026-03-01\"", "\"2026-03-01T10:00:00Z\"", "[1", "{\"x\":{\"y\":[[]]}}",
      "0.30000000000000004", "-23.4567", "1234567890.123456789", "\"\t\"", "1 ", " 1");
}

rc::Gen<std::string> member() {
  return rc::gen::map(
      rc::gen::pair(rc::gen::element<std::string>("\"a\"", "\"b\"", "\"c\"", "\"d\"", "\"t\"",
                                                  "\"f\"", "\"e\"", "\"m\"", "\"y\"", "\"z\"",
                                                  "\"s\"", "\"k\"", "\"unknown\"", "\"\\u0061\"",
                                                  "a", "\"a long unknown name\""),
                    value()),
      [](const auto& pair) { return pair.first + ":" + pair.second; });
}

rc::Gen<std::string> record() {
  return rc::gen::map(rc::gen::pair(rc::gen::container<std::vector<std::string>>(member()),
                                    rc::gen::weightedElement<std::string>(
                                        {{12, "}"}, {1, ""}, {1, "}x"}, {1, ",}"}, {1, "} \""}})),
                      [](const auto& pair) {
                        std::string text = "{";
                        for (const std::string& member : pair.first) {
                          if (text.size() > 1) text += ", ";
                          text += member;
                        }
                        return text + pair.second;
                      });
}

}  // namespace

TEST_CASE("the fast and the exact path of the JSON reader agree") {
  for (const bool source : {false, true}) {
    JsonReadOptions options;
    options.source = source;
    CHECK(rc::check("on any records", [&] {
      const auto records = *rc::gen::container<std::vector<std::string>>(rc::gen::oneOf(
          record(), rc::gen::element<std::string>("", "  ", "[]", "[{\"a\":1},{\"a\":2}]", "null",
                                                  "\"", "x", "{\"a\":1}")));
      const ColumnPtr lines = lines_of(records);
      RC_ASSERT(same(read(lines, options, false), read(lines, options, true)));
    }));
  }
}

TEST_CASE("values that were not wanted are not converted") {
  const SchemaPtr fields = *parse_schema("a bigint, b string");
  auto reader = JsonReader::make(fields, {}, {false, true});
  REQUIRE(reader.has_value());
  const ReadRows rows =
      *(*reader)->read(*lines_of({R"({"a":"no number","b":"a text of some length"})"}));
  CHECK(rows.columns[0] == nullptr);
  CHECK(rows.columns[1]->string(0) == "a text of some length");
  CHECK(rows.bad.empty());
}

TEST_CASE("long strings share the buffer of the lines") {
  const SchemaPtr fields = *parse_schema("b string");
  auto reader = JsonReader::make(fields, {}, {true});
  const ColumnPtr lines = lines_of({R"({"b":"a text of some length"})"});
  const ReadRows rows = *(*reader)->read(*lines);
  CHECK(rows.columns[0]->parts().data_buffers[0] == lines->parts().data_buffers[0]);
}

}  // namespace flowrun
