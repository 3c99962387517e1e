// Where the parts of a file lie, from its first fragment to its last byte.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace tapedeck::mp4 {

/// While recording:  ftyp | moov A | free P (reserve) | free M (16 bytes, a marker) | fragments
/// Finished:         ftyp | free A | moov | free | mdat (its header in M's place, 64-bit size, around all fragments)
/// or, moov last:    ftyp | free A | free P | mdat | moov
/// The fragments begin at a multiple of 4096, with at least one whole block between the end of A and M: blocks can be
/// inserted there without moving a byte of A or cutting M.
struct Layout {
    static constexpr std::uint64_t block = 4096;
    static constexpr std::uint64_t init_at = 32;  ///< behind `ftyp`
    static constexpr std::uint64_t marker_size = 16;
    static constexpr std::array<std::uint8_t, marker_size> marker{0,    0,    0,    16,   'f',  'r',  'e',  'e',
                                                                  0xd5, 0x1c, 0x7e, 0xa0, 0x94, 0x3b, 0x62, 0xf8};

    std::uint64_t reserve_at = 0;  ///< P: directly behind A
    std::uint64_t data_at = 0;     ///< the first fragment
    std::uint64_t data_size = 0;   ///< all whole fragments, or what is whole of the last one
    /// Whether P's header is a `free` that ends at M, as it must be before anything else is changed.
    bool reserve_is_stated = true;
    /// The last mdat when it is shorter than its header says: where, from `data_at` on, and how long it is now.
    struct Torn {
        std::uint64_t at = 0;
        std::uint32_t size = 0;
        bool operator==(const Torn&) const = default;
    };
    std::optional<Torn> torn;

    std::uint64_t marker_at() const { return data_at - marker_size; }
    std::uint64_t end() const { return data_at + data_size; }
    /// P's whole size.
    std::uint64_t room() const { return marker_at() - reserve_at; }

    /// For an init moov of this size and at least `reserve` bytes behind it.
    static constexpr Layout plan(std::uint64_t init_size, std::uint64_t reserve) {
        Layout layout;
        layout.reserve_at = init_at + init_size;
        const std::uint64_t apart = up(layout.reserve_at + 8) + block;
        const std::uint64_t asked = up(layout.reserve_at + reserve + marker_size);
        layout.data_at = apart > asked ? apart : asked;
        return layout;
    }
    /// The next multiple of a block.
    static constexpr std::uint64_t up(std::uint64_t at) { return (at + block - 1) / block * block; }

    bool operator==(const Layout&) const = default;
};

}  // namespace tapedeck::mp4
