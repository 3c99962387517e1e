// What is wrong with the settings as written: for --check-config, for the start and for SIGHUP.
#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace tapedeck::host {

/// Lines for the operator, in the order of the file.
struct CheckReport {
    std::vector<std::string>
        errors;  ///< each stops the start: `flashphoner.properties:14: unknown key 'writer.mp4.fragmnet'; ...`
    std::vector<std::string> warnings;  ///< probable mistakes: near misses of flat names, repeated keys
    std::string ignored;                ///< the one line about flat keys that nobody here uses; empty: none

    /// Errors, warnings and the summary, a line each.
    std::string text() const;
};

/// Judges every line: bad values, REQUIRED keys of enabled plugins that are missing, unknown names.
CheckReport check(const Settings& settings);

}  // namespace tapedeck::host
