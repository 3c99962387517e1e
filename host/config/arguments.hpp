// The part of the command line that says where settings come from: --home, --config and -D.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tapedeck::host {

struct ConfigArguments {
    std::filesystem::path home;          ///< absolute
    std::filesystem::path file;          ///< absolute; empty: none was named and the home folder has none
    std::vector<std::string> overrides;  ///< `key=value`, for SettingsSource
    std::vector<std::string> rest;       ///< all other arguments, in order
};

/// Reads `arguments` (without the program's name). An option's value may follow `=` or be the next argument; -D may
/// touch its own. Without --home it is the folder above the `bin` that `executable` lies in, else the current one;
/// without
/// --config the file is `<home>/conf/flashphoner.properties`, if it is there. After `--` nothing is an option.
/// Throws Error for an option without a value and for a home that is no folder.
ConfigArguments parse_config_arguments(std::span<const std::string> arguments, const std::filesystem::path& executable);

}  // namespace tapedeck::host
