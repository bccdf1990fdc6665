// Nodes and steps: which operator, which options, `from` as written. Chains are unrolled here.

#include <algorithm>
#include <map>

#include "runtime/base/suggest.h"
#include "runtime/config/draft.h"
#include "runtime/operator/spark_words.h"

namespace flowrun {

namespace {

using Kind = RawValue::Kind;

// What may stand beside an operator's options.
const std::vector<std::string>& engine_keys() {
  static const std::vector<std::string> kKeys = {"from", "by_name", "chain",
                                                 "id",   "doc",     "connection"};
  return kKeys;
}

std::string underscored(std::string_view word) {
  std::string text(word);
  std::ranges::replace(text, '-', '_');
  return text;
}

// Where a node stands: by itself, or as a step.
struct Place {
  std::string id;
  std::string name;
  Position position;
  bool is_step = false;
  bool first = true;  // of a chain
  bool last = true;
  bool in_top_chain = false;
};

// An operator key of a node, and what it stands for.
struct OperatorKey {
  size_t index = 0;  // in the node's keys
  std::string word;  // "source", "sink", or the operator's name
  const OperatorSpec* spec = nullptr;
};

class NodeReader {
 public:
  NodeReader(const Document& document, const Registry& registry, LoadedPlan& loaded)
      : document_(document), registry_(registry), loaded_(loaded) {
    for (const RegisteredOperator* entry : registry.all()) {
      const bool named =
          entry->spec.kind == OperatorKind::transform || entry->spec.kind == OperatorKind::stateful;
      if (named) operator_names_.push_back(entry->spec.name);
      if (entry->spec.kind == OperatorKind::source) source_names_.push_back(entry->spec.name);
      if (entry->spec.kind == OperatorKind::sink) sink_names_.push_back(entry->spec.name);
    }
    known_words_ = operator_names_;
    known_words_.insert(known_words_.end(), {"source", "sink"});
    known_words_.insert(known_words_.end(), engine_keys().begin(), engine_keys().end());
  }

  Draft read() {
    const bool has_chain = document_.chain.kind != Kind::empty;
    if (has_chain && !document_.nodes.keys.empty()) {
      report("", "`nodes` and `chain` at once — put the chain into a node of its own",
             document_.chain.position);
    }
    if (!has_chain && document_.nodes.keys.empty()) {
      report("", "no nodes — write `nodes:` and under it a source and a sink", document_.position);
    }
    for (size_t i = 0; i < document_.nodes.keys.size(); ++i) {
      read_named(document_.nodes.keys[i], document_.nodes.items[i]);
    }
    if (has_chain)
      read_chain({"", "", document_.chain.position, false, true, true, true}, document_.chain, {});
    return std::move(draft_);
  }

 private:
  void report(const std::string& node, std::string message, Position position) {
    loaded_.diagnostics.push_back(
        {Diagnostic::Severity::error, std::move(message), node, std::move(position)});
  }

  void read_named(const RawValue::Key& key, const RawValue& raw) {
    if (key.text.empty() || key.text.find('.') != std::string::npos) {
      report("",
             "a node cannot be called " + back_quoted(key.text) +
                 " — a dot separates a node from its port; use an underscore",
             key.position);
    }
    if (raw.kind != Kind::map) {
      report(key.text,
             "a node cannot be " + raw.shown() + " — write `{ from: NODE, OPERATOR: ... }`",
             key.position);
      draft_.push_back(unknown_node({key.text, key.text, key.position}));
      return;
    }
    const Place place{key.text, key.text, key.position};
    if (const RawValue* chain = raw.find("chain")) {
      read_chain_node(place, raw, *chain);
    } else {
      read_operator(place, raw);
    }
  }

  // Stands in the draft for a node that could not be read, so that what reads it is not called
  // dangling.
  static DraftNode unknown_node(const Place& place) {
    DraftNode draft;
    draft.node.id = place.id;
    draft.node.name = place.name;
    draft.node.position = place.position;
    return draft;
  }

