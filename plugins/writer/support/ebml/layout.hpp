// Where the parts of a file lie, from its first byte to its last cluster.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace tapedeck::ebml {

/// EBML header | Segment header (8-byte size) | SeekHead slot | Info slot | note | Tracks slot | Cues slot | clusters
/// A slot is an element and a Void behind it, so that it can be written anew in place by one small write. The note is a
/// Void with what only recovery reads. The clusters begin at a multiple of 4096 with at least one whole block of the
/// Cues slot before them: blocks can be inserted there without moving a byte of the head.
struct Layout {
    static constexpr std::uint64_t block = 4096;
    static constexpr std::size_t segment_header = 12;
    static constexpr std::size_t seek_head_slot = 116;
    static constexpr std::size_t info_slot = 128;
    static constexpr std::size_t least_tracks_slot = 16384;
    static constexpr std::size_t note_header = 9 + 8 + 4;  ///< Void header, magic bytes, the size of the Tracks slot

    std::uint64_t segment_at = 0;  ///< the content of the Segment, from which positions inside it count
    std::uint64_t note_size = 0;   ///< the whole element
    std::uint64_t tracks_size = 0;
    std::uint64_t data_at = 0;    ///< the first cluster
    std::uint64_t data_size = 0;  ///< all clusters, or what is whole of the last one
    /// The last cluster, when it is shorter than its header says: where, from `data_at` on.
    std::optional<std::uint64_t> torn_at;
    std::uint64_t torn_size = 0;  ///< what its content has

    std::uint64_t seek_head_at() const { return segment_at; }
    std::uint64_t info_at() const { return seek_head_at() + seek_head_slot; }
    std::uint64_t note_at() const { return info_at() + info_slot; }
    std::uint64_t tracks_at() const { return note_at() + note_size; }
    std::uint64_t cues_at() const { return tracks_at() + tracks_size; }
    std::uint64_t cues_room() const { return data_at - cues_at(); }
    std::uint64_t end() const { return data_at + data_size; }

    /// Room for Cues of `reserve` bytes.
    static Layout plan(std::uint64_t ebml_header, std::uint64_t memo, std::uint64_t tracks, std::uint64_t reserve) {
        Layout layout;
        layout.segment_at = ebml_header + segment_header;
        layout.note_size = note_header + memo;
        layout.tracks_size = tracks;
        const std::uint64_t least = 2 * block;
        layout.data_at = up(layout.cues_at() + (reserve > least ? reserve : least));
        return layout;
    }
    /// The next multiple of a block.
    static constexpr std::uint64_t up(std::uint64_t at) { return (at + block - 1) / block * block; }

    bool operator==(const Layout&) const = default;
};

}  // namespace tapedeck::ebml
