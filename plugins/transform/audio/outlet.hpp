// Encoded frames on their way out as packets.
#pragma once

#include <cstdint>
#include <vector>

#include "tapedeck/media/bytes.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::audio {

/// Gathers packets of one track, several in a block of the host's memory, until they go out as one batch. One thread.
class Outlet {
public:
    /// `track`: as announced; `frame`: samples of each packet.
    Outlet(const Context& context, const Sink& sink, const td_track& track, std::int64_t frame);

    /// A frame that begins at `pts`, in samples.
    void add(ByteSpan frame, std::int64_t pts);
    /// The frame added last once more.
    void repeat(std::int64_t pts);
    /// Something is missing before the next packet.
    void interrupt() { flags_ |= TD_PACKET_DISCONTINUITY; }
    /// Sound at `at`, in samples, was captured at this time by the sender's clock, or TD_NO_TIME.
    void captured(std::int64_t at, std::int64_t wallclock_us);
    /// Hands all to the sink. What the sink throws goes on to the caller; the packets are gone then too.
    void send();

private:
    void push(const Buffer& block, const std::uint8_t* data, std::uint32_t size, std::int64_t pts);

    Context context_;
    Sink sink_;
    std::uint32_t track_, sample_rate_;
    std::int64_t frame_;
    std::uint32_t flags_ = TD_PACKET_KEY;
    std::int64_t captured_at_ = 0, wallclock_us_ = TD_NO_TIME;

    Buffer block_;  // the one being filled
    std::size_t used_ = 0;
    const std::uint8_t* last_ = nullptr;  // the frame added last; lies in block_
    std::uint32_t last_size_ = 0;
    std::vector<td_packet> packets_;
    std::vector<Buffer> blocks_;  // of packets_
    std::vector<const td_packet*> batch_;
};

}  // namespace tapedeck::audio
