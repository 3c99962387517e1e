#include "packets.hpp"

#include <algorithm>
#include <cstring>

namespace tapedeck::ts {
namespace {

constexpr std::uint8_t sync_byte = 0x47;
constexpr std::size_t header_size = 4, room = packet_size - header_size;
constexpr std::size_t kept_capacity = 1 << 20;  // memory that stays in any case
constexpr std::uint8_t discontinuity_flag = 0x80, random_access_flag = 0x40, pcr_flag = 0x10;

void put_header(std::uint8_t* out, const Channel& channel, bool starts_unit, bool adapts, bool has_payload) {
    out[0] = sync_byte;
    out[1] = static_cast<std::uint8_t>((starts_unit ? 0x40 : 0) | channel.pid >> 8);
    out[2] = static_cast<std::uint8_t>(channel.pid);
    out[3] = static_cast<std::uint8_t>((adapts ? 0x20 : 0) | (has_payload ? 0x10 : 0) | (channel.counter & 15));
}

/// The adaptation field of `size` bytes, 1 or more, its length byte included; stuffed behind what it says.
void put_adaptation(std::uint8_t* out, std::size_t size, std::uint8_t flags, std::optional<std::int64_t> pcr) {
    out[0] = static_cast<std::uint8_t>(size - 1);
    if (size == 1) return;
    out[1] = flags;
    std::size_t used = 2;
    if (pcr) {
        const auto base = static_cast<std::uint64_t>(*pcr);
        out[2] = static_cast<std::uint8_t>(base >> 25);
        out[3] = static_cast<std::uint8_t>(base >> 17);
        out[4] = static_cast<std::uint8_t>(base >> 9);
        out[5] = static_cast<std::uint8_t>(base >> 1);
        out[6] = static_cast<std::uint8_t>((base & 1) << 7 | 0x7e);
        out[7] = 0;  // the 27 MHz extension
        used = 8;
    }
    std::memset(out + used, 0xff, size - used);
}

/// Reads through several spans.
class Gathered {
public:
    explicit Gathered(std::span<const ByteSpan> parts) : parts_(parts) {}

    void copy(std::uint8_t* out, std::size_t count) {
        while (count != 0) {
            const ByteSpan rest = parts_.front().subspan(used_);
            const std::size_t part = std::min(count, rest.size());
            if (part != 0) std::memcpy(out, rest.data(), part);
            out += part;
            count -= part;
            used_ += part;
            if (used_ != parts_.front().size()) continue;
            parts_ = parts_.subspan(1);
            used_ = 0;
        }
    }

private:
    std::span<const ByteSpan> parts_;
    std::size_t used_ = 0;  // of the first part
};

}  // namespace

std::uint8_t* PacketBuffer::extend(std::size_t packets) {
    const std::size_t more = packets * packet_size;
    if (size_ + more > capacity_) {
        const std::size_t capacity = std::max(size_ + more, std::max<std::size_t>(capacity_ * 2, 1 << 16));
        auto memory = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
        if (size_ != 0) std::memcpy(memory.get(), memory_.get(), size_);
        memory_ = std::move(memory);
        capacity_ = capacity;
    }
    size_ += more;
    return memory_.get() + size_ - more;
}

void PacketBuffer::clear() {
    const bool is_left_of_a_burst = capacity_ > kept_capacity && size_ < capacity_ / 4;
    size_ = 0;
    if (!is_left_of_a_burst) return;
    memory_.reset();
    capacity_ = 0;
}

void PacketBuffer::unit(Channel& channel, const Announcement& announcement, std::span<const ByteSpan> parts) {
    std::size_t left = 0;
    for (const ByteSpan part : parts) left += part.size();
    const auto flags = static_cast<std::uint8_t>((announcement.random_access ? random_access_flag : 0) |
                                                 (announcement.pcr ? pcr_flag : 0));
    std::size_t field = flags == 0 ? 0 : announcement.pcr ? 8 : 2;
    std::uint8_t* out = extend((field + left + room - 1) / room);
    Gathered from(parts);
    for (bool first = true; left != 0; first = false) {
        const std::size_t count = std::min(left, room - field);
        field = room - count;  // a short packet is stuffed
        put_header(out, channel, first, field != 0, true);
        channel.counter = (channel.counter + 1) & 15;
        if (field != 0) {
            const auto pcr = first ? announcement.pcr : std::nullopt;
            put_adaptation(out + header_size, field, first ? flags : std::uint8_t{0}, pcr);
        }
        from.copy(out + header_size + field, count);
        out += packet_size;
        left -= count;
        field = 0;
    }
}

void PacketBuffer::section(Channel& channel, ByteSpan section) {
    const std::uint8_t pointer = 0;  // the section begins directly behind it
    const std::array<ByteSpan, 2> parts{ByteSpan(&pointer, 1), section};
    std::size_t left = 1 + section.size();
    std::uint8_t* out = extend((left + room - 1) / room);
    Gathered from(parts);
    for (bool first = true; left != 0; first = false) {
        const std::size_t count = std::min(left, room);
        put_header(out, channel, first, false, true);
        channel.counter = (channel.counter + 1) & 15;
        from.copy(out + header_size, count);
        std::memset(out + header_size + count, 0xff, room - count);
        out += packet_size;
        left -= count;
    }
}

void PacketBuffer::clock(const Channel& channel, std::int64_t pcr, bool discontinuity) {
    std::uint8_t* out = extend(1);
    // Without payload the counter repeats that of the packet before.
    put_header(out, {channel.pid, static_cast<std::uint8_t>(channel.counter - 1)}, false, true, false);
    put_adaptation(out + header_size, room, pcr_flag | (discontinuity ? discontinuity_flag : 0), pcr);
}

std::optional<PacketView> parse_packet(ByteSpan packet) {
    if (packet.size() != packet_size || packet[0] != sync_byte) return std::nullopt;
    const bool damaged = (packet[1] & 0x80) != 0, scrambled = (packet[3] & 0xc0) != 0;
    if (damaged || scrambled) return std::nullopt;
    PacketView view;
    view.pid = static_cast<std::uint16_t>((packet[1] & 0x1f) << 8 | packet[2]);
    view.starts_unit = (packet[1] & 0x40) != 0;
    view.counter = packet[3] & 15;
    const bool adapts = (packet[3] & 0x20) != 0, has_payload = (packet[3] & 0x10) != 0;
    const std::size_t field = adapts ? 1u + packet[4] : 0u;
    if (field > room || (!adapts && !has_payload) || (has_payload && field == room)) return std::nullopt;
    if (has_payload) view.payload = packet.subspan(header_size + field);
    return view;
}

}  // namespace tapedeck::ts
