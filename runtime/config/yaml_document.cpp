#include "runtime/config/yaml_document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

#include "runtime/base/suggest.h"
#include "runtime/config/document_builder.h"

namespace flowrun {

namespace {

// Leaves the parser when a limit is passed.
struct Stopped {};

class Events final : public YAML::EventHandler {
 public:
  Events(const LineIndex& lines, DocumentBuilder& builder) : lines_(lines), builder_(builder) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    builder_.null(offset(mark), anchor);
    stop_on_failure();
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    builder_.alias(offset(mark), anchor);
    stop_on_failure();
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    builder_.scalar(offset(mark), tag, anchor, value);
    stop_on_failure();
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    builder_.begin_list(offset(mark), tag, anchor);
    stop_on_failure();
  }
  void OnSequenceEnd() override { builder_.end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    builder_.begin_map(offset(mark), tag, anchor);
    stop_on_failure();
  }
  void OnMapEnd() override { builder_.end(); }

 private:
  [[nodiscard]] size_t offset(const YAML::Mark& mark) const {
    return lines_.offset_of(mark.line + 1, mark.column + 1);
  }
  void stop_on_failure() const {
    if (builder_.failure()) throw Stopped{};
  }

  const LineIndex& lines_;
  DocumentBuilder& builder_;
};

// Thrown where a second document begins.
struct AnotherDocument {
  YAML::Mark mark;
};

// A handler for what must not be there.
class Ignored final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { throw AnotherDocument{mark}; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// What the parser's words mean to a person who writes pipelines.
std::string explain(const std::string& message) {
  struct Explanation {
    std::string_view words;
    std::string_view meaning;
  };
  constexpr Explanation kExplanations[] = {
      {"end of map not found",
       "this does not belong to the mapping before it — check the indentation, and that a key ends "
       "in `: `"},
      {"end of sequence not found",
       "this does not belong to the list before it — check the indentation and the `- `"},
      {"end of map flow not found", "a `{` is not closed — write `}`, and a comma between entries"},
      {"end of sequence flow not found",
       "a `[` is not closed — write `]`, and a comma between items"},
      {"illegal tab when looking for indentation", "a tab in the indentation — indent with spaces"},
      {"illegal map value", "a `: ` where no key can stand — put the text in quotes"},
      {"illegal map key", "a key where none can stand — check the indentation"},
      {"illegal block entry", "a `- ` where no list can stand — check the indentation"},
      {"illegal flow end",
       "a `]` or `}` that closes nothing — remove it, or put the text in quotes"},
      {"illegal EOF in scalar", "a quote is not closed — write the closing quote"},
      {"illegal document indicator in scalar",
       "a quote is not closed before `---` — write the closing quote"},
      {"the referenced anchor is not defined",
       "an alias `*name` without its anchor — write `&name` before it, or put the text in quotes"},
      {"alias not found after *", "a `*` begins an alias — put the text in quotes: `'*'`"},
      {"anchor not found after &", "a `&` begins an anchor — put the text in quotes"},
      {"unknown token", "this character cannot begin a text — put the text in quotes"},
      {"unknown escape character",
       "an escape that YAML does not know — double the backslash, or use single quotes"},
      {"illegal character in scalar",
       "a character that cannot stand here — put the text in quotes"},
  };
  for (const Explanation& explanation : kExplanations) {
    if (message.starts_with(explanation.words)) return std::string(explanation.meaning);
  }
  return "this is no YAML: " + message + " — check the indentation, colons and quotes";
}

// What is wrong where a `: ` stands that the parser cannot use: most often something before it.
std::string explain_colon(std::string_view text, size_t colon) {
  const auto line_before = [&](size_t at) {
    const size_t end = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    return end == std::string_view::npos ? size_t{0} : end + 1;
  };
  const size_t line = line_before(colon);
  const std::string_view head = text.substr(line, colon - line);
  const size_t first = std::min(head.find_first_not_of(" \t"), head.size());
  if (head.substr(0, first).find('\t') != std::string_view::npos)
    return "a tab in the indentation — indent with spaces";
  if (head.find(": ") != std::string_view::npos)
    return "a second `: ` on one line — write `{ key: value }`, or put the text in quotes";
  if (line > 0 && first > 0) {
    const size_t start = line_before(line - 1);
    const std::string_view above = text.substr(start, line - 1 - start);
    const size_t word = above.find_first_not_of(" -");
    if (word != std::string_view::npos && word < first &&
        above.find_first_of(" :#\"'{[", word) == std::string_view::npos)
      return fmt::format("a key without its colon above — write `{}:`", above.substr(word));
  }
  return "a `: ` where no key can stand — put the text in quotes";
}

// Directives are checked here because the parser takes unknown ones in silence.
bool check_directives(const std::string& text, const std::shared_ptr<const std::string>& file,
                      Diagnostics& diagnostics) {
  std::istringstream lines(text);
  int32_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    if (line[0] != '%') return true;
    if (line.starts_with("%YAML 1.")) continue;
    diagnostics.push_back({Diagnostic::Severity::error,
                           "the directive " +
                               back_quoted(line.substr(0, std::min(line.find(' '), size_t{20}))) +
                               " means nothing here — remove the line",
                           "",
                           {file, number, 1, static_cast<int32_t>(line.size())}});
    return false;
  }
  return true;
}

// What the parser takes for a document of its own may also be a line that fits nowhere.
std::string explain_rest(const std::string& text, size_t offset) {
  const bool marked =
      std::string_view(text).substr(offset).starts_with("---") ||
      std::string_view(text).substr(0, offset).find("\n...") != std::string_view::npos;
  return marked ? "a second document — a pipeline file holds one"
                : "this does not belong to what stands before it — check the indentation";
}

}  // namespace

RawValue read_yaml(const std::string& text, const std::shared_ptr<const std::string>& file,
                   Diagnostics& diagnostics, const YamlLimits& limits) {
  const auto report = [&](std::string message, Position position) {
    diagnostics.push_back(
        {Diagnostic::Severity::error, std::move(message), "", std::move(position)});
  };
  if (!check_directives(text, file, diagnostics)) return {};
  const LineIndex lines(text);
  DocumentBuilder builder(lines, file, limits, diagnostics);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    Events events(lines, builder);
    if (!parser.HandleNextDocument(events)) return {};
    Ignored rest;
    parser.HandleNextDocument(rest);
  } catch (const Stopped&) {
    report(builder.failure()->message, builder.failure()->position);
    return {};
  } catch (const AnotherDocument& rest) {
    const size_t offset = lines.offset_of(rest.mark.line + 1, rest.mark.column + 1);
    const TextMark mark = lines.mark_at(offset);
    report(explain_rest(text, offset), {file, mark.line, mark.column, 0});
  } catch (const YAML::Exception& error) {
    const TextMark mark =
        lines.mark_at(lines.offset_of(error.mark.line + 1, error.mark.column + 1));
    const bool colon = error.msg.starts_with("illegal map value");
    report(
        colon ? explain_colon(text, lines.offset_of(mark.line, mark.column)) : explain(error.msg),
        {file, mark.line, mark.column, 0});
    return {};
  } catch (const std::exception& error) {
    report("this is no YAML: " + std::string(error.what()), {file, 1, 1, 0});
    return {};
  }
  return builder.take();
}

}  // namespace flowrun
