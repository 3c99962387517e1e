// The header that says how packets come (RFC 2326 section 12.39).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tapedeck::rtsp {

/// One alternative.
struct TransportHeader {
    using Pair = std::pair<std::uint16_t, std::uint16_t>;  // of RTP and RTCP

    bool is_tcp = false;
    bool is_multicast = false;
    bool is_record = false;
    std::optional<Pair> interleaved, client_port, server_port;
    std::string source;  // the sender's address, where it is not the server's
    std::optional<std::uint32_t> ssrc;

    /// The first alternative of RTP/AVP that is known; nothing where there is none.
    static std::optional<TransportHeader> parse(std::string_view header);
    std::string text() const;
};

}  // namespace tapedeck::rtsp
