#include "mpegts/psi.hpp"

#include <array>
#include <string_view>

namespace tapedeck::mpegts {
namespace {

constexpr std::uint8_t association_table = 0, map_table = 2;
constexpr std::size_t crc_size = 4;

constexpr auto crc_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte << 24;
        for (int bit = 0; bit < 8; ++bit) crc = crc << 1 ^ ((crc >> 31) * 0x04c11db7u);
        table[byte] = crc;
    }
    return table;
}();

/// What all long sections have in front.
struct Head {
    std::uint16_t id;
    std::uint8_t version;
};

std::optional<Head> read_head(ByteReader& reader, std::uint8_t table) {
    if (reader.u8() != table) return std::nullopt;
    reader.u16();
    Head head{reader.u16(), reader.u8()};
    const bool is_in_force = (head.version & 1) != 0;
    head.version = head.version >> 1 & 0x1f;
    reader.u16();  // section numbers
    if (!is_in_force) return std::nullopt;
    return head;
}

/// What the descriptors tell of private data (ETSI EN 300 468, ETSI TS 101 154 and registration_descriptor).
struct Described {
    Coding coding = Coding::unknown;
    std::string name;
};

Described describe(ByteSpan descriptors) {
    ByteReader reader(descriptors);
    Described found;
    while (reader.left() >= 2) {
        const auto tag = reader.u8();
        const auto body = reader.take(reader.u8());
        if (tag == 0x6a) found = {Coding::ac3, "AC-3"};
        if (tag == 0x7a) found = {Coding::unknown, "E-AC-3"};
        if (tag == 0x7b) found = {Coding::unknown, "DTS"};
        if (tag == 0x7c) found = {Coding::unknown, "AAC without headers"};
        if (tag == 0x56) found = {Coding::unknown, "teletext"};
        if (tag == 0x59) found = {Coding::unknown, "subtitles"};
        if (tag == 0x05 && body.size() >= 4) {
            const std::string format(body.begin(), body.begin() + 4);
            if (format == "AC-3") found = {Coding::ac3, "AC-3"};
            if (format == "HEVC") found = {Coding::h265, "H.265"};
            if (format == "EAC3") found = {Coding::unknown, "E-AC-3"};
            if (format == "Opus") found = {Coding::unknown, "Opus"};
        }
    }
    return found;
}

MappedStream describe(std::uint8_t type, std::uint16_t pid, ByteSpan descriptors) {
    switch (type) {
        case 0x01:
            return {pid, Coding::unknown, "MPEG-1 video"};
        case 0x02:
            return {pid, Coding::unknown, "MPEG-2 video"};
        case 0x03:
        case 0x04:
            return {pid, Coding::mpeg_audio, "MPEG audio"};
        case 0x0f:
            return {pid, Coding::adts, "AAC"};
        case 0x10:
            return {pid, Coding::unknown, "MPEG-4 video"};
        case 0x11:
            return {pid, Coding::latm, "AAC in LATM"};
        case 0x1b:
            return {pid, Coding::h264, "H.264"};
        case 0x24:
            return {pid, Coding::h265, "H.265"};
        case 0x33:
            return {pid, Coding::unknown, "H.266"};
        case 0x81:
            return {pid, Coding::ac3, "AC-3"};
        case 0x86:
            return {pid, Coding::unknown, "SCTE 35"};
        case 0x87:
            return {pid, Coding::unknown, "E-AC-3"};
        default:
            break;
    }
    auto described = type == 0x06 ? describe(descriptors) : Described();
    if (described.name.empty()) described.name = "stream type " + std::to_string(type);
    return {pid, described.coding, std::move(described.name)};
}

}  // namespace

std::uint32_t crc32(ByteSpan bytes) {
    std::uint32_t crc = 0xffffffff;
    for (const auto byte : bytes) crc = crc << 8 ^ crc_table[crc >> 24 ^ byte];
    return crc;
}

bool SectionReader::is_whole(ByteSpan section) {
    return section.size() > crc_size && crc32(section) == 0;
}

std::optional<Association> parse_association(ByteSpan section) {
    ByteReader reader(section);
    const auto head = read_head(reader, association_table);
    if (!head) return std::nullopt;
    Association association{head->version, {}};
    while (reader.left() >= 4 + crc_size) {
        const auto number = reader.u16();
        const std::uint16_t pid = reader.u16() & 0x1fff;
        if (number != 0) association.programs.emplace_back(number, pid);
    }
    return association;
}

std::optional<ProgramMap> parse_map(ByteSpan section) {
    ByteReader reader(section);
    const auto head = read_head(reader, map_table);
    if (!head) return std::nullopt;
    ProgramMap map{head->id, head->version, {}};
    reader.u16();  // the clock's PID: times are those of the PES headers
    reader.take(reader.u16() & 0x0fffu);
    while (reader.left() >= 5 + crc_size) {
        const auto type = reader.u8();
        const std::uint16_t pid = reader.u16() & 0x1fff;
        map.streams.push_back(describe(type, pid, reader.take(reader.u16() & 0x0fffu)));
    }
    return map;
}

}  // namespace tapedeck::mpegts
