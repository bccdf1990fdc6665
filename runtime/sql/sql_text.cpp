#include "runtime/sql/sql_text.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "runtime/columnar/type.h"

namespace flowrun {

namespace {

bool starts_name(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0;
}
bool in_name(char c) {
  return starts_name(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '$';
}

// Words of SQLite that no SELECT needs, so that columns may have them as names without quotes.
bool is_name_in_spark(std::string_view word) {
  static constexpr std::array<std::string_view, 22> kWords = {
      "add",     "alter",   "autoincrement", "check",   "commit", "constraint",
      "create",  "default", "deferrable",    "delete",  "drop",   "foreign",
      "index",   "insert",  "into",          "nothing", "table",  "to",
      "primary", "unique",  "update",        "set"};
  return std::ranges::count(kWords, word) > 0;
}

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

// A name without the quotes around it.
std::string plain_name(std::string_view token, StatementToken::Kind kind) {
  if (kind != StatementToken::Kind::quoted_name) return std::string(token);
  const char quote = token.back();
  std::string name;
  for (size_t i = 1; i + 1 < token.size(); ++i) {
    name += token[i];
    if (token[i] == quote) ++i;
  }
  return name;
}

Result<size_t> end_of_quotes(std::string_view statement, size_t begin) {
  const char quote = statement[begin];
  for (size_t i = begin + 1; i < statement.size(); ++i) {
    if (statement[i] == '\\' && quote != '`') {
      ++i;
    } else if (statement[i] == quote) {
      if (i + 1 == statement.size() || statement[i + 1] != quote) return i + 1;
      ++i;
    }
  }
  return Error::invalid("a quote is not closed").at_offset(begin);
}

Result<size_t> end_of_space(std::string_view statement, size_t at) {
  while (at < statement.size()) {
    if (std::isspace(static_cast<unsigned char>(statement[at])) != 0) {
      ++at;
    } else if (statement.substr(at, 2) == "--") {
      at = std::min(statement.find('\n', at), statement.size());
    } else if (statement.substr(at, 2) == "/*") {
      const size_t end = statement.find("*/", at + 2);
      if (end == std::string_view::npos)
        return Error::invalid("a comment is not closed").at_offset(at);
      at = end + 2;
    } else {
      break;
    }
  }
  return at;
}

size_t end_of_number(std::string_view statement, size_t at) {
  while (at < statement.size()) {
    const char c = statement[at];
    const bool exponent_sign =
        (c == '+' || c == '-') && (statement[at - 1] == 'e' || statement[at - 1] == 'E');
    if (!in_name(c) && c != '.' && !exponent_sign) break;
    ++at;
  }
  return at;
}

size_t end_of_sign(std::string_view statement, size_t at) {
  for (const std::string_view sign :
       {"<=>", "->>", "||", "<<", ">>", "<=", ">=", "<>", "!=", "==", "->"}) {
    if (statement.substr(at, sign.size()) == sign) return at + sign.size();
  }
  return at + 1;
}

}  // namespace

Result<std::vector<StatementToken>> sql_tokens(std::string_view statement) {
  std::vector<StatementToken> tokens;
  size_t at = 0;
  while (true) {
    FLOWRUN_TRY(at, end_of_space(statement, at));
    if (at >= statement.size()) return tokens;
    StatementToken token;
    token.begin = at;
    const char c = statement[at];
    const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    const bool fraction = c == '.' && at + 1 < statement.size() &&
                          std::isdigit(static_cast<unsigned char>(statement[at + 1])) != 0 &&
                          (tokens.empty() || tokens.back().end != at ||
                           tokens.back().kind == StatementToken::Kind::sign);
    if (c == '\'' || c == '"' || c == '`') {
      token.kind = c == '`' ? StatementToken::Kind::quoted_name : StatementToken::Kind::text;
      FLOWRUN_TRY(at, end_of_quotes(statement, at));
    } else if (starts_name(c)) {
      token.kind = StatementToken::Kind::word;
      while (at < statement.size() && in_name(statement[at])) ++at;
    } else if (digit || fraction) {
      token.kind = StatementToken::Kind::number;
      at = end_of_number(statement, at + 1);
    } else {
      at = end_of_sign(statement, at);
    }
    token.end = at;
    tokens.push_back(token);
  }
}

namespace {

// Writes the pieces of a statement, token by token.
class Rewriting : TokenReader {
 public:
  Rewriting(std::string_view statement, std::vector<StatementToken> tokens,
            const SqlText::Names& names)
      : TokenReader(statement, std::move(tokens)), names_(names), out_(tokens_.size()) {
    for (size_t i = 0; i < tokens_.size(); ++i) out_[i] = word(i);
  }

  Status run() {
    for (size_t i = 0; i < tokens_.size(); ++i) {
      FLOWRUN_RETURN_IF_ERROR(rewrite(i));
    }
    return ok_status();
  }

