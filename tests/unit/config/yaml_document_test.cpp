#include "runtime/config/yaml_document.h"

#include <catch2/catch.hpp>

namespace flowrun {
namespace {

// A value in one line: scalars bare or 'quoted', nothing as (), positions left out.
std::string dump(const RawValue& value) {
  std::string text;
  switch (value.kind) {
    case RawValue::Kind::empty:
      return "()";
    case RawValue::Kind::scalar:
      return value.quoted ? "'" + value.text + "'" : value.text;
    case RawValue::Kind::list:
      for (const RawValue& item : value.items) text += (text.empty() ? "" : ", ") + dump(item);
      return "[" + text + "]";
    case RawValue::Kind::map:
      for (size_t i = 0; i < value.keys.size(); ++i) {
        text += (text.empty() ? "" : ", ") + value.keys[i].text + ": " + dump(value.items[i]);
      }
      return "{" + text + "}";
  }
  return text;
}

struct Outcome {
  std::string value;
  std::string error;  // "line:column message" of the first
};

Outcome read(const std::string& text, const YamlLimits& limits = {}) {
  const auto file = std::make_shared<const std::string>("f.yaml");
  Diagnostics diagnostics;
  Result<std::string> clean = clean_yaml_text(text, file, limits);
  RawValue value;
  if (clean) {
    value = read_yaml(*clean, file, diagnostics, limits);
  } else {
    diagnostics.push_back(make_diagnostic(std::move(clean.error())));
  }
  if (diagnostics.empty()) return {dump(value), ""};
  const Position& position = diagnostics.front().position;
  return {"", std::to_string(position.line) + ":" + std::to_string(position.column) + " " +
                  diagnostics.front().message};
}

TEST_CASE("what is YAML is read as it stands") {
  struct Case {
    std::string text;
    std::string value;
  };
  using namespace std::string_literals;
  const std::vector<Case> cases = {
      {"", "()"},
      {"   \n# only a comment\n", "()"},
      {"---\n", "()"},
      {"--- a", "a"},
      {"a: b", "{a: b}"},
      {"a: b\n...\n", "{a: b}"},
      {"%YAML 1.2\n---\na: b\n", "{a: b}"},
      {"\xEF\xBB\xBF"
       "a: b\n",
       "{a: b}"},
      {"a: b\r\nc: d\r\n", "{a: b, c: d}"},
      {"a: b\rc: d\r", "{a: b, c: d}"},
      {"a: |\r\n  x\r\n  y\r\n", "{a: 'x\ny\n'}"},
      {"a: yes\nb: no\nc: on\nd: 1.0\ne: 0x1F\nf: 2001-01-01\ng: 017",
       "{a: yes, b: no, c: on, d: 1.0, e: 0x1F, f: 2001-01-01, g: 017}"},
      {"a: null\nb: ~\nc: Null\nnull: x\n~: y", "{a: null, b: ~, c: Null, null: x, ~: y}"},
      {"a:\nnull: 1", "{a: (), null: 1}"},
      {"a:\n  b:\nnull: 1", "{a: {b: ()}, null: 1}"},
      {"a: {b: , null: 1}", "{a: {b: (), null: 1}}"},
      {"a: [null, ~, '']", "{a: [null, ~, '']}"},
      {"a: nullable\nb: ~/x", "{a: nullable, b: ~/x}"},
      {"a: ''\nb: \"\"\nc:", "{a: '', b: '', c: ()}"},
      {"a: 'it''s'\nb: \"tab\\there \\u00e9 \\x41\"", "{a: 'it's', b: 'tab\there \xC3\xA9 A'}"},
      {"a: \"one\n  two\n\n  three\"", "{a: 'one two\nthree'}"},
      {"a: one\n  two\n  three", "{a: one two three}"},
      {"a: >\n  one\n  two\n\n  three\n", "{a: 'one two\nthree\n'}"},
      {"a: |-\n  one\n   two\n", "{a: 'one\n two'}"},
      {"a: |+\n  one\n\n", "{a: 'one\n\n'}"},
      {"a: |2\n   one\n", "{a: ' one\n'}"},
      {"- a\n- - b\n  - c\n- d: e\n  f: g", "[a, [b, c], {d: e, f: g}]"},
      {"a:\n- b\n- c", "{a: [b, c]}"},
      {"{a: [b, c], d: {e: f}, }", "{a: [b, c], d: {e: f}}"},
      {"[a, b: c, {d}]", "[a, {b: c}, {d: ()}]"},
      {"a: b # comment\n#c: d\ne: f#g", "{a: b, e: f#g}"},
      {"a: x: y", ""},
      {"a: http://x:1/y?z=1#f", "{a: http://x:1/y?z=1#f}"},
      {"a: -1\nb: - 1", ""},
      {"'a b': c\n\"d\": e\nf g: h", "{a b: c, d: e, f g: h}"},
      {"a: &x b\nc: *x", "{a: b, c: b}"},
      {"a: &x {b: c}\nd: {<<: *x, e: f}", "{a: {b: c}, d: {e: f, b: c}}"},
      {"a: &x {b: 1}\nd: &y {b: 2, c: 3}\ne: {<<: [*x, *y], c: 4}",
       "{a: {b: 1}, d: {b: 2, c: 3}, e: {c: 4, b: 1}}"},
      {"a: &x b\nc: &x d\ne: *x", "{a: b, c: d, e: d}"},
      {"a: &x\nb: *x", "{a: (), b: ()}"},
      {"'<<': a", "{<<: a}"},
      {"a: !!str 5\nb: ! 5", "{a: '5', b: '5'}"},
      {"a: !!int 5", "{a: 5}"},
      {"a: \"\xF0\x9F\x98\x80 \xE6\x97\xA5\"", "{a: '\xF0\x9F\x98\x80 \xE6\x97\xA5'}"},
      {"a: 'b'\t# tab before a comment", "{a: 'b'}"},
      {"? a\n: b", "{a: b}"},
      {"a : b", "{a: b}"},
      {"a: [\n  b,\n\n  c\n]", "{a: [b, c]}"},
      {"\xC3\xA9: 1", "{\xC3\xA9: 1}"},
  };
  for (const Case& test : cases) {
    INFO(test.text);
    const Outcome outcome = read(test.text);
    if (test.value.empty()) {
      CHECK_FALSE(outcome.error.empty());
    } else {
      CHECK(outcome.error == "");
      CHECK(outcome.value == test.value);
    }
  }
}

TEST_CASE("what is no pipeline's YAML is refused at its place") {
  struct Case {
    std::string text;
    std::string error;  // the beginning
  };
  using namespace std::string_literals;
  const std::vector<Case> cases = {
      {"a: 1\na: 2", "2:1 the key `a` stands here twice, first at line 1, column 1"},
      {"x: {a: 1, 'a': 2}", "1:11 the key `a` stands here twice"},
      {"? [a]\n: b", "1:3 a key must be a plain word, not a list"},
      {"{{a: b}: c}", "1:2 a key must be a plain word, not a mapping"},
      {": a", "1:1 a key must be a plain word, not nothing"},
      {"a: !!binary aGVsbG8=", "1:13 the tag `!!binary` means nothing here"},
      {"a: !custom {b: c}", "1:12 the tag `!custom` means nothing here"},
      {"a: !!set {b}", "1:10 the tag `!!set`"},
      {"a: *nowhere", "1:4 an alias `*name` without its anchor"},
      {"a: *", "1:5 a `*` begins an alias"},
      {"a: &x [*x]", "1:8 an alias inside the very value"},
      {"a: {<<: b}", "1:9 `<<` takes in mappings, not `b`"},
      {"a: b\n---\nc: d", "2:1 a second document"},
      {"a: b\n...\nc: d", "3:1 a second document"},
      {"%FOO bar\n---\na: b", "1:1 the directive `%FOO`"},
      {"%YAML 2.0\n---\na: b", "1:1 the directive `%YAML`"},
      {"%TAG ! tag:x,2000:\n---\na: b", "1:1 the directive `%TAG`"},
      {"a: b\n\tc: d", "2:"},
      {"a:\n\t- b", "2:"},
      {"a: [b", "1:"},
      {"a: {b", "1:"},
      {"a: b]", ""},
      {"a: ]", "1:4"},
      {"a: \"b", "1:"},
      {"a: 'b", "1:"},
      {"a: \"\\q\"", "1:"},
      {"a: \"\\0\"", "1:4 a text cannot hold a NUL"},
      {"a: @b", "1:4"},
      {"a: `b`", "1:4"},
      {"a: %b", "1:4"},
      {"a: b\n c: d", "2:"},
      {"a:\n  b: c\n d: e", "3:"},
      {"- a\nb: c", "2:1 this does not belong to what stands before it"},
      {"a: - b", "1:4"},
      {"a\0b: c"s, "1:2 the control character 0x00"},
      {"a: b\x04"
       "c",
       "1:5 the control character 0x04"},
      {"a: \x1B[31m", "1:4 the control character 0x1B"},
      {"a: \x7F", "1:4 the control character 0x7F"},
      {"a: caf\xE9", "1:7 the byte 0xE9 is no UTF-8"},
      {"a: \xC0\xAF", "1:4 the byte 0xC0 is no UTF-8"},
      {"a: \xED\xA0\x80", "1:4 the byte 0xED is no UTF-8"},
      {"\xFF\xFE"
       "a\0:\0"s,
       "1:1 the file is UTF-16"},
      {"\xFE\xFF\0a"s, "1:1 the file is UTF-16"},
  };
  for (const Case& test : cases) {
    INFO(test.text);
    const Outcome outcome = read(test.text);
    if (test.error.empty()) continue;  // either way, as long as it comes back
    CHECK_THAT(outcome.error, Catch::Matchers::StartsWith(test.error));
    CHECK_THAT(outcome.error, Catch::Matchers::Contains(" — "));
  }
}

std::string repeated(const std::string& piece, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += piece;
  return text;
}

TEST_CASE("hostile texts end in an error, soon") {
  using Catch::Matchers::Contains;
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" +
            repeated(before + ", ", 9) + before + "]\n";
  }
  CHECK_THAT(read(bomb).error, Contains("more than 200000 values, aliases expanded"));
  CHECK_THAT(
      read("a: &a \"" + std::string(1 << 20, 'x') + "\"\nb: [" + repeated("*a,", 50) + "]").error,
      Contains("more than 16 MiB of text"));
  std::string ladder = "a0: &a0 [x]\n";
  for (int i = 1; i < 100; ++i)
    ladder += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" +
              std::to_string(i - 1) + "]\n";
  CHECK_THAT(read(ladder).error, Contains("nested deeper than 64 levels"));
  for (const std::string opening : {"[", "{a: ", "- ", "? ", "[{a: ", "&a ", "!t "}) {
    INFO(opening);
    CHECK_FALSE(read(repeated(opening, 50'000)).error.empty());
  }
  std::string steps;
  for (size_t i = 0; i < 500; ++i) steps += std::string(i, ' ') + "a:\n";
  CHECK_THAT(read(steps).error, Contains("nested deeper than 64 levels"));
  CHECK_THAT(read(std::string((16 << 20) + 1, 'x')).error,
             Contains("a pipeline file may have 16 MiB"));
  CHECK_THAT(read("a: [" + repeated("1,", 250'000) + "]").error,
             Contains("more than 200000 values"));
  CHECK_THAT(read("{" + repeated("a: 1,", 10'000) + "}").error, Contains("stands here twice"));
  for (const std::string odd :
       {"?\n", "...\n", "\"", "'", "|", ":", ",", "#", "\n", "*", "&", "%", "a:\n"}) {
    INFO(odd);
    static_cast<void>(read(repeated(odd, 20'000)));
  }
}

TEST_CASE("every prefix and every flipped byte of a pipeline comes back") {
  const std::string text =
      "name: x\nbase: &b { host: 'a''b', \"p\\t\": 1 }\nnodes:\n  s: { <<: *b, source: socket }\n  "
      "f:\n    from: [s, s]\n    filter: >\n      a\n      and b # c\n";
  for (size_t i = 0; i <= text.size(); ++i) static_cast<void>(read(text.substr(0, i)));
  for (size_t i = 0; i < text.size(); ++i) {
    for (const char c :
         {'\0', '\t', '\n', ':', '-', '"', '\'', '[', '}', '&', '*', '!', '|', '%', '\x80'}) {
      std::string changed = text;
      changed[i] = c;
      static_cast<void>(read(changed));
    }
  }
}

}  // namespace
}  // namespace flowrun
