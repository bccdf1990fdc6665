#include "runtime/plugin/plugin_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "runtime/plugin/call.h"
#include "runtime/plugin/describe.h"
#include "runtime/plugin/functions.h"
#include "runtime/plugin/made_format.h"
#include "runtime/plugin/made_operator.h"

namespace flowrun {

namespace {

// Names that exclude each other: sources, sinks, the other operators, functions, formats.
int space_of(int32_t kind) {
  switch (kind) {
    case FLOWRUN_KIND_SOURCE:
      return 0;
    case FLOWRUN_KIND_SINK:
      return 1;
    case FLOWRUN_KIND_TRANSFORM:
    case FLOWRUN_KIND_STATEFUL:
      return 2;
    case FLOWRUN_KIND_FORMAT:
      return 4;
    default:
      return 3;
  }
}

}  // namespace

Status PluginSet::load(const std::string& name, const std::string& folder) {
  // The command line may have said which file it is.
  const bool named =
      std::ranges::any_of(plugins_, [&](const LoadedPlugin& each) { return each.name == name; });
  if (named) return ok_status();
  FLOWRUN_TRY(const std::string file, find_library(name, folder, path_));
  const bool known =
      std::ranges::any_of(plugins_, [&](const LoadedPlugin& each) { return each.file == file; });
  if (known) return ok_status();
  FLOWRUN_TRY(const flowrun_plugin* raw, open_library(file));
  return enter(*raw, file);
}

Status PluginSet::add(const flowrun_plugin& plugin) {
  const auto described = known_part<flowrun_plugin>(&plugin);
  if (described.abi_major != FLOWRUN_PLUGIN_ABI_MAJOR) {
    return Error::invalid(
        fmt::format("the plugin description is of version {} of the ABI, this flowrun speaks "
                    "version {} — set abi_major to FLOWRUN_PLUGIN_ABI_MAJOR",
                    described.abi_major, FLOWRUN_PLUGIN_ABI_MAJOR));
  }
  return enter(plugin, "of the program itself");
}

Status PluginSet::enter(const flowrun_plugin& raw, const std::string& file) {
  const auto described = known_part<flowrun_plugin>(&raw);
  LoadedPlugin plugin{string_of(described.name), string_of(described.version), file,
                      described.abi_major,       described.abi_minor,          {}};
  auto components = describe_components(described);
  if (!components) return std::move(components.error()).within(fmt::format("plugin {}", file));
  plugin.components = std::move(*components);
  FLOWRUN_RETURN_IF_ERROR(check_names(plugin));
  for (const ComponentPtr& component : plugin.components) enter(component);
  plugins_.push_back(std::move(plugin));
  return ok_status();
}

const LoadedPlugin* PluginSet::owner_of(const Component& component) const {
  for (const LoadedPlugin& plugin : plugins_) {
    for (const ComponentPtr& other : plugin.components) {
      if (other->name == component.name &&
          space_of(other->raw.kind) == space_of(component.raw.kind))
        return &plugin;
    }
  }
  return nullptr;
}

Status PluginSet::check_names(const LoadedPlugin& plugin) const {
  std::set<std::pair<int, std::string>> own;
  for (const ComponentPtr& component : plugin.components) {
    const std::string& name = component->name;
    const int space = space_of(component->raw.kind);
    const std::string what = fmt::format("{} `{}`", component_kind_name(component->raw.kind), name);
    if (!own.insert({space, name}).second)
      return Error::invalid(fmt::format("plugin {} has two of the name: {}", plugin.file, what));
    if (const LoadedPlugin* other = owner_of(*component)) {
      return Error::invalid(
          fmt::format("the {} is in two plugins: {} ({}) and {} ({}) — leave one of them out", what,
                      other->name, other->file, plugin.name, plugin.file));
    }
    if (space == 4) {
      if (Status fits = registry_.check_format(plugin_format(component)); !fits)
        return std::move(fits.error()).within(fmt::format("plugin {}", plugin.file));
      continue;
    }
    const bool built_in = space == 0   ? registry_.find_source(name) != nullptr
                          : space == 1 ? registry_.find_sink(name) != nullptr
                          : space == 2
                              ? registry_.find_operator(name) != nullptr
                              : functions_.find_scalar(name) || functions_.find_aggregate(name);
    if (built_in) {
      return Error::invalid(
          fmt::format("the {} of plugin {} ({}) has the name of a built-in one — the plugin must "
                      "give it another",
                      what, plugin.name, plugin.file));
    }
    // Types are read now, so that a plugin is entered whole or not at all.
    if (component->raw.kind == FLOWRUN_KIND_SCALAR) {
      if (auto made = make_plugin_scalar(component); !made)
        return std::move(made.error()).within(fmt::format("plugin {}", plugin.file));
    } else if (component->raw.kind == FLOWRUN_KIND_AGGREGATE) {
      if (auto made = make_plugin_aggregate(component); !made)
        return std::move(made.error()).within(fmt::format("plugin {}", plugin.file));
    }
  }
  return ok_status();
}

void PluginSet::enter(const ComponentPtr& component) {
  const auto bound = [&component](auto make) {
    return [component, make](const Options& options, const MakeContext& context) {
      return make(component, options, context);
    };
  };
  switch (component->raw.kind) {
    case FLOWRUN_KIND_SOURCE:
      return registry_.add_source(component->spec, bound(make_plugin_source));
    case FLOWRUN_KIND_SINK:
      return registry_.add_sink(component->spec, bound(make_plugin_sink));
    case FLOWRUN_KIND_TRANSFORM:
      return registry_.add_transform(component->spec, bound(make_plugin_transform));
    case FLOWRUN_KIND_STATEFUL:
      return registry_.add_stateful(component->spec, bound(make_plugin_stateful));
    case FLOWRUN_KIND_FORMAT:
      return registry_.add_format(plugin_format(component));
    case FLOWRUN_KIND_SCALAR:
      return functions_.add(*make_plugin_scalar(component));
    default:
      return functions_.add(*make_plugin_aggregate(component));
  }
}

}  // namespace flowrun
