// Leads the transactional sink through steps of its life, each process being one between two
// crashes: it ends without close.
//
//   sink_steps KAFKA.so BROKERS TOPIC SPOOL STEP...
//   steps: open:TOKEN ("open:" without one), write:VALUE, prepare (prints the token), commit:TOKEN
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <flowrun/plugin.hpp>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace flowrun::plugin;

constexpr int64_t kMicroseconds = 1'000'000;

[[noreturn]] void give_up(const std::string& words) {
  std::fprintf(stderr, "sink_steps: %s\n", words.c_str());
  std::exit(1);
}

const flowrun_component& find_sink(const char* file) {
  void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!library) give_up(dlerror());
  const auto entry = reinterpret_cast<flowrun_plugin_entry>(dlsym(library, "flowrun_plugin_v1"));
  const flowrun_host host{sizeof host, FLOWRUN_PLUGIN_ABI_MAJOR, FLOWRUN_PLUGIN_ABI_MINOR, "test"};
  const flowrun_plugin* plugin = entry(&host);
  for (uint64_t i = 0; i < plugin->num_components; ++i) {
    if (plugin->components[i]->kind == FLOWRUN_KIND_SINK) return *plugin->components[i];
  }
  give_up("there is no sink");
}

// The options that flowrun would hand over, defaults written out.
class GivenOptions {
 public:
  void add(const std::string& name, const std::string& text, int64_t integer = 0) {
    names_.push_back(name);
    texts_.push_back(text);
    flowrun_value value{};
    value.size = sizeof value;
    value.integer = integer;
    values_.push_back(value);
  }
  const flowrun_options* get() {
    for (size_t i = 0; i < values_.size(); ++i) {
      values_[i].text = {texts_[i].data(), texts_[i].size()};
      raw_names_.push_back({names_[i].data(), names_[i].size()});
      pointers_.push_back(&values_[i]);
    }
    for (size_t i = 0; i < values_.size(); ++i) {
      if (names_[i] != "brokers") continue;  // a list of one
      item_ = values_[i];
      items_ = {&item_};
      values_[i].items = items_.data();
      values_[i].num_items = 1;
    }
    raw_ = {sizeof raw_, raw_names_.data(), pointers_.data(), pointers_.size()};
    return &raw_;
  }

 private:
  std::vector<std::string> names_;
  std::vector<std::string> texts_;
  std::vector<flowrun_value> values_;
  std::vector<flowrun_text> raw_names_;
  std::vector<const flowrun_value*> pointers_;
  flowrun_value item_{};
  std::vector<const flowrun_value*> items_;
  flowrun_options raw_{};
};

class Steps {
 public:
  Steps(const flowrun_component& component, GivenOptions& options)
      : table_(*static_cast<const flowrun_sink*>(component.table)) {
    const flowrun_make make{sizeof make, options.get(), {"out", 3}, component.context};
    check(table_.make(&make, &self_, &error_.raw));
    ArrowSchema schema{};
    Schema{{"value", types::string()}}.export_to(&schema);
    const flowrun_sink_input input{sizeof input, FLOWRUN_APPEND, 0, nullptr, 0};
    check(table_.bind(self_, &schema, &input, &error_.raw));
    schema.release(&schema);
  }

  void take(const std::string& step) {
    const std::string name = step.substr(0, step.find(':'));
    const std::string word = step.size() > name.size() ? step.substr(name.size() + 1) : "";
    const flowrun_text text{word.data(), word.size()};
    if (name == "open") check(table_.open(self_, word.empty() ? nullptr : &text, &error_.raw));
    if (name == "write") write(word);
    if (name == "commit") check(table_.commit(self_, 0, text, &error_.raw));
    if (name != "prepare") return;
    flowrun_text token{};
    check(table_.prepare(self_, 0, &token, &error_.raw));
    std::cout << std::string(token.data, token.size) << std::endl;
  }

 private:
  void write(const std::string& value) {
    Builder<std::string_view> values;
    values.append(value);
    ArrowArray rows{};
    Batch({values.finish()}).export_to(&rows);
    check(table_.write(self_, 0, &rows, &error_.raw));
    if (rows.release) rows.release(&rows);
  }
  void check(flowrun_code code) const {
    if (code != FLOWRUN_OK) give_up(error_.text);
  }

  const flowrun_sink& table_;
  void* self_ = nullptr;
  detail::HostError error_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) give_up("KAFKA.so BROKERS TOPIC SPOOL STEP...");
  GivenOptions options;
  options.add("brokers", argv[2]);
  options.add("topic", argv[3]);
  options.add("spool", argv[4]);
  options.add("timeout", "", 10 * kMicroseconds);
  options.add("delivery_timeout", "", 60 * kMicroseconds);
  options.add("delivery", "transactional");
  options.add("transactional_id", argv[3]);
  options.add("partitioner", "murmur2_random");
  options.add("compression", "none");
  Steps steps(find_sink(argv[1]), options);
  for (int i = 5; i < argc; ++i) steps.take(argv[i]);
  std::cout.flush();
  std::_Exit(0);  // as a crash would: nothing is closed
}
