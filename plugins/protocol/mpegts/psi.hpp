// The tables that name programs and their tracks (ISO/IEC 13818-1 section 2.4.4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mpegts/packet.hpp"

namespace tapedeck::mpegts {

/// Puts the sections of one PID together. Damaged ones are left out: each has a CRC.
class SectionReader {
public:
    /// Calls `each(ByteSpan section)`, CRC included, for all that end in this packet.
    template <class Each>
    void push(const Packet& packet, Each each) {
        ByteSpan rest = packet.payload;
        if (packet.starts_unit) {
            if (rest.empty() || rest[0] >= rest.size()) return lose();
            const std::size_t pointer = rest[0];
            if (!bytes_.empty()) take(rest.subspan(1, pointer), each);
            bytes_.clear();
            is_open_ = true;
            rest = rest.subspan(1 + pointer);
        }
        if (is_open_) take(rest, each);
    }
    /// Something is missing before the next packet.
    void lose() {
        bytes_.clear();
        is_open_ = false;
    }

private:
    static constexpr std::size_t longest = 4096;

    template <class Each>
    void take(ByteSpan more, Each each) {
        bytes_.insert(bytes_.end(), more.begin(), more.end());
        ByteSpan left = bytes_;
        while (left.size() >= 3 && left[0] != 0xff) {  // stuffing follows the last section
            const std::size_t size = 3 + ((left[1] & 0x0fu) << 8 | left[2]);
            if (size > left.size()) break;
            if (is_whole(left.first(size))) each(left.first(size));
            left = left.subspan(size);
        }
        if (left.empty() || left[0] == 0xff || left.size() > longest) return lose();
        bytes_.erase(bytes_.begin(), bytes_.end() - static_cast<std::ptrdiff_t>(left.size()));
    }
    static bool is_whole(ByteSpan section);

    Bytes bytes_;
    bool is_open_ = false;
};

/// CRC of annex A; 0 over a section with its CRC.
std::uint32_t crc32(ByteSpan bytes);

/// One section of the PAT.
struct Association {
    std::uint8_t version = 0;
    std::vector<std::pair<std::uint16_t, std::uint16_t>> programs;  ///< number, PID of its map; without the network's
};

/// What an elementary stream is made of. Known are those with a reader.
enum class Coding : std::uint8_t { unknown, h264, h265, adts, latm, mpeg_audio, ac3 };

inline bool is_video(Coding coding) {
    return coding == Coding::h264 || coding == Coding::h265;
}

struct MappedStream {
    std::uint16_t pid = 0;
    Coding coding = Coding::unknown;
    std::string name;  ///< of the coding, for people
    bool operator==(const MappedStream&) const = default;
};

/// One program's map.
struct ProgramMap {
    std::uint16_t program = 0;
    std::uint8_t version = 0;
    std::vector<MappedStream> streams;
};

/// Nothing where it is another table, or not in force yet. Throws Malformed.
std::optional<Association> parse_association(ByteSpan section);
std::optional<ProgramMap> parse_map(ByteSpan section);

}  // namespace tapedeck::mpegts
