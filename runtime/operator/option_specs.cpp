#include "runtime/operator/option_specs.h"

#include <utility>

namespace flowrun {

OptionSpec OptionSpec::with_default(std::string value) const {
  OptionSpec spec = *this;
  spec.default_text = std::move(value);
  return spec;
}

OptionSpec OptionSpec::between(int64_t lowest, int64_t highest) const {
  OptionSpec spec = at_least(lowest);
  spec.most = highest;
  return spec;
}

OptionSpec OptionSpec::at_least(int64_t lowest) const {
  OptionSpec spec = *this;
  spec.least = lowest;
  return spec;
}

OptionSpec OptionSpec::naming(NameRole what) const {
  OptionSpec spec = *this;
  spec.role = what;
  return spec;
}

OptionSpec OptionSpec::when(std::string option, std::string value) const {
  OptionSpec spec = *this;
  spec.only_with.emplace(std::move(option), std::move(value));
  return spec;
}

namespace option {

namespace {

OptionSpec make(OptionKind kind, std::string name, std::string doc) {
  OptionSpec spec;
  spec.kind = kind;
  spec.name = std::move(name);
  spec.doc = std::move(doc);
  return spec;
}

OptionSpec make_container(OptionKind kind, OptionSpec item, std::string name, std::string doc) {
  OptionSpec spec = make(kind, std::move(name), std::move(doc));
  spec.items.push_back(std::move(item));
  return spec;
}

}  // namespace

OptionSpec text(std::string name, std::string doc) {
  return make(OptionKind::text, std::move(name), std::move(doc));
}

OptionSpec word(std::string name, std::vector<std::string> words, std::string doc) {
  OptionSpec spec = make(OptionKind::word, std::move(name), std::move(doc));
  spec.words = std::move(words);
  return spec;
}

OptionSpec integer(std::string name, std::string doc) {
  return make(OptionKind::integer, std::move(name), std::move(doc));
}

OptionSpec number(std::string name, std::string doc) {
  return make(OptionKind::number, std::move(name), std::move(doc));
}

OptionSpec boolean(std::string name, std::string doc) {
  return make(OptionKind::boolean, std::move(name), std::move(doc));
}

OptionSpec duration(std::string name, std::string doc) {
  return make(OptionKind::duration, std::move(name), std::move(doc)).at_least(0);
}

OptionSpec bytes(std::string name, std::string doc) {
  return make(OptionKind::bytes, std::move(name), std::move(doc)).at_least(0);
}

OptionSpec rows(std::string name, std::string doc) {
  return make(OptionKind::rows, std::move(name), std::move(doc));
}

OptionSpec path(std::string name, std::string doc) {
  return make(OptionKind::path, std::move(name), std::move(doc));
}

OptionSpec expression(std::string name, std::string doc) {
  return make(OptionKind::expression, std::move(name), std::move(doc));
}

OptionSpec column(std::string name, std::string doc) {
  return make(OptionKind::column, std::move(name), std::move(doc));
}

OptionSpec data_type(std::string name, std::string doc) {
  return make(OptionKind::data_type, std::move(name), std::move(doc));
}

OptionSpec schema(std::string name, std::string doc) {
  return make(OptionKind::schema, std::move(name), std::move(doc));
}

OptionSpec any_scalar(std::string name, std::string doc) {
  return make(OptionKind::any_scalar, std::move(name), std::move(doc));
}

OptionSpec list_of(OptionSpec item) {
  std::string name = item.name;
  std::string doc = item.doc;
  return list_of(std::move(item), std::move(name), std::move(doc));
}

OptionSpec list_of(OptionSpec item, std::string name, std::string doc) {
  return make_container(OptionKind::list, std::move(item), std::move(name), std::move(doc));
}

OptionSpec map_of(OptionSpec item) {
  std::string name = item.name;
  std::string doc = item.doc;
  return map_of(std::move(item), std::move(name), std::move(doc));
}

OptionSpec map_of(OptionSpec item, std::string name, std::string doc) {
  return make_container(OptionKind::map, std::move(item), std::move(name), std::move(doc));
}

OptionSpec group(std::string name, std::string doc, std::vector<OptionSpec> options) {
  OptionSpec spec = make(OptionKind::group, std::move(name), std::move(doc));
  spec.items = std::move(options);
  return spec;
}

OptionSpec one_of(std::string name, std::string doc, std::vector<OptionSpec> alternatives) {
  OptionSpec spec = make(OptionKind::one_of, std::move(name), std::move(doc));
  spec.alternatives = std::move(alternatives);
  return spec;
}

OptionSpec required(OptionSpec spec) {
  spec.required = true;
  return spec;
}

OptionSpec secret(OptionSpec spec) {
  spec.secret = true;
  return spec;
}

std::vector<OptionSpec> together(std::initializer_list<std::vector<OptionSpec>> lists) {
  std::vector<OptionSpec> all;
  for (const std::vector<OptionSpec>& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

}  // namespace option

}  // namespace flowrun
