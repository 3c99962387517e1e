// A hook plugin's instance, held by the host.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "plugin/extension.hpp"

namespace tapedeck::host {

/// Made on the control thread. `admit` and `event` are [blocking] and may run on several threads at once.
class Hook {
public:
    explicit Hook(const Extension& extension);
    ~Hook();
    Hook(const Hook&) = delete;
    Hook& operator=(const Hook&) = delete;

    const Extension& extension() const { return extension_; }

    bool admits() const { return offered(table_, &td_hook::admit) != nullptr; }
    bool listens() const { return offered(table_, &td_hook::event) != nullptr; }

    /// TD_CONNECT, TD_PUBLISH or TD_PLAY. Nothing: allowed (also when the plugin has no opinion). A text: denied, the
    /// plugin's own words for the client. Throws when the plugin failed to decide.
    std::optional<std::string> admit(std::int32_t action, const td_stream_info& info) const;
    /// Throws when the event did not arrive; retryable() says whether to come back with the next attempt.
    void event(const td_event& event) const;

private:
    const Extension& extension_;
    const td_hook* table_;
    void* self_ = nullptr;
};

}  // namespace tapedeck::host