  std::vector<std::string>& out() { return out_; }
  [[nodiscard]] const std::vector<StatementToken>& tokens() const { return tokens_; }
  std::vector<std::string> functions;

 private:
  Status rewrite(size_t i) {
    const StatementToken& token = tokens_[i];
    switch (token.kind) {
      case StatementToken::Kind::text:
        return text(i, i);
      case StatementToken::Kind::word:
        return name(i);
      case StatementToken::Kind::quoted_name:
        out_[i] = quoted(plain_name(word(i), token.kind), '"');
        return ok_status();
      case StatementToken::Kind::sign:
        return sign(i);
      case StatementToken::Kind::number:
        return ok_status();
    }
    return ok_status();
  }

  // Tokens first to last are a literal of Spark.
  Status text(size_t first, size_t last) {
    const std::string_view written =
        statement_.substr(tokens_[first].begin, tokens_[last].end - tokens_[first].begin);
    const bool blob = first > 0 && names_equal(word(first - 1), "x") &&
                      tokens_[first - 1].end == tokens_[first].begin;
    if (blob) return ok_status();
    if (first == last && written[0] == '\'' && written.find('\\') == std::string_view::npos)
      return ok_status();
    Result<std::string> value = names_.literal(written);
    if (!value) return std::move(value.error()).at_offset(tokens_[first].begin);
    out_[first] = quoted(*value, '\'');
    for (size_t i = first + 1; i <= last; ++i) out_[i].clear();
    return ok_status();
  }

  // Words that SQLite reads itself with a parenthesis behind them, though there are functions of
  // these names: x in (1, 2), a and (b or c), sum(x) filter (where y).
  [[nodiscard]] bool is_operator(size_t i) const {
    static constexpr std::array<std::string_view, 7> kWords = {"and",     "or",     "not", "in",
                                                               "between", "exists", "like"};
    return std::ranges::count(kWords, lower_name(word(i))) > 0 ||
           (is_word(i, "filter") && is_word(i + 2, "where"));
  }

  Status name(size_t i) {
    const bool after_dot = i > 0 && word(i - 1) == ".";
    const bool called = word(i + 1) == "(";
    const std::string lower = lower_name(word(i));
    if (after_dot) return ok_status();
    const bool typed = lower == "timestamp" || lower == "date" || lower == "timestamp_ntz" ||
                       lower == "timestamp_ltz";
    if (typed && i + 1 < tokens_.size() && tokens_[i + 1].kind == StatementToken::Kind::text) {
      FLOWRUN_RETURN_IF_ERROR(text(i, i + 1));
      tokens_[i + 1].kind = StatementToken::Kind::number;  // it is done with
      return ok_status();
    }
    if (called && (lower == "cast" || lower == "try_cast")) return cast(i, lower);
    if (called && !is_operator(i) && names_.function(lower)) {
      functions.push_back(lower);
      out_[i] = quoted(lower, '"');
    } else if (lower == "rlike") {
      out_[i] = "regexp";
      functions.emplace_back("rlike");
    } else if (lower == "like") {
      functions.emplace_back("like");
    } else if (is_name_in_spark(lower)) {
      out_[i] = quoted(word(i), '"');
    }
    return ok_status();
  }

  // cast(x as decimal(10, 2)) -> flowrun_cast(x, 'decimal(10, 2)')
  Status cast(size_t i, const std::string& lower) {
    size_t depth = 0;
    size_t as = 0;
    for (size_t j = i + 1; j < tokens_.size(); ++j) {
      if (word(j) == "(") ++depth;
      if (depth == 1 && is_word(j, "as")) as = j;
      if (word(j) == ")" && --depth == 0) {
        if (as == 0 || as + 1 >= j) break;
        const std::string_view type =
            statement_.substr(tokens_[as + 1].begin, tokens_[j - 1].end - tokens_[as + 1].begin);
        if (const auto known = parse_type(type); !known)
          return Error(known.error()).at_offset(tokens_[as + 1].begin);
        out_[i] = "flowrun_" + lower;
        functions.push_back(lower);
        out_[as] = ", " + quoted(type, '\'');
        for (size_t k = as + 1; k < j; ++k) {
          out_[k].clear();
          tokens_[k].kind = StatementToken::Kind::number;
        }
        return ok_status();
      }
    }
    return ok_status();
  }

  Status sign(size_t i) {
    if (word(i) == "/") out_[i] = "*1.0/";
    if (word(i) == "<=>") out_[i] = " is ";
    if (word(i) == "[") {
      return Error::invalid("`[` is not known here — element_at(list, 1) is the first element")
          .at_offset(tokens_[i].begin);
    }
    if (word(i) == ";") {
      return Error::invalid("one statement at a time — leave out what follows `;`")
          .at_offset(tokens_[i].begin);
    }
    return ok_status();
  }

