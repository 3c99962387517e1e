// The offer of a browser or WHIP client, and the answer to it: RFC 8866, 8829, 8843.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "webrtc/transport/endpoint.hpp"
#include "webrtc/transport/ice.hpp"
#include "webrtc/transport/peer.hpp"

namespace tapedeck::webrtc::sdp {

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
};

struct Offer {
    std::vector<Line> lines;
    std::vector<std::string> bundle;  // mids of the first BUNDLE group
};

/// Throws Malformed, also beyond 128 KiB, 4096 lines or 32 m-lines. Lines may end in LF or CRLF, with blanks before it.
Offer parse(std::string_view text);

/// Names of the codecs that may be used. Of sound the first of these is taken that is offered; of video the offer's own
/// first, since there clients put what their hardware does.
struct Preferences {
    std::vector<std::string> audio{"opus", "PCMA", "PCMU", "G722"};
    std::vector<std::string> video{"VP8", "H264"};
};

/// A codec that was chosen.
struct Chosen {
    Codec codec;
    std::uint32_t id = 0;                            // TD_CODEC_*
    std::optional<Codec> rtx, red, red_rtx, ulpfec;  // with it
};

/// What becomes of one m-line; without codecs it is rejected, but for data channels.
struct Choice {
    std::vector<Chosen> codecs;                                // a publisher's has one
    std::optional<std::uint8_t> transport_cc, send_time, mid;  // header extensions
    std::uint32_t ssrc = 0, rtx_ssrc = 0;                      // of what is sent; set by whoever sends
    bool is_data = false;                                      // data channels
};

/// One for each m-line: of each kind the first that can be taken, and what is bundled with the first taken. A player's
/// has all that can be sent, the best first. A publisher's data channels are taken beside media that they are bundled
/// with. Throws Error("No common codecs").
std::vector<Choice> choose(const Offer& offer, const Preferences& preferences, bool publishes);

/// Leaves only the codec with this TD_CODEC_*, where it is there.
void narrow(Choice& choice, std::uint32_t id);

/// Our side of the answer.
struct Local {
    bool publishes = true;  // the client does
    std::uint64_t id = 1;   // of the o-line
    IceCredentials ice;
    Fingerprint fingerprint;
    DtlsRole role = DtlsRole::server;
    std::vector<Endpoint> candidates;  // at least one
    bool has_tcp = false;              // they take TCP connections as well
    std::string stream;                // a player's: stream id and CNAME
};

std::string write_answer(const Offer& offer, const std::vector<Choice>& choices, const Local& local);

/// The NAL units of H.264's sprop-parameter-sets; what is not base64 is left out.
std::vector<Bytes> parameter_sets(const Codec& codec);

}  // namespace tapedeck::webrtc::sdp
