#include "runtime/plugin/library.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "runtime/plugin/component.h"

namespace flowrun {

namespace {

namespace fs = std::filesystem;

constexpr int kVersionsLookedFor = 32;

// Given to every plugin's entry; it may keep the pointer.
constexpr flowrun_host kHost = {sizeof(flowrun_host), FLOWRUN_PLUGIN_ABI_MAJOR,
                                FLOWRUN_PLUGIN_ABI_MINOR, FLOWRUN_VERSION};

Error refused(const std::string& file, const std::string& path, std::string_view why,
              std::string_view advice) {
  const std::string place = path == file ? "it" : "its folder " + path;
  return Error::invalid(
      fmt::format("plugin {} is not loaded: {} {} — {}", file, place, why, advice));
}

Status check_rights(const std::string& file, const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return Error::from_errno("cannot read " + path, errno);
  if (status.st_uid != 0 && status.st_uid != geteuid()) {
    return refused(file, path, "belongs to another user",
                   "take a copy of your own, or have root install it");
  }
  const bool sticky_folder = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
  const bool shared = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  // In a sticky folder, such as /tmp, nobody can exchange what stands in a folder of ours.
  const bool direct = path == file || fs::path(file).parent_path() == path;
  if (shared && (direct || !sticky_folder)) {
    return refused(file, path, "can be written by others",
                   fmt::format("run `chmod go-w {}`", path));
  }
  return ok_status();
}

// The version that the library was built for, if its entry says one that is not ours.
Error no_entry(const std::string& file, void* library) {
  for (int version = 0; version <= kVersionsLookedFor; ++version) {
    const std::string entry = fmt::format("flowrun_plugin_v{}", version);
    if (!dlsym(library, entry.c_str())) continue;
    return Error::invalid(fmt::format(
        "plugin {} speaks version {} of the plugin ABI, this flowrun speaks version {} — build it "
        "with the header of this flowrun",
        file, version, FLOWRUN_PLUGIN_ABI_MAJOR));
  }
  return Error::invalid(
      fmt::format("{} is no flowrun plugin: it exports no function `flowrun_plugin_v{}` — is "
                  "FLOWRUN_PLUGIN_EXPORT missing?",
                  file, FLOWRUN_PLUGIN_ABI_MAJOR));
}

}  // namespace

PluginPath PluginPath::parse(std::string_view text) {
  PluginPath path;
  while (!text.empty()) {
    const std::string_view folder = text.substr(0, text.find(':'));
    if (folder.starts_with('/')) path.folders.emplace_back(folder);
    text.remove_prefix(std::min(folder.size() + 1, text.size()));
  }
  return path;
}

Result<std::string> find_library(const std::string& name, const std::string& folder,
                                 const PluginPath& path) {
  std::error_code error;
  const bool is_file =
      name.find('/') != std::string::npos || (!folder.empty() && name.ends_with(".so"));
  if (is_file) {
    const fs::path file = fs::canonical(fs::path(folder) / name, error);
    if (!error) return file.string();
    return Error::invalid(fmt::format("cannot load the plugin {}: {} — is it built?",
                                      (fs::path(folder) / name).lexically_normal().string(),
                                      error.message()));
  }
  std::string looked;
  for (const std::string& place : path.folders) {
    for (const std::string& file : {name + ".so", "lib" + name + ".so", name}) {
      const fs::path found = fs::canonical(fs::path(place) / file, error);
      if (!error && fs::is_regular_file(found, error)) return found.string();
    }
    looked += (looked.empty() ? "" : ", ") + place;
  }
  return Error::invalid(fmt::format(
      "there is no plugin `{}` in {} — write a path with a slash for a file, such as ./{}, or name "
      "its folder in {}",
      name, looked.empty() ? path.said_by + ", which names no absolute folder" : looked, name,
      path.said_by));
}

Status check_library_rights(const std::string& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return Error::from_errno("cannot read " + file, errno);
  if (!S_ISREG(status.st_mode))
    return Error::invalid(fmt::format("plugin {} is no file — name the library itself", file));
  FLOWRUN_RETURN_IF_ERROR(check_rights(file, file));
  for (fs::path folder = fs::path(file).parent_path();; folder = folder.parent_path()) {
    FLOWRUN_RETURN_IF_ERROR(check_rights(file, folder.string()));
    if (folder == folder.parent_path()) return ok_status();
  }
}

Result<const flowrun_plugin*> open_library(const std::string& file) {
  FLOWRUN_RETURN_IF_ERROR(check_library_rights(file));
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* words = dlerror();
    return Error::invalid(
        fmt::format("cannot load the plugin {}: the loader says: {}", file, words ? words : ""));
  }
  const auto entry = reinterpret_cast<flowrun_plugin_entry>(dlsym(library, "flowrun_plugin_v1"));
  if (!entry) return no_entry(file, library);
  const flowrun_plugin* plugin = nullptr;
  try {
    plugin = entry(&kHost);
  } catch (...) {
    return Error::invalid(fmt::format("plugin {}: its entry let an exception out", file));
  }
  if (!plugin) return Error::invalid(fmt::format("plugin {}: its entry gave back nothing", file));
  const auto described = known_part<flowrun_plugin>(plugin);
  if (described.abi_major != FLOWRUN_PLUGIN_ABI_MAJOR) {
    return Error::invalid(fmt::format(
        "plugin {} says that it speaks version {}.{} of the plugin ABI, this flowrun speaks "
        "version {}.{} — build it with the header of this flowrun",
        file, described.abi_major, described.abi_minor, FLOWRUN_PLUGIN_ABI_MAJOR,
        FLOWRUN_PLUGIN_ABI_MINOR));
  }
  return plugin;
}

}  // namespace flowrun