  const SqlText::Names& names_;
  std::vector<std::string> out_;
};

}  // namespace

Result<SqlText> SqlText::make(std::string_view statement, const Names& names, const Edits& edits) {
  SqlText sql;
  FLOWRUN_TRY(std::vector<StatementToken> tokens, sql_tokens(statement));
  while (!tokens.empty() && tokens.back().in(statement) == ";") tokens.pop_back();
  if (tokens.empty()) return Error::invalid("there is no statement — write `select ...`");
  sql.statement_ = statement.substr(0, tokens.back().end);
  const std::vector<StatementToken> read = tokens;
  Rewriting rewriting(sql.statement_, std::move(tokens), names);
  FLOWRUN_RETURN_IF_ERROR(rewriting.run());
  for (const auto& [token, text] : edits) rewriting.out()[token] = text;
  sql.functions_ = std::move(rewriting.functions);
  size_t from = 0;
  for (size_t i = 0; i < read.size(); ++i) {
    if (read[i].begin > from)
      sql.pieces_.push_back(
          {from, read[i].begin - from, sql.statement_.substr(from, read[i].begin - from)});
    const bool is_name = read[i].kind == StatementToken::Kind::word ||
                         read[i].kind == StatementToken::Kind::quoted_name;
    const bool goes_on = i >= 2 && read[i - 1].in(statement) == "." && !sql.chains_.empty() &&
                         sql.chains_.back().end == read[i - 1].begin;
    if (is_name && goes_on) {
      Chain& chain = sql.chains_.back();
      chain.names.push_back(plain_name(read[i].in(statement), read[i].kind));
      chain.end = read[i].end;
      chain.last_piece = sql.pieces_.size();
    } else if (is_name) {
      sql.chains_.push_back({{plain_name(read[i].in(statement), read[i].kind)},
                             read[i].begin,
                             read[i].end,
                             sql.pieces_.size(),
                             sql.pieces_.size()});
    }
    sql.pieces_.push_back(
        {read[i].begin, read[i].end - read[i].begin, std::move(rewriting.out()[i])});
    from = read[i].end;
  }
  std::erase_if(sql.chains_, [](const Chain& chain) { return chain.names.size() < 2; });
  // SQLite knows database.table.column at most.
  constexpr size_t kMostOfSqlite = 3;
  for (size_t i = 0; i < sql.chains_.size(); ++i) {
    if (sql.chains_[i].names.size() <= kMostOfSqlite) continue;
    std::string dotted;
    for (const std::string& name : sql.chains_[i].names)
      dotted += (dotted.empty() ? "" : ".") + name;
    sql.read_as_path(dotted, names);
  }
  sql.join();
  return sql;
}

bool SqlText::read_as_path(std::string_view names_with_dots, const Names& names) {
  bool found = false;
  for (Chain& chain : chains_) {
    std::string dotted;
    for (const std::string& name : chain.names) dotted += (dotted.empty() ? "" : ".") + name;
    if (!names_equal(dotted, names_with_dots)) continue;
    std::string column = names.path(chain.names);
    std::string table;
    if (column.empty()) {
      column = names.path({chain.names.begin() + 1, chain.names.end()});
      table = quoted(chain.names.front(), '"') + ".";
    }
    if (column.empty()) continue;
    found = true;
    for (size_t piece = chain.piece; piece <= chain.last_piece; ++piece)
      pieces_[piece].text.clear();
    pieces_[chain.piece].text = table + quoted(column, '"');
    chain.names.clear();
  }
  if (found) join();
  return found;
}

void SqlText::join() {
  text_.clear();
  starts_.clear();
  for (const Piece& piece : pieces_) {
    starts_.push_back(text_.size());
    text_ += piece.text;
  }
}

size_t SqlText::original_offset(size_t offset) const {
  const auto after = std::ranges::upper_bound(starts_, offset);
  if (after == starts_.begin()) return 0;
  // Of pieces that became nothing, the one that has the text.
  auto at = static_cast<size_t>(after - starts_.begin()) - 1;
  while (at > 0 && pieces_[at].text.empty()) --at;
  const Piece& piece = pieces_[at];
  const bool same = piece.text.size() == piece.length;
  return piece.from + (same ? std::min(offset - starts_[at], piece.length) : 0);
}

std::string SqlText::original_name(std::string_view name) const {
  const size_t found = text_.find(name);
  if (found == std::string::npos) return std::string(name);
  const auto begin = std::ranges::lower_bound(starts_, found);
  if (begin == starts_.end() || *begin != found) return std::string(name);
  const size_t first = static_cast<size_t>(begin - starts_.begin());
  size_t last = first;
  while (last < pieces_.size() && starts_[last] + pieces_[last].text.size() < found + name.size())
    ++last;
  if (last == pieces_.size() || starts_[last] + pieces_[last].text.size() != found + name.size())
    return std::string(name);
  while (last + 1 < pieces_.size() && pieces_[last + 1].text.empty()) ++last;
  return statement_.substr(pieces_[first].from,
                           pieces_[last].from + pieces_[last].length - pieces_[first].from);
}

}  // namespace flowrun