  void read_chain_node(const Place& place, const RawValue& raw, const RawValue& chain) {
    for (const RawValue::Key& key : raw.keys) {
      const bool beside =
          key.text == "from" || key.text == "chain" || key.text == "doc" || key.text == "by_name";
      if (beside || key.text.starts_with("x-")) continue;
      const bool is_operator =
          std::ranges::find(known_words_, underscored(key.text)) != known_words_.end();
      report(place.name,
             is_operator
                 ? "`chain` and `" + key.text + "` in one node — make it a step of the chain"
                 : "unknown key `" + key.text + "` beside `chain` — move it into a step",
             key.position);
    }
    read_chain(place, chain, raw);
  }

  // `outer` has the node's `from`, `by_name` and `doc`; empty for the top-level chain.
  void read_chain(const Place& place, const RawValue& chain, const RawValue& outer) {
    if (chain.kind != Kind::list || chain.items.empty()) {
      report(place.name,
             "`chain` cannot be " + (chain.kind == Kind::list ? "an empty list" : chain.shown()) +
                 " — write a list of steps",
             chain.position);
      if (!place.in_top_chain) draft_.push_back(unknown_node(place));
      return;
    }
    std::map<std::string, int> ordinals;
    for (size_t i = 0; i < chain.items.size(); ++i) {
      const RawValue& step = chain.items[i];
      Place at{"",
               place.name,
               step.position,
               true,
               i == 0,
               i + 1 == chain.items.size(),
               place.in_top_chain};
      const std::string step_id = name_step(place.name, step, ordinals);
      at.id = at.last && !place.in_top_chain
                  ? place.name
                  : (place.name.empty() ? "" : place.name + ".") + step_id;
      if (place.in_top_chain) at.name = at.id;
      if (at.last && !place.in_top_chain) at.position = place.position;
      if (step.kind != Kind::map) {
        report(at.name, "a step cannot be " + step.shown() + " — write `- OPERATOR: ...`",
               step.position);
        draft_.push_back(unknown_node(at));
      } else {
        read_operator(at, step);
      }
      finish_step(draft_.back(), at, outer);
    }
  }

  void finish_step(DraftNode& draft, const Place& at, const RawValue& outer) {
    draft.follows_previous = !at.first;
    if (at.first && outer.kind == Kind::map) read_from(draft, outer);
    if (at.first && at.in_top_chain && draft.spec && draft.spec->kind != OperatorKind::source) {
      report(at.name,
             "the chain begins with `" + draft.spec->name +
                 "`, which reads rows — begin it with a `source`",
             draft.node.position);
    }
    if (at.last && draft.node.doc.empty()) {
      if (const RawValue* doc = outer.find("doc")) draft.node.doc = doc->text;
    }
  }

  // The step's id, or its operator and ordinal: "with_columns_1".
  std::string name_step(const std::string& node, const RawValue& step,
                        std::map<std::string, int>& ordinals) {
    std::string op = "step";
    if (step.kind == Kind::map) {
      for (const OperatorKey& key : operator_keys(step)) op = key.spec ? key.spec->name : key.word;
    }
    std::string name = op + "_" + std::to_string(++ordinals[op]);
    const RawValue* id = step.find("id");
    if (!id) return name;
    if (id->kind != Kind::scalar || id->text.empty() || id->text.find('.') != std::string::npos) {
      report(node, "a step's `id` cannot be " + id->shown() + " — write a name without a dot",
             id->position);
      return name;
    }
    return id->text;
  }

