// Settings of one recording, laid over those of the server: from rules and REST, kept with the recording.
#pragma once

#include <map>
#include <string>

#include "config/settings.hpp"

/// Full name -> checked value, only of keys flagged TD_KEY_RECORDING. A value: copy it freely.
struct td_options {
    std::map<std::string, tapedeck::host::Value, std::less<>> values;
};

namespace tapedeck::host {

/// Name -> value as texts: what rules, REST bodies, the memo and the catalogue hold.
using OptionTexts = std::map<std::string, std::string>;

/// Names may be full names, aliases, or those of REST: `fileTemplate`, `rotation`. Throws Error(TD_MALFORMED) for a
/// name that is unknown or no setting of a recording, a value that cannot be used, or a text beyond 4096 bytes.
td_options make_options(const Settings& settings, const OptionTexts& texts);

/// The same from what was kept: what no longer fits (a plugin was taken out) is left out.
td_options restore_options(const Settings& settings, const OptionTexts& texts);

/// Full name -> value as written; `make_options` gives the same options back.
OptionTexts texts_of(const td_options& options);

}  // namespace tapedeck::host
