// logfmt: records of the form `level=warn took=3.5 msg="no answer"`, read and written.
#include <flowrun/plugin.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

using namespace flowrun::plugin;

namespace {

// Cuts a record into keys and values. A key alone is a flag: its value is true.
class Pairs {
 public:
  Pairs(std::string_view record, char separator) : rest_(record), separator_(separator) {}

  // False at the end, and at an error.
  bool next() {
    while (!rest_.empty() && rest_.front() == separator_) rest_.remove_prefix(1);
    if (rest_.empty()) return false;
    const size_t end = rest_.find_first_of(std::string{'=', separator_});
    key_ = rest_.substr(0, end);
    rest_.remove_prefix(key_.size());
    if (rest_.empty() || rest_.front() != '=') return set_value("true", 0);
    rest_.remove_prefix(1);
    if (!rest_.empty() && rest_.front() == '"') return quoted();
    return set_value(rest_.substr(0, rest_.find(separator_)));
  }
  std::string_view key() const { return key_; }
  const std::string& value() const { return value_; }
  const std::string& error() const { return error_; }

 private:
  bool set_value(std::string_view value) { return set_value(value, value.size()); }
  bool set_value(std::string_view value, size_t taken) {
    value_ = value;
    rest_.remove_prefix(taken);
    return true;
  }
  bool quoted() {
    value_.clear();
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return true;
      }
      const bool escaped = rest_[i] == '\\' && i + 1 < rest_.size();
      if (escaped) ++i;
      value_ += escaped ? plain(rest_[i]) : rest_[i];
    }
    error_ = "the quote behind `" + std::string(key_) + "=` is not closed";
    return false;
  }

  static char plain(char escaped) {
    return escaped == 'n' ? '\n' : escaped == 'r' ? '\r' : escaped;
  }

  std::string_view rest_;
  char separator_;
  std::string_view key_;
  std::string value_;
  std::string error_;
};

// A row as a line; nulls are left out.
class PairWriter final : public RowWriter {
 public:
  PairWriter(Schema columns, char separator)
      : columns_(std::move(columns)),
        separator_(separator),
        special_{separator, '=', '"', '\n', '\r'} {
    BatchTexts::check(columns_);  // refuses types that have no text
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].name.empty() || needs_quotes(columns_[i].name))
        throw Error::invalid("`" + columns_[i].name + "` cannot be a key — rename the column");
    }
  }

  void write(const Batch& batch, std::string& out) override {
    const BatchTexts texts(columns_, batch);
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      bool first = true;
      for (size_t column = 0; column < columns_.size(); ++column) {
        if (texts.is_null(column, row)) continue;
        if (!std::exchange(first, false)) out += separator_;
        out += columns_[column].name;
        out += '=';
        value_.clear();
        texts.append(column, row, value_);
        append_value(out);
      }
      out += '\n';
    }
  }

 private:
  bool needs_quotes(std::string_view text) const {
    return text.find_first_of(special_) != std::string_view::npos;
  }
  void append_value(std::string& out) const {
    if (!value_.empty() && !needs_quotes(value_)) {
      out += value_;
      return;
    }
    out += '"';
    for (const char c : value_) {
      if (c == '"' || c == '\\' || c == '\n' || c == '\r') out += '\\';
      out += c == '\n' ? 'n' : c == '\r' ? 'r' : c;
    }
    out += '"';
  }

  Schema columns_;
  char separator_;
  std::string special_;
  std::string value_;
};

class Logfmt final : public Format {
 public:
  static Spec spec() {
    return Spec("logfmt", "Lines of key=value.")
        .doc(
            "A value with blanks stands in double quotes, in which `\\n` is a line end and a "
            "backslash takes any other character as it is. Nulls are not written. A key without a "
            "value is a flag: true. Keys that the schema does "
            "not have are left out; of a key that comes twice the first counts.")
        .option(text("sep", "The one character between two pairs.").with_default(" "))
        .example("What a service logs",
                 "calls: { from: lines, parse: logfmt, schema: \"level string, took double, ok "
                 "boolean, n int\" }",
                 "value STRING",
                 {"level=info took=0.25 ok n=7", "level=warn msg=\"no \\\"answer\\\" yet\" took=3",
                  "", "other=1"});
  }
  explicit Logfmt(const Options& options) {
    const std::string separator = options.text("sep");
    if (separator.size() != 1)
      throw Error::option("sep", "`" + separator + "` cannot part pairs — write one character");
    separator_ = separator[0];
  }

  void bind(const Schema& columns) override {
    static_cast<void>(TextRows(columns));  // refuses types that it has none for
    columns_ = columns;
    for (size_t i = 0; i < columns.size(); ++i) places_.emplace(columns[i].name, i);
  }

  RecordRows read(const Values<std::string_view>& records,
                  const std::vector<bool>& wanted) const override {
    RecordRows out;
    TextRows rows(columns_);
    for (int64_t i = 0; i < records.size(); ++i) {
      const std::string wrong = records.is_null(i) ? "" : read_record(records[i], wanted, rows);
      if (!wrong.empty()) out.bad.push_back({i, wrong});
      rows.end_row();
    }
    out.rows = rows.finish();
    return out;
  }

  static const char* extension() { return "log"; }
  std::unique_ptr<PairWriter> make_writer(const Schema& columns) const {
    return std::make_unique<PairWriter>(columns, separator_);
  }

 private:
  // What is wrong with it; empty if nothing is.
  std::string read_record(std::string_view record, const std::vector<bool>& wanted,
                          TextRows& row) const {
    std::string wrong;
    Pairs pairs(record, separator_);
    while (pairs.next()) {
      const auto place = places_.find(pairs.key());
      if (place == places_.end() || !wanted[place->second] || row.is_set(place->second)) continue;
      if (!row.set(place->second, pairs.value()) && wrong.empty())
        wrong = "`" + pairs.value() + "` is no value of field `" + place->first + "`";
    }
    return pairs.error().empty() ? wrong : pairs.error();
  }

  char separator_ = ' ';
  Schema columns_;
  std::map<std::string, size_t, std::less<>> places_;
};

}  // namespace

FLOWRUN_PLUGIN("logfmt", "1.0.0", format<Logfmt>())
