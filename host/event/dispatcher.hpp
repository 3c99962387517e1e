// Tells hooks what happened: in order for each media session, at least once, each hook at its own pace.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "event/event.hpp"
#include "event/hooks.hpp"

namespace tapedeck::host {

/// Thread-safe. Each hook has its own threads (`hook.<id>.workers`); a call that hangs or waits for its next attempt
/// delays only later events of the same media session at the same hook.
class Dispatcher {
public:
    struct Progress {
        enum { Delivered, Retrying, GaveUp, Begun } outcome = Delivered;
        std::uint32_t attempts = 0;
        std::chrono::system_clock::time_point next_try;  ///< while Retrying
        std::string error;                               ///< empty when delivered
    };
    /// After every attempt, and when one after the first begins, on a thread of the hook: return at once.
    using Report = std::function<void(const Progress&)>;

    /// Hooks that do not listen are left out. `settings` must outlive it.
    Dispatcher(const SettingsSource& settings, const Hooks& hooks);
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;
    ~Dispatcher();

    /// Hooks that were enabled by SIGHUP.
    void add(const Hooks& hooks);
    /// `hook.<id>` of the hooks that listen.
    std::vector<std::string> targets() const;
    /// One event to one hook; earlier attempts count. An unknown target gives up at once (the hook is not enabled any
    /// more).
    void send(const std::string& target, Event event, std::uint32_t attempts,
              std::chrono::system_clock::time_point not_before, Report report);
    /// No new attempts; waits for running calls, or the time is over: the hooks that hang are named and left behind.
    void stop(std::chrono::milliseconds limit);

private:
    struct Line;
    struct Shared;
    static void next(const std::shared_ptr<Shared>& shared, Line& line, const std::string& session);
    static void attempt(const std::shared_ptr<Shared>& shared, Line& line, const std::string& session,
                        const std::stop_token& stop);

    std::shared_ptr<Shared> shared_;
};

}  // namespace tapedeck::host
