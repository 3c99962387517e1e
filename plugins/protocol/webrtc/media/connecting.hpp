// How many sessions may be on their way to be connected.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "tapedeck/context.hpp"
#include "webrtc/transport/endpoint.hpp"

namespace tapedeck::webrtc {

struct ConnectingLimits {
    std::size_t of_one = 256;  // client address, of IPv6 a /64
    std::size_t in_all = 2048;
};

/// The sessions that hold a stream and are not connected yet: whoever only makes offers must not use up all streams.
/// Any thread.
class Connecting {
public:
    explicit Connecting(const ConnectingLimits& limits) : limits_(limits) {}

    /// False: there are as many as may be, of this address or in all.
    bool enter(const std::string& media_session, const std::string& remote) {
        const auto source = source_of(remote);
        const std::lock_guard lock(mutex_);
        if (sessions_.size() >= limits_.in_all) return false;
        auto& count = counts_[source];
        if (count >= limits_.of_one) return false;
        count += sessions_.try_emplace(media_session, source).second ? 1 : 0;
        return true;
    }
    /// It is connected, or will not be.
    void leave(const std::string& media_session) {
        const std::lock_guard lock(mutex_);
        const auto session = sessions_.find(media_session);
        if (session == sessions_.end()) return;
        const auto count = counts_.find(session->second);
        if (--count->second == 0) counts_.erase(count);
        sessions_.erase(session);
    }

private:
    using Source = std::array<std::uint8_t, 16>;

    static Source source_of(const std::string& remote) {
        try {
            return Endpoint::parse(remote, 0).source();
        } catch (const Error&) {
            return {};  // all that have none are one
        }
    }

    const ConnectingLimits limits_;
    std::mutex mutex_;
    std::map<std::string, Source> sessions_;
    std::map<Source, std::size_t> counts_;
};

}  // namespace tapedeck::webrtc
