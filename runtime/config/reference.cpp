#include "runtime/config/reference.h"

#include <algorithm>
#include <sstream>

#include "runtime/operator/option_reading.h"

namespace flowrun {

namespace {

constexpr size_t kWidth = 100;
constexpr size_t kNameColumn = 2;
constexpr size_t kDocColumn = 6;

// Breaks a paragraph at blanks. Lines of the text stay apart; each is indented by `indent`.
std::string wrapped(const std::string& text, size_t indent) {
  std::string out;
  std::istringstream paragraphs(text);
  const std::string margin(indent, ' ');
  for (std::string paragraph; std::getline(paragraphs, paragraph);) {
    std::istringstream words(paragraph);
    std::string line = margin;
    for (std::string word; words >> word;) {
      const bool first = line.size() == indent;
      if (!first && line.size() + 1 + word.size() > kWidth) {
        out += line + "\n";
        line = margin;
      }
      line += (line.size() == indent ? "" : " ") + word;
    }
    out += (line == margin ? "" : line) + "\n";
  }
  return out;
}

std::string sentence(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  if (!text.empty() && text.back() != '.') text += '.';
  return text;
}

std::string shown_default(const OptionSpec& option) {
  if (option.kind != OptionKind::text) return option.default_text;
  return "\"" + option.default_text + "\"";
}

// "required", "default 10 seconds", "".
std::string presence(const OptionSpec& option) {
  if (option.required) return "required";
  return option.default_text.empty() ? "" : "default " + shown_default(option);
}

std::string companion(const OptionSpec& option) {
  if (!option.only_with) return "";
  return "With `" + option.only_with->first + ": " + option.only_with->second + "` only.";
}

bool is_connector(const OperatorSpec& spec) {
  return spec.kind == OperatorKind::source || spec.kind == OperatorKind::sink;
}

OptionSpec named_primary(const OperatorSpec& spec) {
  OptionSpec primary = spec.primary;
  primary.name = spec.name;
  primary.required = primary.default_text.empty();
  return primary;
}

std::string without_ticks(std::string text) {
  std::erase(text, '`');
  return text;
}

// The groups among what an option may be: itself, or alternatives of it.
std::vector<OptionSpec> options_inside(const OptionSpec& option) {
  if (option.kind == OptionKind::group) return option.items;
  std::vector<OptionSpec> inside;
  for (const OptionSpec& alternative : option.alternatives) {
    for (OptionSpec& found : options_inside(alternative)) inside.push_back(std::move(found));
  }
  return inside;
}

void append_option(const OptionSpec& option, std::string& out) {
  const std::string state = presence(option);
  out += std::string(kNameColumn, ' ') + option.name + ": " +
         without_ticks(describe_option(option)) + (state.empty() ? "" : " (" + state + ")") + "\n";
  std::string doc = sentence(option.doc);
  if (option.only_with) doc += (doc.empty() ? "" : " ") + companion(option);
  if (!doc.empty()) out += wrapped(doc, kDocColumn);
  for (OptionSpec& inside : options_inside(option)) {
    inside.name = option.name + "." + inside.name;
    append_option(inside, out);
  }
}

std::string cell(std::string text) {
  for (size_t i = 0; (i = text.find('|', i)) != std::string::npos; i += 2) text.insert(i, "\\");
  std::ranges::replace(text, '\n', ' ');
  return text;
}

void append_row(const OptionSpec& option, std::string& out) {
  std::string state = option.required ? "required" : "";
  if (!option.default_text.empty()) state = "`" + shown_default(option) + "`";
  std::string doc = sentence(option.doc);
  if (option.only_with) doc += (doc.empty() ? "" : " ") + companion(option);
  out += "| `" + option.name + "` | " + cell(describe_option(option)) + " | " + cell(state) +
         " | " + cell(doc) + " |\n";
  for (OptionSpec& inside : options_inside(option)) {
    inside.name = option.name + "." + inside.name;
    append_row(inside, out);
  }
}

std::string port_list(const OperatorSpec& spec) {
  std::string text;
  for (const std::string& port : spec.ports) text += (text.empty() ? "`." : ", `.") + port + "`";
  return text;
}

std::string input_line(const OperatorSpec& spec) {
  switch (spec.inputs) {
    case InputShape::none:
      return "";
    case InputShape::one:
      return "from: a node, or a list of nodes (their union)";
    case InputShape::sides:
      return "from: { left: NODE, right: NODE }";
  }
  return "";
}

}  // namespace

std::string_view operator_kind_name(OperatorKind kind) {
  switch (kind) {
    case OperatorKind::source:
      return "source";
    case OperatorKind::transform:
      return "transform";
    case OperatorKind::stateful:
      return "stateful";
    case OperatorKind::sink:
      return "sink";
  }
  return "";
}

std::string operator_list(const Registry& registry) {
  std::string out;
  for (const OperatorKind kind : {OperatorKind::source, OperatorKind::transform,
                                  OperatorKind::stateful, OperatorKind::sink}) {
    size_t widest = 0;
    for (const RegisteredOperator* entry : registry.all())
      widest = std::max(widest, entry->spec.name.size());
    out += (out.empty() ? "" : "\n") + std::string(operator_kind_name(kind)) + "\n";
    for (const RegisteredOperator* entry : registry.all()) {
      if (entry->spec.kind != kind) continue;
      out += "  " + entry->spec.name + std::string(widest - entry->spec.name.size() + 2, ' ') +
             entry->spec.summary + "\n";
    }
  }
  return out;
}

std::string operator_reference(const OperatorSpec& spec) {
  std::string out =
      spec.name + " (" + std::string(operator_kind_name(spec.kind)) + "): " + spec.summary + "\n";
  if (!spec.doc.empty()) out += "\n" + wrapped(spec.doc, 0);
  out += "\n";
  if (!input_line(spec).empty()) out += std::string(kNameColumn, ' ') + input_line(spec) + "\n";
  if (is_connector(spec)) {
    out += std::string(kNameColumn, ' ') + std::string(operator_kind_name(spec.kind)) + ": " +
           spec.name + "\n";
  } else {
    append_option(named_primary(spec), out);
  }
  for (const OptionSpec& option : all_options(spec)) append_option(option, out);
  if (!spec.ports.empty())
    out += "\nports beside the rows: " + without_ticks(port_list(spec)) + "\n";
  for (const Example& example : spec.examples) out += "\n# " + example.title + "\n" + example.yaml;
  return out;
}

std::string format_reference(const RegisteredFormat& format) {
  const OperatorSpec& spec = format.spec;
  std::string out = spec.name + " (format): " + spec.summary + "\n";
  if (!spec.doc.empty()) out += "\n" + wrapped(spec.doc, 0);
  out += "\n";
  const std::string indent(kNameColumn, ' ');
  if (format.make)
    out += indent + "parse: " + spec.name + ", or format: " + spec.name +
           " of the source file and of tables\n";
  if (format.make_text) out += indent + "format: " + spec.name + " of sinks that write text\n";
  for (const OptionSpec& option : spec.options) append_option(option, out);
  for (const Example& example : spec.examples) out += "\n# " + example.title + "\n" + example.yaml;
  return out;
}

std::string operator_page(const OperatorSpec& spec) {
  std::string out = "# " + spec.name + "\n\n" + sentence(spec.summary) + "\n\n";
  out += "Kind: " + std::string(operator_kind_name(spec.kind)) + ".";
  if (!input_line(spec).empty()) out += " `" + input_line(spec) + "`.";
  if (!spec.ports.empty()) out += " Ports beside the rows: " + port_list(spec) + ".";
  out += "\n";
  if (!spec.doc.empty()) out += "\n" + spec.doc + (spec.doc.ends_with('\n') ? "" : "\n");
  out += "\n| option | takes | default | meaning |\n|---|---|---|---|\n";
  if (!is_connector(spec)) append_row(named_primary(spec), out);
  for (const OptionSpec& option : all_options(spec)) append_row(option, out);
  for (const Example& example : spec.examples) {
    out += "\n## " + example.title + "\n\n```yaml\n" + example.yaml +
           (example.yaml.ends_with('\n') ? "" : "\n") + "```\n";
  }
  return out;
}

std::string example_pipeline(const Example& example) {
  std::istringstream lines(example.yaml);
  std::string body;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("nodes:") || line.starts_with("chain:")) return example.yaml;
    body += (line.empty() ? "" : "  " + line) + "\n";
  }
  return "nodes:\n" + body;
}

}  // namespace flowrun
