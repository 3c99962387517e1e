// Which plugins there are, which of them are on, and which file serves which kind and id.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "plugin/extension.hpp"
#include "plugin/services.hpp"
#include "plugin/verdict.hpp"

namespace tapedeck::host {

/// One file of the plugin folders as --list-plugins shows it.
struct PluginFile {
    std::filesystem::path path;  ///< absolute
    Facts facts;
    Verdict verdict;
    struct Offer {
        std::string name;  ///< `writer.mp4`; of an unknown kind `tapedeck.thing/2 x`
        std::string doc;
        bool active;
        std::string note;  ///< why it is not active; empty when it is
    };
    std::vector<Offer> offers;
};

/// One per server, made and changed on the control thread; `find`, `all`, `files` and `listing` on any.
///   declare_plugin_keys(source);
///   Registry registry(executable, source, services);
///   registry.search(home / "lib/tapedeck/plugins");
///   registry.choose();                      // afterwards check(*source.current()) knows all keys
class Registry {
public:
    /// `executable` understands `--probe`. `source` and `services` outlive every plugin, that is, the process.
    Registry(std::filesystem::path executable, SettingsSource& source, Services& services,
             std::chrono::milliseconds probe_limit = std::chrono::seconds(5));
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    /// Looks at every `*.so` of `shipped` and of the folders of `plugin_path` that it has not seen yet, probes it in a
    /// child, and declares the settings of all that could be used. A folder of `plugin_path` that is none is an Error.
    /// Loads nothing into this process. Call again on SIGHUP, after SettingsSource::reload.
    void search(const std::filesystem::path& shipped);

    /// Loads what is to be on (`enable`, `plugin.<kind>.<id>`) and makes its extensions; the rest is warned about once.
    /// Throws Error naming each enabled plugin that is missing or refused, and why; then nothing has changed. Gives
    /// what became active by this call. Call again on SIGHUP: what is no longer on stays loaded but leaves `find` and
    /// `all`.
    std::vector<const Extension*> choose();

    /// The active extension, or null. The pointer stays valid for ever.
    const Extension* find(std::string_view kind, std::string_view id) const;
    /// Of one kind, by id. Valid for ever.
    std::vector<const Extension*> all(std::string_view kind) const;
    /// Every active extension, by kind and id.
    std::vector<const Extension*> all() const;
    /// Every file found, by path.
    std::vector<PluginFile> files() const;
    /// The text of --list-plugins: each file with what it offers, or with the reason why it is refused.
    std::string listing() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Declares `plugin_path`, `enable` and the family `plugin.`.
void declare_plugin_keys(SettingsSource& source);

}  // namespace tapedeck::host
