// What of a session description can be received.
#pragma once

#include <string>
#include <vector>

#include "rtp/receiver.hpp"
#include "rtp/sdp.hpp"

namespace tapedeck::rtsp {

/// One track that is set up.
struct Medium {
    std::uint32_t kind = 0;  // TD_VIDEO or TD_AUDIO
    std::string codec;       // its name for people
    std::string control;     // as the description has it
    rtp::ReceiverSetup setup;
};

/// The first picture and the first sound of a codec that is known, numbered from 0. `left_out` gets the rest, in words.
std::vector<Medium> media_of(const sdp::Description& description, std::vector<std::string>& left_out);

}  // namespace tapedeck::rtsp