  // The keys that name operators; a word that is an option of another operator present does not
  // count.
  std::vector<OperatorKey> operator_keys(const RawValue& raw) const {
    std::vector<OperatorKey> keys;
    for (size_t i = 0; i < raw.keys.size(); ++i) {
      const std::string word = underscored(raw.keys[i].text);
      if (word == "source" || word == "sink") {
        const auto* entry = word == "source" ? registry_.find_source(raw.items[i].text)
                                             : registry_.find_sink(raw.items[i].text);
        keys.push_back({i, word, entry ? &entry->spec : nullptr});
      } else if (const auto* entry = registry_.find_operator(word)) {
        keys.push_back({i, word, &entry->spec});
      }
    }
    const auto is_option_of_another = [&](const OperatorKey& key) {
      return std::ranges::any_of(keys, [&](const OperatorKey& other) {
        return other.spec && other.index != key.index &&
               std::ranges::find(other.spec->options, key.word, &OptionSpec::name) !=
                   other.spec->options.end();
      });
    };
    std::vector<OperatorKey> own;
    std::ranges::copy_if(keys, std::back_inserter(own),
                         [&](const OperatorKey& key) { return !is_option_of_another(key); });
    return own;
  }

  void read_operator(const Place& place, const RawValue& raw) {
    draft_.push_back(unknown_node(place));
    DraftNode& draft = draft_.back();
    if (const RawValue* doc = raw.find("doc")) draft.node.doc = doc->text;
    const std::vector<OperatorKey> keys = operator_keys(raw);
    if (keys.size() > 1) {
      report(place.name,
             "two operators in one node: `" + keys[0].word + "` and `" + keys[1].word +
                 "` — give each a node, or a step of a `chain`",
             raw.keys[keys[1].index].position);
      read_from(draft, raw);
      return;
    }
    if (keys.empty()) {
      if (!make_union(draft, raw)) report_no_operator(place, raw);
      return;
    }
    const OperatorKey& key = keys.front();
    draft.node.op_position = raw.items[key.index].position;
    if (!key.spec) {
      report_unknown_connector(place, key.word, raw.items[key.index]);
      read_from(draft, raw);
      return;
    }
    adopt(draft, place, raw, key);
  }

  void adopt(DraftNode& draft, const Place& place, const RawValue& raw, const OperatorKey& key) {
    draft.spec = key.spec;
    draft.node.kind = key.spec->kind;
    draft.node.op = key.spec->name;
    check_place(place, *key.spec, raw, key);
    const RawValue options = own_options(place, raw, key);
    static const std::vector<std::string> kBeside = {"from", "doc"};
    const std::span<const std::string> beside(kBeside);
    const bool has_inputs = key.spec->kind != OperatorKind::source;
    Errors errors;
    draft.node.options =
        read_operator_options(*key.spec, options, errors, has_inputs ? beside : beside.subspan(1));
    for (Error& error : errors)
      loaded_.diagnostics.push_back(make_diagnostic(std::move(error), place.name));
    hide_secrets(key.spec->options, options);
    draft.node.on_error = error_policy(draft.node.options);
    if (!place.is_step) read_from(draft, raw);
  }

  static std::optional<ErrorPolicy> error_policy(const Options& options) {
    const std::string word = options.text_or("on_error", "");
    if (word == "keep") return ErrorPolicy::keep;
    if (word == "drop") return ErrorPolicy::drop;
    if (word == "fail") return ErrorPolicy::fail;
    if (word == "route") return ErrorPolicy::route;
    return std::nullopt;
  }

  // The node without what is the engine's, its operator key under the registered name; a source's
  // or sink's word is left out.
  RawValue own_options(const Place& place, const RawValue& raw, const OperatorKey& key) {
    RawValue options = RawValue::map({});
    options.position = place.position;
    for (size_t i = 0; i < raw.keys.size(); ++i) {
      const std::string& word = raw.keys[i].text;
      const bool of_engine = word == "from" || word == "by_name" || word == "doc" ||
                             word == "connection" || (word == "id" && place.is_step);
      const bool is_connector = i == key.index && (key.word == "source" || key.word == "sink");
      if (of_engine || is_connector || word.starts_with("x-")) continue;
      RawValue::Key own = raw.keys[i];
      if (i == key.index) own.text = key.spec->name;
      options.keys.push_back(own);
      options.items.push_back(raw.items[i]);
    }
    add_connection(place, raw, options);
    return options;
  }

