// Asks all hooks whether somebody may connect, publish or play.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "base/error.hpp"
#include "config/settings.hpp"
#include "event/hooks.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::host {

/// Thread-safe. Hooks that have no `admit` are not asked; the first one that refuses decides; one that does not answer
/// within `admission_timeout` denies.
class Admission {
public:
    /// Null: yes. Else TD_DENIED (or TD_TIMEOUT) with the reason for the client. Once, on a thread of the admission and
    /// never from inside `ask`; it must not wait.
    using Done = std::function<void(const Error* refused)>;

    /// `settings` must outlive it.
    Admission(const SettingsSource& settings, const Hooks& hooks);
    Admission(const Admission&) = delete;
    Admission& operator=(const Admission&) = delete;
    ~Admission();

    /// Hooks that were enabled by SIGHUP.
    void add(const Hooks& hooks);
    /// `action` is TD_CONNECT, TD_PUBLISH or TD_PLAY; `info` is copied. Returns at once.
    void ask(int action, const td_stream_info& info, Done done);
    /// Later and waiting questions are answered TD_CANCELLED; waits for running calls, or the time is over.
    void stop(std::chrono::milliseconds limit);

private:
    struct Question;
    struct Desk;
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

}  // namespace tapedeck::host
