// Settings of the plugin host itself.
#pragma once

#include <array>

#include "tapedeck/key.hpp"

namespace tapedeck::host {

inline constexpr Key plugin_path =
    Key::text("plugin_path").about("Further folders to search for plugins, separated by ',' or ':'").reload();
inline constexpr Key enable_plugins =
    Key::text("enable")
        .about("Plugins to use, 'protocol.rtmp, writer.mp4, ...'; empty: all that lack no required setting")
        .reload();

inline constexpr std::array<const td_key*, 2> plugin_keys{&plugin_path, &enable_plugins};

/// `plugin.writer.mp4 = mp4_fast.so`; declare it at the SettingsSource as a family.
inline constexpr const char* plugin_family = "plugin.";
inline constexpr const char* plugin_family_doc = "Which file serves a kind and id that several files offer";

}  // namespace tapedeck::host
