// Session descriptions as WebRTC and RTSP send them: RFC 8866, 8829, 8843, 7826 appendix D.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::sdp {

enum class Direction : std::uint8_t { sendrecv, sendonly, recvonly, inactive };

/// One payload type of an m-line.
struct Codec {
    std::uint8_t payload_type = 0;
    std::string name;  // as offered: `opus`, `H264`, `rtx`
    std::uint32_t clock = 0, channels = 1;
    std::string fmtp;                   // empty: none
    std::vector<std::string> feedback;  // a=rtcp-fb: `nack`, `nack pli`

    /// Whether it is called so; case does not matter.
    bool is(std::string_view other) const;
    bool has_feedback(std::string_view wanted) const;
    /// The value of one parameter of `fmtp`.
    std::optional<std::string_view> parameter(std::string_view name) const;
};

/// One m-line; what the session level says is filled in.
struct Line {
    std::string kind;      // `audio`, `video`, `application`
    std::string protocol;  // `UDP/TLS/RTP/SAVPF`
    std::string mid;       // empty: none
    bool is_offered = true;
    std::string first_format;
    std::vector<Codec> codecs;  // in the m-line's order, those with a name
    std::vector<std::pair<std::uint8_t, std::string>> extensions;
    Direction direction = Direction::sendrecv;
    bool has_rtcp_mux = false, has_reduced_size = false;
    std::optional<std::uint16_t> sctp_port;  // of data channels (RFC 8841)
    std::string ufrag, fingerprint, setup;
    std::string control;  // of RTSP: where the track is set up
};

/// An offer, or what RTSP describes.
struct Description {
    std::vector<Line> lines;
    std::vector<std::string> bundle;  // mids of the first BUNDLE group
    std::string control;              // of RTSP, for the whole
};

/// Throws Malformed, also beyond 128 KiB, 4096 lines or 32 m-lines. Lines may end in LF or CRLF, with blanks before it.
Description parse(std::string_view text);

/// The NAL units of H.264's sprop-parameter-sets and of H.265's sprop-vps, -sps and -pps; what is not base64 is left
/// out.
std::vector<Bytes> parameter_sets(const Codec& codec);

/// Nothing where it is empty or no base64; padding may be missing.
std::optional<Bytes> from_base64(std::string_view text);

}  // namespace tapedeck::sdp
