// The deadline of a [blocking] call into a plugin: what `td_host.cancelled` answers on this thread.
#pragma once

#include <chrono>
#include <stop_token>

namespace tapedeck::host {

/// Put one on the stack around a call of a naming, storage, hook, reader or of a writer's `finish` and `recover`:
///   const BlockingCall call(30s, stop);
///   storage.put(recording, key, false);
/// The plugin sees `cancelled` once the time is over or `stop` was requested. Nests; the inner one is in force, bounded
/// by the outer. Belongs to one thread.
class BlockingCall {
public:
    explicit BlockingCall(std::chrono::steady_clock::duration limit, std::stop_token stop = {});
    ~BlockingCall();
    BlockingCall(const BlockingCall&) = delete;
    BlockingCall& operator=(const BlockingCall&) = delete;

    /// Of the innermost call on this thread; false where there is none.
    static bool cancelled();

private:
    std::chrono::steady_clock::time_point deadline_;
    std::stop_token stop_;
    const BlockingCall* outer_;
};

}  // namespace tapedeck::host
