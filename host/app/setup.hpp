// Settings and plugins, as every way of starting needs them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/arguments.hpp"
#include "config/check.hpp"
#include "config/settings.hpp"
#include "plugin/registry.hpp"
#include "plugin/services.hpp"

namespace tapedeck::host {

/// Lives as long as the process: plugins keep pointers into it. [control]
class Setup {
public:
    /// Reads the settings and looks at every plugin file; loads none. Throws Error.
    Setup(const std::filesystem::path& executable, const ConfigArguments& arguments);

    /// Loads what is to be on and judges all settings. Throws Error with every error in its text; logs warnings.
    void choose();
    /// The text of --check-config; `errors` tells how many there are.
    std::string check(std::size_t& errors);
    /// Reads the file again and picks up new plugins (SIGHUP). Gives what is newly on. Throws Error, then nothing
    /// changed.
    std::vector<const Extension*> reload();

    const std::filesystem::path home;
    Services services;
    SettingsSource source;
    Registry registry;
    const Scope settings;

private:
    /// Of the values that their declarations cannot judge too.
    CheckReport judge() const;

    std::vector<std::string> try_parts();

    const std::filesystem::path plugin_folder_;
};

}  // namespace tapedeck::host
