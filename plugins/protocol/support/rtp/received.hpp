// A packet on its way from the socket to its depacketiser.
#pragma once

#include <cstdint>

#include "rtp/packet.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::rtp {

struct Received {
    Packet packet;                           // its spans lie in `buffer`
    Buffer buffer;                           // shared with whatever else was read into it
    std::int64_t sequence = 0;               // extended; set by the jitter buffer
    std::uint32_t lost = 0;                  // packets missing before this one; set by the jitter buffer
    std::int64_t wallclock_us = TD_NO_TIME;  // of td_packet
};

}  // namespace tapedeck::rtp
