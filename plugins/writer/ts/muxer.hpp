// Tracks in, transport stream packets out: tables, clock, PES packets.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "access_unit.hpp"
#include "adts.hpp"
#include "packets.hpp"
#include "sections.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::ts {

/// One program, taken in pieces: `take` gives all packets so far, then `written` or `lost` says what became of them.
/// After `lost` the stream goes on where it was before them, so that counters and clock never jump within a file.
/// Each packet's bytes go straight to their place in the output; nothing is allocated for a packet. Not thread-safe.
class Muxer {
public:
    /// 0 of the file's time line lies here in the stream: pictures decoded before it still have positive times.
    static constexpr std::int64_t start = 10 * ticks_per_second;
    /// The clock runs so far behind the decoding times: what decoders have for buffering.
    static constexpr std::int64_t lead = ticks_per_second / 2;
    static constexpr std::int64_t clock_limit = ticks_per_second / 10;       ///< between two clock references
    static constexpr std::int64_t tables_limit = ticks_per_second * 4 / 10;  ///< between two copies of the tables

    /// Throws Error: TD_UNSUPPORTED for a codec or a form of it that the format cannot hold, TD_MALFORMED for a track
    /// whose config or time base cannot be read.
    Muxer(std::string_view memo, std::span<const td_track* const> tracks);
    ~Muxer();
    Muxer(const Muxer&) = delete;
    Muxer& operator=(const Muxer&) = delete;

    bool has(std::uint32_t track) const { return find(track) != nullptr; }
    /// A track that joins late: the tables name it from now on. Throws Error as the constructor; then nothing changes.
    void add(const td_track& track);
    /// New parameters of a known track. Throws Error as the constructor; then the track is as it was.
    void change(const td_track& track);
    /// Throws Error(TD_MALFORMED) and takes nothing when the packet cannot be read.
    void write(const td_packet& packet);

    bool is_empty() const { return now_.mark.packets == written_.mark.packets; }
    /// Bytes that wait, without sound that is still gathered.
    std::size_t size() const { return packets_.bytes().size(); }
    /// Everything so far, ended by a mark; valid until the next call.
    ByteSpan take();
    void written();
    void lost();

private:
    struct Track;
    /// What goes back when packets are lost.
    struct State {
        std::vector<Channel> channels;  // of the tables, then of the tracks
        bool begun = false;
        std::int64_t clock = 0, pcr = 0, tables_at = 0;
        std::int64_t reorder = 0;  // pts - dts of the last key picture
        Mark mark;
    };

    Track* find(std::uint32_t index) const;
    void map();
    void write_picture(Track& track, const td_packet& packet, std::int64_t pts, std::int64_t dts);
    void write_sound(Track& track, ByteSpan frame, std::int64_t pts, std::int64_t duration);
    void emit_sound(Track& track);
    void begin(std::int64_t time);
    void advance(std::int64_t time);
    void write_tables();
    Announcement announce(const Track& track, bool key);

    std::vector<std::unique_ptr<Track>> tracks_;
    std::size_t clock_track_ = 0;
    unsigned version_ = 0;  // of the program's map
    Bytes association_, map_;
    std::vector<Bytes> memo_;
    State now_, written_;
    PacketBuffer packets_;
    std::vector<ByteSpan> parts_;  // of the unit being written
};

}  // namespace tapedeck::ts
