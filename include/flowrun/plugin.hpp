// The C++ face of flowrun's plugin ABI: operators and functions as classes, in a shared library.
//
//   #include <flowrun/plugin.hpp>
//   using namespace flowrun::plugin;
//
//   class Shout : public Transform {
//    public:
//     static Spec spec() {
//       return Spec("shout", "Adds a column in capitals.")
//           .primary(column("shout", "The column.").required())
//           .example("Loud lines", "loud: { from: lines, shout: value }", "value STRING");
//     }
//     explicit Shout(const Options& options) : name_(options.text("shout")) {}
//     Schema bind(const Schema& input) override {
//       column_ = input.find(name_, types::string());
//       return input.with({"loud", types::string()});
//     }
//     void apply(Batch batch, const Epoch&, Emitter& out) const override {
//       Builder<std::string_view> loud(batch.num_rows());
//       auto text = batch.values<std::string_view>(column_);
//       for (int64_t i = 0; i < batch.num_rows(); ++i) {
//         if (text.is_null(i)) loud.append_null(); else loud.append(upper(text[i]));
//       }
//       batch.add(loud.finish());
//       out.emit(std::move(batch));
//     }
//    private:
//     std::string name_;
//     size_t column_ = 0;
//   };
//
//   FLOWRUN_PLUGIN("shout", "1.0.0", transform<Shout>())
//
// C++17, the standard library and flowrun_plugin.h, nothing else. Every exception that leaves a
// class of yours becomes an error that names the plugin and the node: throw Error for one with a
// code, and Error::option for one that points at an option. Nothing here is visible outside of the
// library.
#ifndef FLOWRUN_PLUGIN_HPP
#define FLOWRUN_PLUGIN_HPP

#include <vector>

#include "plugin/functions.hpp"
#include "plugin/tables.hpp"
#include "plugin/text_rows.hpp"

#pragma GCC visibility push(hidden)

namespace flowrun {
namespace plugin {

namespace detail {

// All that is in the library; made at the first call.
struct Whole {
  Whole(const char* name, const char* version, std::vector<Entry> parts)
      : entries(std::move(parts)) {
    for (const Entry& entry : entries) pointers.push_back(&entry.raw);
    raw = {
        sizeof(flowrun_plugin), FLOWRUN_PLUGIN_ABI_MAJOR, FLOWRUN_PLUGIN_ABI_MINOR, name, version,
        pointers.data(),        pointers.size()};
  }
  std::vector<Entry> entries;
  std::vector<const flowrun_component*> pointers;
  flowrun_plugin raw{};
};

}  // namespace detail
}  // namespace plugin
}  // namespace flowrun

#pragma GCC visibility pop

// FLOWRUN_PLUGIN("name", "1.0.0", transform<A>(), function("f", "f(x): ...", [](double x) { ... }))
#define FLOWRUN_PLUGIN(name, version, ...)                                                \
  FLOWRUN_PLUGIN_EXPORT const flowrun_plugin* FLOWRUN_PLUGIN_ENTRY(const flowrun_host*) { \
    try {                                                                                 \
      using namespace flowrun::plugin;                                                    \
      static const flowrun::plugin::detail::Whole whole(name, version, {__VA_ARGS__});    \
      return &whole.raw;                                                                  \
    } catch (...) {                                                                       \
      return nullptr;                                                                     \
    }                                                                                     \
  }

#endif  // FLOWRUN_PLUGIN_HPP
