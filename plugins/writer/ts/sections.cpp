#include "sections.hpp"

#include <algorithm>

#include "tapedeck/context.hpp"

namespace tapedeck::ts {
namespace {

constexpr std::uint8_t association_table = 0x00, map_table = 0x02;
constexpr std::uint16_t stream_id = 1, program_number = 1;
constexpr std::uint16_t private_id = 0x5444;  // "TD": tells these sections from those of others
constexpr std::size_t head_size = 8, crc_size = 4, up_to_length = 3;
constexpr std::size_t longest_section = 4096, most_sections = 256;

/// ISO/IEC 13818-1 annex A; 0 over a section with its CRC.
std::uint32_t crc32(ByteSpan bytes) {
    std::uint32_t crc = 0xffffffff;
    for (const std::uint8_t byte : bytes) {
        crc ^= std::uint32_t{byte} << 24;
        for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ ((crc >> 31) * 0x04c11db7u);
    }
    return crc;
}

void put(Bytes& out, std::uint64_t value, unsigned bytes) {
    while (bytes-- > 0) out.push_back(static_cast<std::uint8_t>(value >> bytes * 8));
}

Bytes section(std::uint8_t table, bool is_private, std::uint16_t id, std::size_t number, std::size_t last,
              ByteSpan data, unsigned version = 0) {
    Bytes out;
    out.reserve(head_size + data.size() + crc_size);
    put(out, table, 1);
    const std::size_t length = head_size - up_to_length + data.size() + crc_size;
    put(out, (is_private ? 0xf000u : 0xb000u) | length, 2);
    put(out, id, 2);
    put(out, 0xc1 | (version & 31) << 1, 1);  // in force
    put(out, number, 1);
    put(out, last, 1);
    out.insert(out.end(), data.begin(), data.end());
    put(out, crc32(out), crc_size);
    return out;
}

Bytes private_section(PrivateSection::Kind kind, std::size_t number, std::size_t last, ByteSpan data) {
    return section(static_cast<std::uint8_t>(kind), true, private_id, number, last, data);
}

}  // namespace

Bytes program_association() {
    Bytes data;
    put(data, program_number, 2);
    put(data, 0xe000u | map_pid, 2);
    return section(association_table, false, stream_id, 0, 0, data);
}

Bytes program_map(std::uint16_t clock_pid, std::span<const MappedTrack> tracks, unsigned version) {
    Bytes data;
    put(data, 0xe000u | clock_pid, 2);
    put(data, 0xf000u, 2);  // no descriptors of the program
    for (const MappedTrack& track : tracks) {
        put(data, static_cast<std::uint8_t>(track.type), 1);
        put(data, 0xe000u | track.pid, 2);
        put(data, 0xf000u, 2);  // no descriptors of the track
    }
    return section(map_table, false, program_number, 0, 0, data, version);
}

std::vector<Bytes> memo_sections(std::string_view memo) {
    constexpr std::size_t most = longest_section - head_size - crc_size;
    const std::size_t count = std::max<std::size_t>((memo.size() + most - 1) / most, 1);
    if (count > most_sections) throw Error(TD_UNSUPPORTED, "the recording's memo exceeds 1 MB");
    const ByteSpan all(reinterpret_cast<const std::uint8_t*>(memo.data()), memo.size());
    std::vector<Bytes> sections;
    for (std::size_t i = 0; i < count; ++i) {
        const ByteSpan part = all.subspan(i * most, std::min(most, all.size() - i * most));
        sections.push_back(private_section(PrivateSection::Kind::Memo, i, count - 1, part));
    }
    return sections;
}

Bytes mark_section(const Mark& mark) {
    Bytes data;
    put(data, mark.packets, 8);
    put(data, static_cast<std::uint64_t>(mark.end_us), 8);
    return private_section(PrivateSection::Kind::Mark, 0, 0, data);
}

std::optional<std::size_t> section_size(ByteSpan bytes) {
    if (bytes.size() < up_to_length) return std::nullopt;
    return up_to_length + ((bytes[1] & 0x0fu) << 8 | bytes[2]);
}

std::optional<PrivateSection> parse_private_section(ByteSpan bytes) {
    const auto size = section_size(bytes);
    if (!size || *size > bytes.size() || *size < head_size + crc_size) return std::nullopt;
    bytes = bytes.first(*size);
    PrivateSection found{static_cast<PrivateSection::Kind>(bytes[0]), bytes[6], bytes[7], {}};
    const bool is_known = found.kind == PrivateSection::Kind::Memo || found.kind == PrivateSection::Kind::Mark;
    const bool is_ours = (bytes[1] & 0xf0) == 0xf0 && (bytes[3] << 8 | bytes[4]) == private_id;
    if (!is_known || !is_ours || crc32(bytes) != 0) return std::nullopt;
    found.data = bytes.subspan(head_size, bytes.size() - head_size - crc_size);
    return found;
}

std::optional<Mark> parse_mark(const PrivateSection& section) {
    if (section.kind != PrivateSection::Kind::Mark || section.data.size() != 16) return std::nullopt;
    ByteReader reader(section.data);
    Mark mark;
    mark.packets = reader.u64();
    const std::uint64_t end = reader.u64();
    if (end > static_cast<std::uint64_t>(latest_us)) return std::nullopt;
    mark.end_us = static_cast<std::int64_t>(end);
    return mark;
}

}  // namespace tapedeck::ts
