// What a plugin's functions hold as `td_context`: whose call it is, its settings, its place in the log.
#pragma once

#include <memory>
#include <string>

#include "config/settings.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::host {
class Services;
}

/// One per extension; made by the registry before the first call into the plugin and kept for ever. Constant, so any
/// thread may read it; what changes under SIGHUP is behind `settings`.
struct td_context {
    td_context(std::string kind_name, std::string id_name, const td_extension* extension,
               const tapedeck::host::SettingsSource& source, tapedeck::host::Services& offered)
        : kind(std::move(kind_name)),
          id(std::move(id_name)),
          name(kind + '.' + id),
          declared(extension),
          settings(source, name),
          services(offered) {}
    td_context(const td_context&) = delete;
    td_context& operator=(const td_context&) = delete;

    const std::string kind;  ///< `writer`
    const std::string id;    ///< `mp4`
    const std::string name;  ///< `writer.mp4`: prefix of its settings and of its lines in the log
    const td_extension* const declared;
    const tapedeck::host::Scope settings;
    tapedeck::host::Services& services;

    /// The declared key of this short name, or null.
    const td_key* key(std::string_view short_name) const;
};