  // Options of `connection: NAME` stand in for those the node does not have.
  void add_connection(const Place& place, const RawValue& raw, RawValue& options) {
    const RawValue* name = raw.find("connection");
    if (!name) return;
    const RawValue* connection = document_.connections.find(name->text);
    if (!connection) {
      std::vector<std::string> names;
      for (const RawValue::Key& key : document_.connections.keys) names.push_back(key.text);
      report(place.name,
             "there is no connection " + name->shown() +
                 hint_or(did_you_mean(name->text, names), " — declare it under `connections:`"),
             name->position);
      return;
    }
    for (size_t i = 0; i < connection->keys.size(); ++i) {
      if (options.find(connection->keys[i].text)) continue;
      options.keys.push_back(connection->keys[i]);
      options.items.push_back(connection->items[i]);
    }
  }

  static std::string hint_or(const std::string& hint, std::string_view otherwise) {
    return hint.empty() ? std::string(otherwise) : hint;
  }

  void hide_secrets(const std::vector<OptionSpec>& specs, const RawValue& options) {
    for (const OptionSpec& option : specs) {
      const RawValue* raw = options.find(option.name);
      if (raw && option.secret) hide(*raw);
      if (raw && option.kind == OptionKind::group) hide_secrets(option.items, *raw);
    }
  }

  // Each scalar by itself: a mapping may stand on many lines.
  void hide(const RawValue& raw) {
    if (raw.kind == RawValue::Kind::scalar) return loaded_.sources.hide(raw.position);
    for (const RawValue& item : raw.items) hide(item);
  }

  void check_place(const Place& place, const OperatorSpec& spec, const RawValue& raw,
                   const OperatorKey& key) {
    const Position& position = raw.keys[key.index].position;
    if (place.is_step && !place.first && spec.kind == OperatorKind::source) {
      report(place.name, "a source inside a chain — only its first step can be one", position);
    }
    if (place.is_step && !place.last && spec.kind == OperatorKind::sink) {
      report(place.name, "a sink inside a chain — only its last step can be one", position);
    }
    const RawValue* from = place.is_step ? raw.find("from") : nullptr;
    if (from)
      report(place.name, "a step has no `from`: it reads the step before — give the chain a `from`",
             from->position);
  }

  // A node with only `from: [a, b]` is their union.
  bool make_union(DraftNode& draft, const RawValue& raw) {
    const RawValue* from = raw.find("from");
    const auto* select = registry_.find_operator("select");
    const bool only_from = std::ranges::all_of(raw.keys, [](const RawValue::Key& key) {
      return key.text == "from" || key.text == "by_name" || key.text == "doc" ||
             key.text.starts_with("x-");
    });
    if (!from || from->kind != Kind::list || !select || !only_from) return false;
    draft.spec = &select->spec;
    draft.node.op = "select";
    draft.node.op_position = from->position;
    RawValue star = RawValue::list({RawValue::scalar("*")});
    Errors errors;
    draft.node.options =
        read_operator_options(select->spec, RawValue::map({{"select", star}}), errors);
    read_from(draft, raw);
    return true;
  }

  void report_no_operator(const Place& place, const RawValue& raw) {
    std::vector<std::string> words = operator_names_;
    words.insert(words.end(), {"source", "sink"});
    const RawValue::Key* unknown = nullptr;
    for (const RawValue::Key& key : raw.keys) {
      const bool of_engine = std::ranges::find(engine_keys(), key.text) != engine_keys().end();
      if (of_engine || key.text.starts_with("x-")) continue;
      if (!unknown) unknown = &key;
      const size_t colon = key.quoted ? std::string::npos : key.text.find(':');
      if (colon != std::string::npos && colon > 0 && colon + 1 < key.text.size()) {
        report(place.name,
               "a space is missing in " + back_quoted(key.text) + " — write " +
                   back_quoted(key.text.substr(0, colon) + ": " + key.text.substr(colon + 1)),
               key.position);
        return;
      }
      const std::string hint = suggest_word(key.text, words);
      if (hint.empty()) continue;
      report(place.name, "unknown operator " + back_quoted(key.text) + hint, key.position);
      return;
    }
    if (unknown) {
      report(place.name,
             "unknown operator " + back_quoted(unknown->text) + " — there are " +
                 back_quoted_list(words),
             unknown->position);
    } else {
      report(place.name,
             "no operator — write one beside `from`, such as `filter: x > 0` or `sink: console`",
             place.position);
    }
  }

