// SRTP and SRTCP of one peer: RFC 3711, RFC 7714.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "webrtc/transport/dtls.hpp"

struct srtp_ctx_t_;

namespace tapedeck::webrtc {

/// Both directions. Packets are worked on where they are. Not thread-safe.
class SrtpSession {
public:
    /// Bytes that must be free behind what is protected.
    static constexpr std::size_t trailer = 48;
    enum class Type : std::uint8_t { rtp, rtcp };

    /// Throws Error if libsrtp cannot do the profile.
    explicit SrtpSession(const SrtpKeys& keys);

    /// The plain packet at the front of `packet`, or nothing if it is forged, too old or was there before: as far as
    /// known, which is of the 64 SSRCs heard last.
    std::optional<std::span<std::uint8_t>> unprotect(Type type, std::span<std::uint8_t> packet);
    /// The size of the protected packet, or nothing if `packet` is none. Needs `trailer` bytes behind its `size`.
    /// The same sequence number may be sent again, for NACK.
    std::optional<std::size_t> protect(Type type, std::span<std::uint8_t> packet, std::size_t size);

    struct Counters {
        std::uint64_t received = 0, forged = 0, replayed = 0, malformed = 0;
    };
    const Counters& counters() const { return counters_; }

private:
    struct Free {
        void operator()(srtp_ctx_t_* session) const;
    };
    using Session = std::unique_ptr<srtp_ctx_t_, Free>;
    static Session make(const SrtpKeys& keys, bool is_inbound);

    struct Source {
        std::uint32_t ssrc;
        std::uint64_t heard;  // the count of packets at its last one
    };
    void note(std::uint32_t ssrc);

    Session in_, out_;
    std::vector<Source> sources_;  // of inbound RTP and RTCP that was genuine
    Counters counters_;
};

}  // namespace tapedeck::webrtc
