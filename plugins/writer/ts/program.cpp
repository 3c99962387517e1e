#include "program.hpp"

#include <algorithm>
#include <map>

#include "pes.hpp"

namespace tapedeck::ts {
namespace {

constexpr std::uint64_t read_size = packet_size * 2048;
constexpr std::uint64_t search_limit = read_size * 4;
constexpr std::size_t section_head = 8, section_crc = 4;
constexpr std::int64_t clock_mask = (std::int64_t{1} << 33) - 1;
constexpr std::int64_t most_before = 60 * ticks_per_second;  // that a time may lie before the file's first

/// The content of the table that begins in this packet. Throws Malformed.
ByteSpan table_in(const PacketView& packet, std::uint8_t id) {
    ByteReader reader(packet.payload);
    reader.take(reader.u8());
    const ByteSpan section = reader.rest();
    const auto size = section_size(section);
    if (!size || *size > section.size() || *size < section_head + section_crc || section[0] != id)
        throw Malformed("its tables cannot be read");
    return section.first(*size - section_crc).subspan(section_head);
}

struct MapLine {
    std::uint8_t type;
    std::uint16_t pid;
};

/// Throws Malformed.
std::vector<MapLine> map_in(const PacketView& packet) {
    std::vector<MapLine> lines;
    ByteReader fields(table_in(packet, 2));
    fields.take(2);
    fields.take(fields.u16() & 0xfff);
    while (fields.left() >= 5) {
        const std::uint8_t type = fields.u8();
        lines.push_back({type, static_cast<std::uint16_t>(fields.u16() & 0x1fff)});
        fields.take(fields.u16() & 0xfff);
    }
    return lines;
}

bool is_video(std::uint8_t type) {
    return type == 0x01 || type == 0x02 || type == 0x10 || type == 0x1b || type == 0x24;
}

}  // namespace

Program::Program(const Source& source) : source_(source), end_(source.size() / packet_size * packet_size) {
    read_tables();
    std::map<std::uint16_t, std::int64_t> first;
    const std::uint64_t limit = std::min(end_, search_limit);
    for (std::uint64_t at = 0; at < limit && first.size() < tracks_.size(); at += packet_size) {
        if (const auto found = unit(at)) first.try_emplace(found->pid, found->pts);
    }
    if (!first.contains(main_)) throw Malformed("it has no pictures and no sound");
    zero_ = first.at(main_);
    for (const auto& [pid, pts] : first) zero_ = std::min(zero_, pts);
    read_late_tables();
}

void Program::read_tables() {
    std::optional<std::uint16_t> map;
    for (std::uint64_t at = 0; at < std::min(end_, search_limit); at += packet_size) {
        const auto found = packet(at);
        if (!found) throw Malformed("this is no transport stream");
        if (!found->starts_unit) continue;
        if (found->pid == association_pid && !map) {
            ByteReader programs(table_in(*found, 0));
            while (programs.left() >= 4 && !map) {
                const bool is_program = programs.u16() != 0;
                const auto pid = static_cast<std::uint16_t>(programs.u16() & 0x1fff);
                if (is_program) map = pid;
            }
        } else if (found->pid == map) {
            for (const MapLine& line : map_in(*found)) {
                if (tracks_.empty() || (is_video(line.type) && !has_pictures_)) main_ = line.pid;
                has_pictures_ = has_pictures_ || is_video(line.type);
                tracks_.push_back(line.pid);
            }
            map_ = found->pid;
            break;
        }
    }
    if (tracks_.empty()) throw Malformed("it has no tracks");
}

/// The file's last map has the tracks that joined later. It stays with those of the first where there is none.
void Program::read_late_tables() {
    for (std::uint64_t at = end_; at >= packet_size && end_ - at < search_limit;) {
        at -= packet_size;
        const auto found = packet(at);
        if (!found || found->pid != map_ || !found->starts_unit) continue;
        for (const MapLine& line : map_in(*found)) {
            if (std::ranges::count(tracks_, line.pid) == 0) tracks_.push_back(line.pid);
        }
        return;
    }
}

ByteSpan Program::bytes(std::uint64_t at) {
    if (at < start_ || at + packet_size > start_ + piece_.size()) {
        start_ = at / read_size * read_size;
        piece_.resize(static_cast<std::size_t>(std::min(read_size, end_ - std::min(end_, start_))));
        piece_.resize(source_.read(start_, piece_));
    }
    const auto offset = static_cast<std::size_t>(at - start_);
    if (offset + packet_size > piece_.size()) return {};
    return ByteSpan(piece_).subspan(offset, packet_size);
}

std::optional<Unit> Program::unit(std::uint64_t at) {
    const ByteSpan raw = bytes(at);
    const auto found = parse_packet(raw);
    if (!found || !found->starts_unit || std::ranges::count(tracks_, found->pid) == 0) return std::nullopt;
    const auto pes = parse_pes_header(found->payload);
    if (!pes) return std::nullopt;
    const auto from_zero = [this](std::int64_t time) {
        const std::int64_t apart = (time - zero_) & clock_mask;
        return apart > clock_mask - most_before ? apart - clock_mask - 1 : apart;
    };
    const bool adapts = (raw[3] & 0x20) != 0 && raw[4] != 0;
    return Unit{at, found->pid, from_zero(pes->header.pts), from_zero(pes->header.dts), adapts && (raw[5] & 0x40) != 0};
}

std::optional<std::uint64_t> Program::next_main(std::uint64_t at, std::uint64_t limit) {
    for (; at < limit; at += packet_size) {
        const auto found = packet(at);
        if (found && found->pid == main_ && found->starts_unit) return at;
    }
    return std::nullopt;
}

std::uint64_t Program::decoded_after(std::int64_t time) {
    const auto is_after = [&](std::uint64_t at) {
        const auto found = unit(at);
        return found && found->dts > time;
    };
    std::uint64_t low = 0, high = end_;
    while (high - low > read_size) {
        const std::uint64_t middle = (low + high) / 2 / packet_size * packet_size;
        const auto found = next_main(middle, high);
        if (!found || is_after(*found)) {
            high = middle;
        } else {
            low = *found + packet_size;
        }
    }
    for (auto at = next_main(low, end_); at; at = next_main(*at + packet_size, end_)) {
        if (is_after(*at)) return *at;
    }
    return end_;
}

}  // namespace tapedeck::ts
