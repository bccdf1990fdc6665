#include "runtime/sql/sql_value.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>

#include "runtime/columnar/hash.h"
#include "runtime/expr/cast.h"
#include "runtime/format/decimal.h"
#include "runtime/format/text.h"
#include "runtime/state/value_codec.h"

namespace flowrun {

namespace {

constexpr size_t kMostSubtypes = 255;

SqlCell::Kind held_as(const Type& type) {
  switch (type.id()) {
    case TypeId::null:
      return SqlCell::Kind::null;
    case TypeId::boolean:
    case TypeId::tinyint:
    case TypeId::smallint:
    case TypeId::integer:
    case TypeId::bigint:
      return SqlCell::Kind::integer;
    case TypeId::real:
    case TypeId::double_:
    case TypeId::decimal:
      return SqlCell::Kind::real;
    case TypeId::binary:
    case TypeId::array:
    case TypeId::map:
    case TypeId::struct_:
      return SqlCell::Kind::blob;
    default:
      return SqlCell::Kind::text;
  }
}

double real_number(const Column& column, int64_t row) {
  const auto at = static_cast<size_t>(row);
  switch (column.type().id()) {
    case TypeId::real:
      return column.values<float>()[at];
    case TypeId::decimal:
      return decimal_to_double(column.values<Decimal128>()[at], column.type().scale());
    default:
      return column.values<double>()[at];
  }
}

// Cells as the plainest column that holds them all.
ColumnPtr plain_column(const std::vector<SqlCell>& cells) {
  bool integers = true;
  bool numbers = true;
  bool blobs = true;
  bool nothing = true;
  for (const SqlCell& cell : cells) {
    if (cell.kind == SqlCell::Kind::null) continue;
    nothing = false;
    integers = integers && cell.kind == SqlCell::Kind::integer;
    numbers = numbers && (cell.kind == SqlCell::Kind::integer || cell.kind == SqlCell::Kind::real);
    blobs = blobs && cell.kind == SqlCell::Kind::blob;
  }
  const auto build = [&](auto builder, const auto& append) {
    for (const SqlCell& cell : cells) {
      if (cell.kind == SqlCell::Kind::null) {
        builder.append_null();
      } else {
        append(builder, cell);
      }
    }
    return builder.finish();
  };
  if (nothing) return null_column(Type::null(), static_cast<int64_t>(cells.size()));
  if (integers)
    return build(FixedBuilder<int64_t>(Type::bigint()),
                 [](auto& builder, const SqlCell& cell) { builder.append(cell.integer); });
  if (numbers)
    return build(FixedBuilder<double>(Type::double_()), [](auto& builder, const SqlCell& cell) {
      builder.append(cell.kind == SqlCell::Kind::integer ? static_cast<double>(cell.integer)
                                                         : cell.real);
    });
  return build(StringBuilder(blobs ? Type::binary() : Type::string()),
               [](auto& builder, const SqlCell& cell) {
                 if (cell.kind == SqlCell::Kind::integer) {
                   builder.append(std::to_string(cell.integer));
                 } else if (cell.kind == SqlCell::Kind::real) {
                   FixedBuilder<double> number(Type::double_());
                   number.append(cell.real);
                   std::string text;
                   append_text(*number.finish(), 0, TimeZone::utc(), text);
                   builder.append(text);
                 } else {
                   builder.append(cell.bytes);
                 }
               });
}

}  // namespace

int64_t whole_number(const Column& column, int64_t row) {
  const auto at = static_cast<size_t>(row);
  switch (column.type().id()) {
    case TypeId::boolean:
      return column.boolean(row) ? 1 : 0;
    case TypeId::tinyint:
      return column.values<int8_t>()[at];
    case TypeId::smallint:
      return column.values<int16_t>()[at];
    case TypeId::integer:
      return column.values<int32_t>()[at];
    default:
      return column.values<int64_t>()[at];
  }
}

SqlCell read_cell(sqlite3_value* value) {
  SqlCell cell;
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
      cell.kind = SqlCell::Kind::integer;
      cell.integer = sqlite3_value_int64(value);
      break;
    case SQLITE_FLOAT:
      cell.kind = SqlCell::Kind::real;
      cell.real = sqlite3_value_double(value);
      break;
    case SQLITE_TEXT: {
      cell.kind = SqlCell::Kind::text;
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
      cell.bytes.assign(text ? text : "", static_cast<size_t>(sqlite3_value_bytes(value)));
      break;
    }
    case SQLITE_BLOB: {
      cell.kind = SqlCell::Kind::blob;
      const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
      if (bytes) cell.bytes.assign(bytes, static_cast<size_t>(sqlite3_value_bytes(value)));
      break;
    }
    default:
      break;
  }
  return cell;
}

