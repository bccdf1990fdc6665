#include "runtime/format/json_writer.h"

#include <cmath>

#include "runtime/format/text.h"

namespace flowrun {

namespace {

// Writes values; one per call, since it remembers the zone's offset from one timestamp to the next.
class Writer {
 public:
  Writer(const JsonWriteOptions& options, std::string& out)
      : options_(options), wall_(*options.zone), out_(out) {}

  // REQUIRES: the row is valid.
  void value(const Column& column, int64_t row) {
    switch (column.type().id()) {
      case TypeId::null:
        out_ += "null";
        break;
      case TypeId::boolean:
        out_ += column.boolean(row) ? "true" : "false";
        break;
      case TypeId::string:
        append_json_string(column.string(row), out_);
        break;
      case TypeId::binary:
        out_ += '"';
        append_base64(column.string(row), out_);
        out_ += '"';
        break;
      case TypeId::array:
        array(column, row);
        break;
      case TypeId::map:
        map(column, row);
        break;
      case TypeId::struct_:
        structure(column, row);
        break;
      default:
        visit_fixed(column.type().id(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          fixed(column.type(), column.values<T>()[static_cast<size_t>(row)]);
        });
    }
  }

  void value_or_null(const Column& column, int64_t row) {
    if (column.is_null(row)) {
      out_ += "null";
    } else {
      value(column, row);
    }
  }

 private:
  template <class T>
  void fixed(const Type& type, T value) {
    if constexpr (std::is_same_v<T, Decimal128>) {
      append_decimal_scientific(value, type.scale(), out_);
    } else if constexpr (std::is_floating_point_v<T>) {
      floating(value);
    } else if constexpr (std::is_same_v<T, CalendarInterval>) {
      quoted([&] { append_interval(value, out_); });
    } else if (type.id() == TypeId::date) {
      quoted([&] { date(static_cast<int32_t>(value)); });
    } else if (type.id() == TypeId::timestamp) {
      quoted([&] { timestamp(value); });
    } else if (type.id() == TypeId::year_month_interval) {
      quoted([&] { append_year_month(type, static_cast<int32_t>(value), out_); });
    } else if (type.id() == TypeId::day_time_interval) {
      quoted([&] { append_day_time(type, value, out_); });
    } else {
      append_integer(value, out_);
    }
  }

  template <class Body>
  void quoted(Body body) {
    out_ += '"';
    body();
    out_ += '"';
  }

  template <class T>
  void floating(T value) {
    const bool special = !std::isfinite(value);
    if (special) out_ += '"';
    if constexpr (sizeof(T) == sizeof(double)) {
      append_double(value, out_);
    } else {
      append_float(value, out_);
    }
    if (special) out_ += '"';
  }

  void date(int32_t days) {
    if (options_.date_format) {
      options_.date_format->format_date(days, wall_.zone(), out_);
    } else {
      append_date(days, out_);
    }
  }

  void timestamp(int64_t micros) {
    if (options_.timestamp_format) {
      options_.timestamp_format->format(micros, wall_, out_);
      return;
    }
    const bool millis = options_.fraction == JsonWriteOptions::Fraction::milliseconds;
    append_iso_timestamp(micros, wall_, out_, millis ? 3 : 6);
  }

  void array(const Column& column, int64_t row) {
    const int32_t begin = column.list_begin(row);
    out_ += '[';
    for (int32_t e = begin; e < column.list_end(row); ++e) {
      if (e > begin) out_ += ',';
      value_or_null(*column.child(0), e);
    }
    out_ += ']';
  }

  void map(const Column& column, int64_t row) {
    const int32_t begin = column.list_begin(row);
    out_ += '{';
    for (int32_t e = begin; e < column.list_end(row); ++e) {
      if (e > begin) out_ += ',';
      map_key(*column.child(0), e);
      out_ += ':';
      value_or_null(*column.child(1), e);
    }
    out_ += '}';
  }

  // Spark writes a key as its internal value prints: a date as its days, a timestamp as its
  // microseconds.
  void map_key(const Column& keys, int64_t row) {
    std::string key;
    switch (keys.type().id()) {
      case TypeId::string:
        append_json_string(keys.string(row), out_);
        return;
      case TypeId::date:
        append_integer(keys.values<int32_t>()[static_cast<size_t>(row)], key);
        break;
      case TypeId::timestamp:
        append_integer(keys.values<int64_t>()[static_cast<size_t>(row)], key);
        break;
      default:
        append_text(keys, row, *options_.zone, key);
    }
    append_json_string(key, out_);
  }

  void structure(const Column& column, int64_t row) {
    bool first = true;
    out_ += '{';
    for (size_t f = 0; f < column.children().size(); ++f) {
      const Column& child = *column.child(f);
      if (options_.ignore_null_fields && child.is_null(row)) continue;
      if (!first) out_ += ',';
      first = false;
      append_json_string(column.type().fields()[f].name, out_);
      out_ += ':';
      value_or_null(child, row);
    }
    out_ += '}';
  }

  const JsonWriteOptions& options_;
  LocalTime wall_;
  std::string& out_;
};

void write_row(const RecordBatch& batch, int64_t row, const std::vector<std::string>& keys,
               bool ignore_nulls, Writer& writer, std::string& out) {
  char before = '{';
  for (size_t i = 0; i < keys.size(); ++i) {
    const Column& column = *batch.column(i);
    const bool null = column.is_null(row);
    if (null && ignore_nulls) continue;
    out += before;
    out += keys[i];
    before = ',';
    if (null) {
      out += "null";
    } else {
      writer.value(column, row);
    }
  }
  out += before == '{' ? "{}" : "}";
}

}  // namespace

JsonRowWriter::JsonRowWriter(const SchemaPtr& schema, JsonWriteOptions options)
    : options_(std::move(options)) {
  for (const Field& field : schema->fields()) {
    std::string& key = keys_.emplace_back();
    append_json_string(field.name, key);
    key += ':';
  }
}

void JsonRowWriter::append_row(const RecordBatch& batch, int64_t row, std::string& out) const {
  Writer writer(options_, out);
  write_row(batch, row, keys_, options_.ignore_null_fields, writer, out);
}

void JsonRowWriter::append_lines(const RecordBatch& batch, std::string& out) const {
  Writer writer(options_, out);
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    write_row(batch, row, keys_, options_.ignore_null_fields, writer, out);
    out += '\n';
  }
}

void append_json(const Column& column, int64_t row, const JsonWriteOptions& options,
                 std::string& out) {
  Writer(options, out).value_or_null(column, row);
}

}  // namespace flowrun
