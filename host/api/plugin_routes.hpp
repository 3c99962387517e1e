// The service `tapedeck.http/1`: routes that plugins add beside the host's own.
#pragma once

#include "api/router.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::host::api {

/// Lends a router to plugins. One at a time in a process, because the table's functions carry no pointer to it; made
/// before the first plugin instance is created, destroyed after the last one.
class PluginRoutes {
public:
    explicit PluginRoutes(Router& router);
    ~PluginRoutes();
    PluginRoutes(const PluginRoutes&) = delete;
    PluginRoutes& operator=(const PluginRoutes&) = delete;

    /// What `td_host.service` gives for TD_HTTP. Lives for ever; says TD_UNSUPPORTED while there is no PluginRoutes.
    static const td_http* table();

    /// Before `protocol.stop`: no handler of this instance is called any more, none runs.
    void remove(const td_context* instance) { router_.remove(instance); }

private:
    Router& router_;
};

}  // namespace tapedeck::host::api
