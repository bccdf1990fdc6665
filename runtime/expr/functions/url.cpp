// URLs: taken apart as java.net.URI does, and percent-encoding.
#include <algorithm>

#include "runtime/expr/functions/functions.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/utf8.h"

namespace flowrun {

namespace {

using Text = std::string_view;

// The parts of a URI; an absent one is null. Text that is no URI has none.
struct Uri {
  std::optional<Text> scheme;
  std::optional<Text> authority;
  std::optional<Text> path;
  std::optional<Text> query;
  std::optional<Text> fragment;
  bool opaque = false;  // mailto:someone
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Letters, digits, marks, `extra`, escapes, and what is beyond ASCII.
bool is_uri_text(Text text, Text extra) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
    } else if (!is_letter(c) && !is_digit(c) && Text("_-!.~'()*").find(c) == Text::npos &&
               extra.find(c) == Text::npos && static_cast<signed char>(c) >= 0) {
      return false;
    }
  }
  return true;
}

constexpr Text kPathCharacters = ",;:$&+=@/";
constexpr Text kAnyCharacters = ",;:$&+=@/?[]";

bool is_scheme(Text text) {
  return !text.empty() && is_letter(text[0]) && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || Text("+-.").find(c) != Text::npos;
  });
}

std::optional<Uri> parse_uri(Text text) {
  Uri uri;
  if (const size_t hash = text.find('#'); hash != Text::npos) {
    uri.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
    if (!is_uri_text(*uri.fragment, kAnyCharacters)) return std::nullopt;
  }
  const size_t colon = text.find_first_of(":/?");
  if (colon != Text::npos && text[colon] == ':') {
    uri.scheme = text.substr(0, colon);
    if (!is_scheme(*uri.scheme)) return std::nullopt;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;
    if (text[0] != '/') {
      uri.opaque = true;
      return is_uri_text(text, kAnyCharacters) ? std::optional(uri) : std::nullopt;
    }
  }
  if (const size_t mark = text.find('?'); mark != Text::npos) {
    uri.query = text.substr(mark + 1);
    text = text.substr(0, mark);
    if (!is_uri_text(*uri.query, kAnyCharacters)) return std::nullopt;
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const size_t slash = std::min(text.find('/'), text.size());
    if (slash > 0) uri.authority = text.substr(0, slash);
    if (slash == 0 && text.empty()) return std::nullopt;
    text.remove_prefix(slash);
    if (uri.authority && !is_uri_text(*uri.authority, "$,;:@&=+[]")) return std::nullopt;
  }
  if (!is_uri_text(text, kPathCharacters)) return std::nullopt;
  uri.path = text;
  return uri;
}

// user@host:port; nothing where the authority has another form, as names of registries may.
struct Server {
  std::optional<Text> user;
  Text host;
};

bool is_host(Text host) {
  if (host.starts_with('[')) return host.ends_with(']');
  return !host.empty() && host.front() != '-' && host.back() != '-' &&
         std::all_of(host.begin(), host.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.'; });
}

std::optional<Server> parse_server(Text authority) {
  Server server;
  if (const size_t at = authority.find('@'); at != Text::npos) {
    server.user = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  size_t end = authority.size();
  if (authority.starts_with('[')) {
    const size_t bracket = authority.find(']');
    if (bracket == Text::npos) return std::nullopt;
    end = bracket + 1;
  } else {
    end = std::min(authority.find(':'), authority.size());
  }
  server.host = authority.substr(0, end);
  Text port = authority.substr(end);
  if (port.starts_with(':')) port.remove_prefix(1);
  if (!is_host(server.host) || !std::all_of(port.begin(), port.end(), is_digit))
    return std::nullopt;
  return server;
}

std::optional<Text> query_value(Text query, Text key) {
  while (true) {
    const size_t end = std::min(query.find('&'), query.size());
    const Text pair = query.substr(0, end);
    if (pair.size() > key.size() && pair.starts_with(key) && pair[key.size()] == '=')
      return pair.substr(key.size() + 1);
    if (end == query.size()) return std::nullopt;
    query.remove_prefix(end + 1);
  }
}

bool append_part(Text url, Text part, std::string& out) {
  const auto uri = parse_uri(url);
  if (!uri) return false;
  const auto append = [&out](std::optional<Text> text) {
    if (text) out += *text;
    return text.has_value();
  };
  if (part == "PROTOCOL") return append(uri->scheme);
  if (part == "REF") return append(uri->fragment);
  if (uri->opaque) return false;
  if (part == "PATH") return append(uri->path);
  if (part == "QUERY") return append(uri->query);
  if (part == "AUTHORITY") return append(uri->authority);
  if (part == "FILE") {
    append(uri->path);
    if (uri->query) out += "?" + std::string(*uri->query);
    return true;
  }
  const auto server = uri->authority ? parse_server(*uri->authority) : std::nullopt;
  if (!server) return false;
  if (part == "HOST") return append(server->host);
  return part == "USERINFO" && append(server->user);
}

bool append_query_value(Text url, Text part, Text key, std::string& out) {
  if (part != "QUERY") return false;
  const auto uri = parse_uri(url);
  if (!uri || uri->opaque || !uri->query) return false;
  const auto value = query_value(*uri->query, key);
  if (value) out += *value;
  return value.has_value();
}

// application/x-www-form-urlencoded.
void encode(Text text, std::string& out) {
  std::string repaired;
  append_replacing_invalid_utf8(text, repaired);
  for (const char c : repaired) {
    if (is_letter(c) || is_digit(c) || Text(".-*_").find(c) != Text::npos) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += "0123456789ABCDEF"[byte >> 4];
      out += "0123456789ABCDEF"[byte & 15];
    }
  }
}

int hex_value(char c) { return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10; }

// False for a % without two digits.
bool decode_bytes(Text text, std::string& out) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      bytes += static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
      i += 2;
    } else {
      bytes += text[i] == '+' ? ' ' : text[i];
    }
  }
  append_replacing_invalid_utf8(bytes, out);
  return true;
}

Status decode(Text text, std::string& out) {
  if (decode_bytes(text, out)) return {};
  return Error::data("`" + std::string(text) +
                     "` is no encoded URL: a % lacks its two hexadecimal digits");
}

}  // namespace

void register_url_functions(FunctionRegistry& registry) {
  for (const char* name : {"parse_url", "try_parse_url"}) {
    registry.add(overloads(name,
                           std::string(name) + "(url, part[, key]): PROTOCOL, AUTHORITY, USERINFO, "
                                               "HOST, PATH, QUERY, FILE or REF.",
                           {scalar<std::string(Text, Text)>("", "", append_part),
                            scalar<std::string(Text, Text, Text)>("", "", append_query_value)})
                     .without_casts({Type::string(), Type::string(), Type::string()}));
  }
  registry.add(scalar<std::string(Text)>(
      "url_encode", "url_encode(text): percent-encoded, as forms are.", encode));
  registry.add(scalar<std::string(Text)>(
                   "url_decode", "url_decode(text): the text that was percent-encoded.", decode)
                   .may_fail());
  registry.add(scalar<std::string(Text)>(
      "try_url_decode", "try_url_decode(text): as url_decode; null where it would fail.",
      decode_bytes));
}

}  // namespace flowrun
