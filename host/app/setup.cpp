#include "app/setup.hpp"

#include <fmt/format.h>

#include "access/keys.hpp"
#include "api/keys.hpp"
#include "app/keys.hpp"
#include "base/log.hpp"
#include "event/keys.hpp"
#include "record/keys.hpp"
#include "record/policy.hpp"
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