SqlTypes::SqlTypes(const TimeZone& zone) : zone_(zone) {
  std::random_device random;
  for (char& byte : mark_) byte = static_cast<char>(random());
  secret_ = static_cast<uint64_t>(random()) << 32 | random();
  types_.emplace_back();  // no value has subtype 0
}

size_t SqlTypes::id(const Type& type) {
  const auto found = std::ranges::find(types_, type);
  if (found != types_.end()) return static_cast<size_t>(found - types_.begin());
  types_.push_back(type);
  return types_.size() - 1;
}

std::string SqlTypes::declaration(size_t id) const {
  const char* affinity = "";
  switch (held_as(types_[id])) {
    case SqlCell::Kind::integer:
      affinity = types_[id].id() == TypeId::boolean ? "NUMERIC_" : "INT_";
      break;
    case SqlCell::Kind::real:
      affinity = "REAL_";
      break;
    case SqlCell::Kind::text:
      affinity = "TEXT_";
      break;
    default:
      affinity = "BLOB_";
  }
  return affinity + std::to_string(id);
}

std::optional<Type> SqlTypes::declared(const char* word) const {
  const char* underscore = word ? std::strrchr(word, '_') : nullptr;
  if (!underscore) return std::nullopt;
  const auto id = static_cast<size_t>(std::strtoul(underscore + 1, nullptr, 10));
  return id < types_.size() ? std::optional(types_[id]) : std::nullopt;
}

uint64_t SqlTypes::checksum(std::string_view bytes) const { return hash_text(secret_, bytes); }

void SqlTypes::give(sqlite3_context* context, const Column& column, int64_t row, size_t id,
                    bool lasting) {
  if (column.is_null(row)) return sqlite3_result_null(context);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): SQLite's own constants.
  const auto life = lasting ? SQLITE_STATIC : SQLITE_TRANSIENT;
  const Type& type = column.type();
  switch (held_as(type)) {
    case SqlCell::Kind::null:
      return sqlite3_result_null(context);
    case SqlCell::Kind::integer:
      sqlite3_result_int64(context, whole_number(column, row));
      break;
    case SqlCell::Kind::real:
      sqlite3_result_double(context, real_number(column, row));
      break;
    case SqlCell::Kind::text:
      if (type.id() == TypeId::string) {
        const std::string_view text = column.string(row);
        sqlite3_result_text64(context, text.data(), text.size(), life, SQLITE_UTF8);
      } else {
        scratch_.clear();
        append_text(column, row, zone_, scratch_);
        sqlite3_result_text64(context, scratch_.data(), scratch_.size(), SQLITE_TRANSIENT,
                              SQLITE_UTF8);
      }
      break;
    case SqlCell::Kind::blob:
      if (type.id() == TypeId::binary) {
        const std::string_view bytes = column.string(row);
        sqlite3_result_blob64(context, bytes.data(), bytes.size(), life);
      } else {
        scratch_.assign(mark_.data(), mark_.size());
        const auto number = static_cast<uint32_t>(id);
        scratch_.append(reinterpret_cast<const char*>(&number), sizeof number);
        ValueCodec(type).append(column, row, scratch_);
        const uint64_t sum = checksum(scratch_);
        scratch_.append(reinterpret_cast<const char*>(&sum), sizeof sum);
        sqlite3_result_blob64(context, scratch_.data(), scratch_.size(), SQLITE_TRANSIENT);
      }
      break;
  }
  if (id <= kMostSubtypes) sqlite3_result_subtype(context, static_cast<unsigned>(id));
}

// A blob that only looks like one of ours is left alone: whoever writes SQL does not know the
// secret.
std::optional<size_t> SqlTypes::marked_type(std::string_view blob) const {
  const size_t least = mark_.size() + sizeof(uint32_t) + sizeof(uint64_t);
  if (blob.size() < least || std::memcmp(blob.data(), mark_.data(), mark_.size()) != 0)
    return std::nullopt;
  uint32_t number = 0;
  uint64_t sum = 0;
  std::memcpy(&number, blob.data() + mark_.size(), sizeof number);
  std::memcpy(&sum, blob.data() + blob.size() - sizeof sum, sizeof sum);
  if (number >= types_.size() || sum != checksum(blob.substr(0, blob.size() - sizeof sum)))
    return std::nullopt;
  return number;
}

std::string_view SqlTypes::marked_bytes(std::string_view blob) const {
  const size_t head = mark_.size() + sizeof(uint32_t);
  return blob.substr(head, blob.size() - head - sizeof(uint64_t));
}

ColumnPtr SqlTypes::nested(const std::vector<SqlCell>& cells, size_t id) const {
  const ValueCodec codec(types_[id]);
  const std::unique_ptr<ColumnBuilder> builder = make_builder(types_[id]);
  for (const SqlCell& cell : cells) {
    if (cell.kind == SqlCell::Kind::null) {
      builder->append_null();
    } else {
      codec.read(marked_bytes(cell.bytes), *builder);
    }
  }
  return builder->finish();
}

