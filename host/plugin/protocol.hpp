// A protocol plugin's instance, held by the host.
#pragma once

#include "plugin/extension.hpp"

namespace tapedeck::host {

/// All calls are [control]: one at a time, warned about after 1 s, given up with TD_TIMEOUT after 10 s. An instance
/// that hangs is left behind for ever and never destroyed.
class Protocol {
public:
    explicit Protocol(const Extension& extension);
    /// Stops it first if it runs; logs what fails.
    ~Protocol();
    Protocol(const Protocol&) = delete;
    Protocol& operator=(const Protocol&) = delete;

    const Extension& extension() const { return extension_; }
    bool running() const { return running_; }

    void start();
    /// RELOAD settings or files may have changed; nothing happens where the plugin does not care.
    void reload();
    /// Afterwards no thread of the plugin calls the host, and its ports are gone from /health.
    void stop();

private:
    void call(const char* what, td_status (*function)(void*, td_error*));

    const Extension& extension_;
    const td_protocol* table_;
    void* self_ = nullptr;
    bool running_ = false;
    bool hung_ = false;
};

}  // namespace tapedeck::host
