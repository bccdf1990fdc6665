#include "runtime/operator/line_stream.h"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "runtime/operator/source.h"

using namespace flowrun;

namespace {

void feed(LineStream& stream, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> space = stream.space();
    const size_t size = std::min(space.size(), bytes.size());
    std::copy_n(bytes.data(), size, space.data());
    stream.filled(size);
    bytes.remove_prefix(size);
  }
}

void collect(const LineStream::Lines& lines, std::vector<std::string>& texts) {
  if (!lines.values) return;
  for (int64_t i = 0; i < lines.values->size(); ++i) texts.emplace_back(lines.values->string(i));
}

std::vector<std::string> texts_of(const LineStream::Lines& lines) {
  std::vector<std::string> texts;
  collect(lines, texts);
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a line is given when its end has come, without the ending") {
  LineStream stream(1 << 20);
  feed(stream, "first\r\nsec");
  CHECK(texts_of(stream.take()) == Texts{"first"});
  CHECK_FALSE(stream.take().values);
  feed(stream, "ond\n\nfourth");
  const LineStream::Lines lines = stream.take();
  CHECK(texts_of(lines) == Texts{"second", ""});
  CHECK(lines.first_line == 2);
  CHECK(texts_of(stream.take_rest()) == Texts{"fourth"});
  CHECK_FALSE(stream.take_rest().values);
}

TEST_CASE("a large read is shared, not copied") {
  LineStream stream(1 << 20);
  const std::string line(1000, 'x');
  std::string text;
  for (int i = 0; i < 200; ++i) text += line + "\n";
  const std::span<char> space = stream.space();
  REQUIRE(space.size() >= text.size());
  std::ranges::copy(text, space.data());
  stream.filled(text.size());
  const LineStream::Lines lines = stream.take();
  REQUIRE(lines.values->size() == 200);
  CHECK(lines.values->string(0).data() == space.data());
}

TEST_CASE("a line that is too long is rejected once, and what follows is read on") {
  LineStream stream(10);
  feed(stream, "a\nbb\n0123456789X\nccc\n");
  LineStream::Lines lines = stream.take();
  CHECK(texts_of(lines) == Texts{"a", "bb"});
  CHECK(lines.too_long.empty());
  lines = stream.take();
  REQUIRE(lines.too_long.size() == 1);
  CHECK(lines.too_long[0].line == 3);
  CHECK(lines.too_long[0].head == "0123456789X");
  CHECK(texts_of(lines) == Texts{"ccc"});
  CHECK(lines.first_line == 4);
}

TEST_CASE("a line without an end is never held beyond the bound") {
  LineStream stream(1 << 20);
  const std::string piece(100'000, 'x');
  size_t rejected = 0;
  for (int i = 0; i < 300; ++i) {
    feed(stream, piece);
    const LineStream::Lines lines = stream.take();
    rejected += lines.too_long.size();
    for (const LineStream::TooLong& record : lines.too_long)
      CHECK(record.head.size() == Rejection::kKeptBytes);
    CHECK(stream.memory_bytes() <= 4 << 20);
  }
  CHECK(rejected == 1);
  feed(stream, "rest\nshort\n");
  const LineStream::Lines lines = stream.take();
  CHECK(texts_of(lines) == Texts{"short"});
  CHECK(lines.first_line == 2);
}

TEST_CASE("the rest is dropped when a connection broke") {
  LineStream stream(1 << 20);
  feed(stream, "whole\nhalf");
  CHECK(texts_of(stream.take()) == Texts{"whole"});
  CHECK(stream.drop_rest() == "half");
  CHECK(stream.drop_rest().empty());
}

TEST_CASE("lines do not depend on how the bytes were cut") {
  CHECK(rc::check(
      "lines do not depend on how the bytes were cut", [](const std::vector<uint8_t>& sizes) {
        std::string text;
        Texts expected;
        for (size_t i = 0; i < 200; ++i) {
          const size_t size = sizes.empty() ? i : sizes[i % sizes.size()] * (i % 7 == 0 ? 40U : 1U);
          expected.emplace_back(size, static_cast<char>('a' + i % 26));
          text += expected.back() + (i % 3 == 0 ? "\r\n" : "\n");
        }
        LineStream stream(1 << 20);
        Texts texts;
        std::string_view left = text;
        while (!left.empty()) {
          const auto size = std::min<size_t>(left.size(), *rc::gen::inRange<size_t>(1, 5000));
          feed(stream, left.substr(0, size));
          left.remove_prefix(size);
          collect(stream.take(), texts);
        }
        RC_ASSERT(texts == expected);
      }));
}