ColumnPtr SqlTypes::declared_column(const std::vector<SqlCell>& cells, const Type& type) const {
  const SqlCell::Kind kind = held_as(type);
  const bool agree = std::ranges::all_of(cells, [&](const SqlCell& cell) {
    return cell.kind == SqlCell::Kind::null || cell.kind == kind;
  });
  if (!agree || type.is_nested()) return nullptr;
  ColumnPtr plain = plain_column(cells);
  if (plain->type() == type) return plain;
  if (!can_cast(plain->type(), type)) return nullptr;
  auto typed = cast(plain, type, zone_);
  if (!typed || (*typed)->null_count() != plain->null_count()) return nullptr;
  return std::move(*typed);
}

ColumnPtr SqlTypes::column_of(const std::vector<SqlCell>& cells,
                              const std::optional<Type>& declared) const {
  std::optional<size_t> marked;
  bool all_marked = true;
  std::vector<SqlCell> texts;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].kind == SqlCell::Kind::null) continue;
    const auto id =
        cells[i].kind == SqlCell::Kind::blob ? marked_type(cells[i].bytes) : std::nullopt;
    if (!id || (marked && *marked != *id)) all_marked = false;
    if (!id) continue;
    marked = id;
    if (texts.empty()) texts = cells;
    texts[i].kind = SqlCell::Kind::text;
    texts[i].bytes.clear();
    append_text(*nested({cells[i]}, *id), 0, zone_, texts[i].bytes);
  }
  if (marked && all_marked) return nested(cells, *marked);
  if (marked) return plain_column(texts);
  if (declared) {
    if (ColumnPtr column = declared_column(cells, *declared)) return column;
  }
  return plain_column(cells);
}

// As `give` would show it. REQUIRES: not null, not nested.
SqlCell SqlTypes::cell_of(const Column& column, int64_t row) const {
  SqlCell cell;
  cell.kind = held_as(column.type());
  switch (cell.kind) {
    case SqlCell::Kind::integer:
      cell.integer = whole_number(column, row);
      break;
    case SqlCell::Kind::real:
      cell.real = real_number(column, row);
      break;
    default:
      append_text(column, row, zone_, cell.bytes);
  }
  return cell;
}

ColumnPtr SqlTypes::collected(const std::vector<SqlCell>& cells,
                              const std::optional<Type>& expected) const {
  std::optional<SqlCell::Kind> kind;
  std::optional<std::optional<size_t>> mark;
  for (const SqlCell& cell : cells) {
    if (cell.kind == SqlCell::Kind::null) continue;
    const bool number = cell.kind == SqlCell::Kind::integer || cell.kind == SqlCell::Kind::real;
    const SqlCell::Kind seen = number ? SqlCell::Kind::real : cell.kind;
    if (kind && *kind != seen) return nullptr;
    kind = seen;
    if (cell.kind != SqlCell::Kind::blob) continue;
    const std::optional<size_t> marked = marked_type(cell.bytes);
    if (mark && *mark != marked) return nullptr;
    mark = marked;
  }
  if (!kind && expected) return null_column(*expected, static_cast<int64_t>(cells.size()));
  if (mark && *mark) return nested(cells, **mark);
  const ColumnPtr typed = expected ? declared_column(cells, *expected) : nullptr;
  if (!typed) return plain_column(cells);
  const Type& type = typed->type();
  if (type.id() == TypeId::string || type.id() == TypeId::binary) return typed;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].kind == SqlCell::Kind::null) continue;
    const SqlCell back = cell_of(*typed, static_cast<int64_t>(i));
    if (back.integer != cells[i].integer || back.real != cells[i].real ||
        back.bytes != cells[i].bytes)
      return plain_column(cells);
  }
  return typed;
}

ColumnPtr SqlTypes::column_of(sqlite3_value* value) const {
  const std::vector<SqlCell> cell{read_cell(value)};
  const unsigned subtype = sqlite3_value_subtype(value);
  if (subtype > 0 && subtype < types_.size()) return column_of(cell, types_[subtype]);
  const bool small = cell[0].kind == SqlCell::Kind::integer &&
                     cell[0].integer == static_cast<int32_t>(cell[0].integer);
  return column_of(cell, small ? std::optional(Type::integer()) : std::nullopt);
}

ColumnPtr column_as_text(const ColumnPtr& column, const TimeZone& zone) {
  StringBuilder builder(Type::string());
  std::string text;
  for (int64_t row = 0; row < column->size(); ++row) {
    if (column->is_null(row)) {
      builder.append_null();
      continue;
    }
    text.clear();
    append_text(*column, row, zone, text);
    builder.append(text);
  }
  return builder.finish();
}

}  // namespace flowrun
