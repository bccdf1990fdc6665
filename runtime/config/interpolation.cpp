#include "runtime/config/interpolation.h"

#include <cstdlib>
#include <filesystem>

#include "runtime/config/document.h"

namespace flowrun {

namespace {

constexpr size_t kLargestFile = size_t{1} << 20;

std::optional<std::string> variable(const std::string& name, const LoadOptions& options) {
  if (options.environment) return options.environment(name);
  // A host that changes its environment while it loads a pipeline passes `environment`.
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
  return value ? std::optional<std::string>(value) : std::nullopt;
}

// X or X:-default.
Result<std::string> from_environment(std::string_view body, const LoadOptions& options) {
  const size_t split = body.find(":-");
  const std::string name(body.substr(0, split));
  if (name.empty()) return Error::invalid("a variable's name is missing — write `${env:NAME}`");
  std::optional<std::string> value = variable(name, options);
  const bool has_default = split != std::string_view::npos;
  if (has_default && (!value || value->empty())) return std::string(body.substr(split + 2));
  if (!value) {
    return Error::invalid("the environment variable `" + name +
                          "` is not set — set it, or write `${env:" + name + ":-default}`");
  }
  return std::move(*value);
}

Result<std::string> from_file(std::string_view body, const Position& position) {
  namespace fs = std::filesystem;
  if (body.empty()) return Error::invalid("a path is missing — write `${file:PATH}`");
  const fs::path folder = position.file ? fs::path(*position.file).parent_path() : fs::path();
  FLOWRUN_TRY(std::string text,
              read_text_file((folder / body).lexically_normal().string(), kLargestFile));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

// The next ${env: or ${file: from `start` on.
size_t find_reference(std::string_view text, size_t start) {
  return std::min(text.find("${env:", start), text.find("${file:", start));
}

Result<std::string> resolve(std::string_view reference, const RawValue& value,
                            const LoadOptions& options) {
  constexpr std::string_view kEnvironment = "${env:";
  constexpr std::string_view kFile = "${file:";
  reference.remove_suffix(1);
  if (reference.starts_with(kEnvironment))
    return from_environment(reference.substr(kEnvironment.size()), options);
  return from_file(reference.substr(kFile.size()), value.position);
}

void interpolate_scalar(RawValue& value, const LoadOptions& options, Diagnostics& diagnostics) {
  const std::string_view text = value.text;
  size_t found = find_reference(text, 0);
  if (found == std::string_view::npos) return;
  std::string result;
  size_t done = 0;
  for (; found != std::string_view::npos; found = find_reference(text, done)) {
    const size_t end = text.find('}', found);
    const bool literal = found > 0 && text[found - 1] == '$';
    result += text.substr(done, found - done - (literal ? 1 : 0));
    if (literal || end == std::string_view::npos) {
      if (!literal)
        diagnostics.push_back(make_diagnostic(
            Error::invalid("`${` without its `}` — write `${env:NAME}`").at(value.position)));
      result += text.substr(found, 2);
      done = found + 2;
      continue;
    }
    Result<std::string> replacement = resolve(text.substr(found, end + 1 - found), value, options);
    if (replacement) {
      result += *replacement;
    } else {
      diagnostics.push_back(make_diagnostic(std::move(replacement.error()).at(value.position)));
    }
    done = end + 1;
  }
  result += text.substr(done);
  value.written = value.text;
  value.text = std::move(result);
  value.interpolated = true;
  value.marks.clear();
}

}  // namespace

void interpolate(RawValue& value, const LoadOptions& options, Diagnostics& diagnostics) {
  if (value.kind == RawValue::Kind::scalar) interpolate_scalar(value, options, diagnostics);
  for (RawValue& item : value.items) interpolate(item, options, diagnostics);
}

}  // namespace flowrun
