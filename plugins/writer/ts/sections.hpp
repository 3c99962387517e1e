// Sections: the tables that name the tracks (ISO/IEC 13818-1 section 2.4.4), and private ones for recovery.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::ts {

/// PIDs of every file. The private one is in no table, so players pass over it.
inline constexpr std::uint16_t association_pid = 0, first_track_pid = 0x100, map_pid = 0x1000, private_pid = 0x1f00;

enum class StreamType : std::uint8_t { Adts = 0x0f, H264 = 0x1b, H265 = 0x24 };

struct MappedTrack {
    std::uint16_t pid;
    StreamType type;
};

/// The section of the one program.
Bytes program_association();
/// Its tracks, at most 200; another `version` (its lowest 5 bits count) tells players that they changed.
Bytes program_map(std::uint16_t clock_pid, std::span<const MappedTrack> tracks, unsigned version = 0);

/// The host's note of all facts in as many sections as it takes, at least one. Throws Error beyond 1 MB.
std::vector<Bytes> memo_sections(std::string_view memo);

/// What had been recorded up to the end of one write to the file: everything before it in the file is whole.
struct Mark {
    std::uint64_t packets = 0;  // access units and audio frames
    std::int64_t end_us = 0;    // when the last of them ends, from the file's time 0
};
Bytes mark_section(const Mark& mark);
inline constexpr std::int64_t latest_us = std::int64_t{1} << 46;  ///< two years; no file is longer

/// A private section of this writer.
struct PrivateSection {
    enum class Kind : std::uint8_t { Memo = 0xd0, Mark = 0xd1 };
    Kind kind;
    std::uint8_t number, last_number;
    ByteSpan data;
};
/// `bytes` begin with the section and may go on behind it. Nothing when it is another's, torn or damaged.
std::optional<PrivateSection> parse_private_section(ByteSpan bytes);
/// How long the section at the front is by its header; nothing when there are too few bytes to tell.
std::optional<std::size_t> section_size(ByteSpan bytes);
/// Nothing when the data is no mark.
std::optional<Mark> parse_mark(const PrivateSection& section);

}  // namespace tapedeck::ts
