// Transport stream packets (ISO/IEC 13818-1 section 2.4.3): written into one block of memory, and read back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "tapedeck/abi.h"
#include "tapedeck/media/bytes.hpp"

namespace tapedeck::ts {

inline constexpr std::size_t packet_size = 188;
/// Times are in ticks of 90 kHz. In the stream they have 33 bits; everywhere else they do not wrap.
inline constexpr std::int64_t ticks_per_second = 90000;
inline constexpr td_rational ticks{1, ticks_per_second};

/// One PID and its continuity counter.
struct Channel {
    std::uint16_t pid = 0;
    std::uint8_t counter = 0;  // of the next packet with payload
};

/// What the adaptation field of a unit's first packet says.
struct Announcement {
    bool random_access = false;
    std::optional<std::int64_t> pcr;
};

/// Packets that wait to be written to the file: each payload byte is copied once, straight to its place. The memory is
/// kept for the next packets, but for what a burst alone has needed. Not thread-safe.
class PacketBuffer {
public:
    /// One PES packet, whose bytes lie in `parts`.
    void unit(Channel& channel, const Announcement& announcement, std::span<const ByteSpan> parts);
    /// One section, alone in its packets.
    void section(Channel& channel, ByteSpan section);
    /// A packet that holds nothing but the clock. `discontinuity`: the clocks before and after it do not belong
    /// together.
    void clock(const Channel& channel, std::int64_t pcr, bool discontinuity = false);

    ByteSpan bytes() const { return {memory_.get(), size_}; }
    void clear();

private:
    std::uint8_t* extend(std::size_t packets);

    std::unique_ptr<std::uint8_t[]> memory_;
    std::size_t size_ = 0, capacity_ = 0;
};

/// One packet's header. `payload` lies in the bytes it was parsed from.
struct PacketView {
    std::uint16_t pid = 0;
    bool starts_unit = false;
    std::uint8_t counter = 0;
    ByteSpan payload;
};
/// Nothing when these 188 bytes are no packet of a whole stream.
std::optional<PacketView> parse_packet(ByteSpan packet);

}  // namespace tapedeck::ts
