#include "app/setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "access/access.hpp"
#include "access/keys.hpp"
#include "api/keys.hpp"
#include "app/keys.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "event/keys.hpp"
#include "plugin/hook.hpp"
#include "plugin/naming.hpp"
#include "plugin/protocol.hpp"
#include "plugin/storage.hpp"
#include "record/keys.hpp"
#include "record/rotation.hpp"
#include "record/rules.hpp"
#include "store/cutter_keys.hpp"
#include "store/keys.hpp"
#include "store/staging.hpp"
#include "stream/keys.hpp"

namespace tapedeck::host {

Setup::Setup(const std::filesystem::path& executable, const ConfigArguments& arguments)
    : home(arguments.home),
      source(arguments.home, arguments.file, arguments.overrides),
      registry(executable, source, services),
      settings(source, ""),
      plugin_folder_(executable.parent_path().parent_path() / "lib" / "tapedeck" / "plugins") {
    source.declare("", "", app_keys);
    source.declare("", "", access_keys);
    source.declare("", "", api::keys);
    source.declare("", "", cutter_keys);
    source.declare("", "", event_keys);
    source.declare("", "", record_keys);
    source.declare("", "", store_keys);
    source.declare("", "", stream_keys);
    source.declare_family("prefer.", "Which writer serves a container that several write: `prefer.webm = webm_lavf`");
    declare_plugin_keys(source);
    registry.search(plugin_folder_);
}

CheckReport Setup::judge() const {
    const auto now = source.current();
    CheckReport report = host::check(*now);
    try {  // a text for the schema, but not any text
        parse_rotation(settings.text(record_rotation));
    } catch (const Error& e) {
        const Property* line = now->written().find(*now->schema().find(record_rotation.name));
        report.errors.push_back(fmt::format("{}: {}", now->written().place(*line), e.what()));
    }
    return report;
}

void Setup::choose() {
    registry.choose();
    const CheckReport report = judge();
    for (const std::string& warning : report.warnings) log::warning("{}", warning);
    if (!report.ignored.empty()) log::info("{}", report.ignored);
    if (report.errors.empty()) return;
    std::string all;
    for (const std::string& error : report.errors) all += (all.empty() ? "" : "\n") + error;
    throw Error(all, TD_MALFORMED);
}

std::string Setup::check(std::size_t& errors) {
    std::string text;
    errors = 0;
    try {
        registry.choose();
    } catch (const Error& e) {
        text = std::string(e.what()) + '\n';
        ++errors;
    }
    const CheckReport report = judge();
    errors += report.errors.size();
    text += report.text();
    if (errors != 0) return text;
    for (const std::string& error : try_parts()) {
        text += error + '\n';
        ++errors;
    }
    return text;
}

/// What no schema knows: files that must be there, folders that must be writable, texts with a grammar of their own,
/// plugins that refuse a setting. Plugins' `create` touches nothing outside, and no folder is made.
std::vector<std::string> Setup::try_parts() {
    std::vector<std::string> errors;
    const auto attempt = [&](auto body) {
        try {
            body();
        } catch (const std::exception& e) {
            errors.emplace_back(e.what());
        }
    };
    const auto named = [&](std::string_view kind, const td_key& key, std::string_view id) {
        const Extension* extension = registry.find(kind, id);
        if (extension == nullptr) {
            errors.push_back(fmt::format("{}: no {} plugin '{}' is enabled", key.name, kind, printable(id)));
        }
        return extension;
    };
    const auto writable = [&](std::string_view setting, const std::filesystem::path& folder) {
        if (folder.empty()) return;
        attempt([&] { require_writable(std::string(setting), folder, Missing::StaysAway); });
    };
    attempt(
        [&] { Access(settings.path(access_file), settings.text(rest_allowed_clients), settings.is_set(access_file)); });
    attempt([&] { RecordRules{source}; });
    if (const Extension* naming = named("naming", naming_id, settings.text(naming_id)))
        attempt([&] { Naming{*naming}; });
    for (const std::string& id : list_of(settings.text(storage_ids))) {
        const Extension* extension = named("storage", storage_ids, id);
        if (extension == nullptr) continue;
        attempt([&] {
            const Storage storage(*extension);
            if (const auto folder = storage.folder()) writable(extension->name(), *folder);
        });
    }
    for (const Extension* hook : registry.all("hook")) attempt([&] { Hook{*hook}; });
    for (const Extension* protocol : registry.all("protocol")) attempt([&] { Protocol{*protocol}; });
    for (const td_key* key : {static_cast<const td_key*>(&state_dir), static_cast<const td_key*>(&record_tmp_dir),
                              static_cast<const td_key*>(&mp4_cutter_dir), static_cast<const td_key*>(&log_dir)}) {
        writable(key->name, settings.path(*key));
    }
    for (const td_key* key :
         {static_cast<const td_key*>(&api::tls_certificate), static_cast<const td_key*>(&api::tls_key)}) {
        const std::filesystem::path file = settings.path(*key);
        if (!file.empty() && !std::filesystem::exists(file)) {
            errors.push_back(fmt::format("{}: there is no file {}", key->name, file.string()));
        }
    }
    return errors;
}

std::vector<const Extension*> Setup::reload() {
    const auto changes = source.reload();
    for (const std::string& name : changes.changed) log::info("setting '{}' changed", name);
    for (const std::string& name : changes.waiting) log::warning("setting '{}' takes effect at the next start", name);
    registry.search(plugin_folder_);
    auto chosen = registry.choose();
    const CheckReport report = judge();
    for (const std::string& warning : report.warnings) log::warning("{}", warning);
    for (const std::string& error : report.errors) log::error("{}", error);
    return chosen;
}

}  // namespace tapedeck::host
