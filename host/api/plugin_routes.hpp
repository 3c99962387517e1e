// The service `tapedeck.http/1`: routes and WebSockets that plugins add beside the host's own.
#pragma once

#include <atomic>
#include <memory>

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
    /// Its WebSockets are told the end before.
    void remove(const td_context* instance);

private:
    struct Lent;
    struct Functions;
    static std::atomic<Lent*> current;

    std::unique_ptr<Lent> lent_;
};

}  // namespace tapedeck::host::api
