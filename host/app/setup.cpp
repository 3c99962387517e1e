#include "app/setup.hpp"

#include "access/keys.hpp"
#include "api/keys.hpp"
#include "app/keys.hpp"
#include "base/log.hpp"
#include "config/check.hpp"
#include "event/keys.hpp"
#include "record/keys.hpp"
#include "store/keys.hpp"
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
    source.declare("", "", event_keys);
    source.declare("", "", record_keys);
    source.declare("", "", store_keys);
    source.declare("", "", stream_keys);
    source.declare_family("prefer.", "Which writer serves a container that several write: `prefer.webm = webm_lavf`");
    declare_plugin_keys(source);
    registry.search(plugin_folder_);
}

void Setup::choose() {
    registry.choose();
    const CheckReport report = host::check(*source.current());
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
    const CheckReport report = host::check(*source.current());
    errors += report.errors.size();
    return text + report.text();
}

std::vector<const Extension*> Setup::reload() {
    const auto changes = source.reload();
    for (const std::string& name : changes.changed) log::info("setting '{}' changed", name);
    for (const std::string& name : changes.waiting) log::warning("setting '{}' takes effect at the next start", name);
    registry.search(plugin_folder_);
    return registry.choose();
}

}  // namespace tapedeck::host