  void report_unknown_connector(const Place& place, const std::string& word,
                                const RawValue& value) {
    const std::vector<std::string>& names = word == "source" ? source_names_ : sink_names_;
    if (value.kind != Kind::scalar) {
      report(place.name,
             "`" + word + "` cannot be " + value.shown() + " — write one of " +
                 back_quoted_list(names),
             value.position);
      return;
    }
    const std::string hint =
        hint_or(suggest_word(value.text, names), " — there are " + back_quoted_list(names));
    report(place.name, "no " + word + " is called " + value.shown() + hint, value.position);
  }

  // `from` and `by_name` into the draft.
  void read_from(DraftNode& draft, const RawValue& raw) {
    const RawValue* from = raw.find("from");
    const std::string& name = draft.node.name;
    if (const RawValue* by_name = raw.find("by_name")) {
      const bool is_union = from && from->kind == Kind::list;
      if (!is_union)
        report(name, "`by_name` belongs to a union — write `from: [a, b]`", by_name->position);
      if (by_name->text != "true" && by_name->text != "false") {
        report(name, "`by_name` cannot be " + by_name->shown() + " — write `true` or `false`",
               by_name->position);
      }
      draft.node.union_by_name = by_name->text == "true";
    }
    const bool is_source = draft.spec && draft.spec->kind == OperatorKind::source;
    if (is_source && from) report(name, "a source reads nothing — remove `from`", from->position);
    if (is_source) return;
    if (from) {
      read_references(draft, *from);
    } else if (draft.spec) {
      report(name, "`from` is missing — name the node that it reads", draft.node.position);
    }
  }

  void read_references(DraftNode& draft, const RawValue& from) {
    const std::string& name = draft.node.name;
    const bool wants_sides = draft.spec && draft.spec->inputs == InputShape::sides;
    if (from.kind == Kind::map) {
      const RawValue* left = from.find("left");
      const RawValue* right = from.find("right");
      if (!left || !right || from.keys.size() != 2 || (draft.spec && !wants_sides)) {
        const std::string_view right_form = draft.spec && !wants_sides
                                                ? " — write a name or a list of names"
                                                : " — write `{ left: NODE, right: NODE }`";
        report(name, "`from` cannot be this mapping" + std::string(right_form), from.position);
        return;
      }
      draft.node.sides = true;
      add_reference(draft, *left);
      add_reference(draft, *right);
      return;
    }
    if (wants_sides) {
      report(name, draft.spec->name + " has two sides — write `from: { left: NODE, right: NODE }`",
             from.position);
      return;
    }
    if (from.kind == Kind::list && !from.items.empty()) {
      for (const RawValue& item : from.items) add_reference(draft, item);
    } else {
      add_reference(draft, from);
    }
  }

  void add_reference(DraftNode& draft, const RawValue& raw) {
    if (raw.kind != Kind::scalar || raw.text.empty()) {
      report(draft.node.name, "`from` cannot be " + raw.shown() + " — write the name of a node",
             raw.position);
      return;
    }
    draft.from.push_back({raw.text, "", raw.position});
  }

  const Document& document_;
  const Registry& registry_;
  LoadedPlan& loaded_;
  std::vector<std::string> operator_names_;
  std::vector<std::string> source_names_;
  std::vector<std::string> sink_names_;
  std::vector<std::string> known_words_;
  Draft draft_;
};

}  // namespace

Draft read_nodes(const Document& document, const Registry& registry, LoadedPlan& loaded) {
  return NodeReader(document, registry, loaded).read();
}

}  // namespace flowrun
