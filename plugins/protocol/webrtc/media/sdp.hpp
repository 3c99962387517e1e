// The answer to the offer of a browser or WHIP client: RFC 8866, 8829, 8843.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rtp/sdp.hpp"
#include "webrtc/transport/endpoint.hpp"
#include "webrtc/transport/ice.hpp"
#include "webrtc/transport/peer.hpp"

namespace tapedeck::webrtc::sdp {

using tapedeck::sdp::Codec;
using tapedeck::sdp::Direction;
using tapedeck::sdp::Line;
using tapedeck::sdp::parameter_sets;
using tapedeck::sdp::parse;
using Offer = tapedeck::sdp::Description;

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

}  // namespace tapedeck::webrtc::sdp
