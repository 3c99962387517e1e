// The interface's options out of the settings.
#pragma once

#include "api/routes.hpp"
#include "api/server.hpp"
#include "config/settings.hpp"

namespace tapedeck::host::api {

/// `host` is the scope without an owner. Any thread.
ServerOptions server_options(const Scope& host, const std::filesystem::path& home);
RestOptions rest_options(const Scope& host);

}  // namespace tapedeck::host::api
