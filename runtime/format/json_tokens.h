#pragma once
// JsonTokens: a pull parser for JSON records that answers, and fails, where Jackson does.
//
// What Spark makes of a broken record depends on where its parser stood when it failed: a field
// whose text has a bad escape is null and the fields behind it are read, a missing comma loses the
// whole record. So this parser keeps Jackson's order of work: strings are decoded only when they
// are asked for, a name and the number behind it are one step, an error leaves the position behind
// the character that caused it.
//
//   JsonTokens tokens(options);
//   tokens.reset(record);
//   while (tokens.next() && tokens.current() != JsonToken::end_of_text) ...
//
// Not thread-safe; meant to be reused for many records.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/format/json_options.h"

namespace flowrun {

enum class JsonToken : uint8_t {
  none,  // before the first
  start_object,
  end_object,
  start_array,
  end_array,
  field_name,
  string,
  integer,
  decimal,     // a number with a fraction or an exponent
  not_finite,  // NaN, Infinity, -INF ...: text() is the word
  true_,
  false_,
  null,
  end_of_text,
};

class JsonTokens {
 public:
  // Deeper nesting, longer numbers and longer names break a record.
  static constexpr size_t kMaxDepth = 1000;
  static constexpr size_t kMaxDigits = 1000;
  static constexpr size_t kMaxName = 50000;

  // `options` must outlive this.
  explicit JsonTokens(const JsonReadOptions& options) : options_(options) {}

  // `record` must live until the next reset.
  void reset(std::string_view record);
  // Moves to the next token. False: the text is no JSON here; error() says why, current() is
  // unchanged.
  [[nodiscard]] bool next();
  // At the start of an object or array moves to its end, elsewhere does nothing.
  [[nodiscard]] bool skip_children();
  [[nodiscard]] JsonToken current() const { return current_; }
  // Name of the field that the current token belongs to; null inside arrays.
  [[nodiscard]] const std::string* name() const;
  // Decodes the current string. False: it is broken.
  [[nodiscard]] bool read_string();
  // After read_string: the string. Of a number its digits without leading zeros, of not_finite the
  // word.
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool has_lone_surrogate() const { return lone_surrogate_; }
  // Decodes the current string as base64 from the text as it stands. False: it is none.
  [[nodiscard]] bool read_base64(std::string& out);
  // Offsets of the current token's first byte and of the byte behind what was read.
  [[nodiscard]] size_t token_start() const { return token_start_; }
  [[nodiscard]] size_t position() const { return at_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  struct Context {
    bool is_object = false;
    bool has_name = false;
    int64_t index = -1;
    std::string name;
  };
  static constexpr int kEnd = -1;
  static constexpr int kError = -2;

  bool fail(std::string message);
  bool fail_at_char(int c, std::string_view expected);
  [[nodiscard]] bool has_more() const { return at_ < record_.size(); }
  [[nodiscard]] int byte_at(size_t i) const { return static_cast<unsigned char>(record_[i]); }
  int skip_white_space();  // the first other byte, consumed; kEnd or kError
  bool skip_comment();
  int skip_comma(int c);
  int skip_colon();
  bool push(bool is_object);
  bool pop(int closer);
  bool next_after_name();
  bool finish(JsonToken token);
  bool field_name(int c);
  bool unquoted_name(int c);
  bool value(int c, JsonToken& token);
  bool odd_value(int c, JsonToken& token);
  bool word(std::string_view word, size_t matched, JsonToken token_if_matched, JsonToken& token);
  bool number(int c, JsonToken& token);
  bool digits_after_sign(int c, bool negative, JsonToken& token);
  bool not_finite(bool negative, int c, JsonToken& token);
  bool fail_at_word(size_t start);
  bool quoted(char quote, std::string* out);
  bool escape(std::string* out, class SurrogateJoiner* joiner);
  bool non_ascii(int c, std::string* out, class SurrogateJoiner* joiner);
  bool base64_escape(int c, int index, int& bits);
  int base64_next();

  const JsonReadOptions& options_;
  std::string_view record_;
  size_t at_ = 0;
  size_t token_start_ = 0;
  size_t next_start_ = 0;
  JsonToken current_ = JsonToken::none;
  JsonToken after_name_ = JsonToken::none;
  bool incomplete_ = false;  // current (or after_name_) is a string that nobody has decoded yet
  bool lone_surrogate_ = false;
  std::vector<Context> contexts_;
  size_t depth_ = 0;
  std::string text_;
  std::string error_;
};

}  // namespace flowrun
