#include "movie.hpp"

#include <algorithm>

#include "fragment.hpp"
#include "private_boxes.hpp"
#include "table_boxes.hpp"

namespace tapedeck::mp4 {
namespace {

void write_matrix(BoxWriter& writer) {
    for (const std::uint32_t value : {0x10000u, 0u, 0u, 0u, 0x10000u, 0u, 0u, 0u, 0x40000000u}) writer.u32(value);
}

void write_times(BoxWriter& writer, const Movie& movie) {
    writer.u64(movie.creation_time);
    writer.u64(movie.creation_time);  // of modification
}

void write_mvhd(BoxWriter& writer, const Movie& movie, std::uint64_t duration) {
    const auto box = writer.full_box(fourcc("mvhd"), 1, 0);
    write_times(writer, movie);
    writer.u32(movie_timescale);
    writer.u64(duration);
    writer.u32(0x00010000);  // rate 1
    writer.u16(0x0100);      // volume 1
    writer.zeros(10);
    write_matrix(writer);
    writer.zeros(24);
    std::uint32_t last = 0;
    for (const auto& track : movie.tracks) last = std::max(last, track.id);
    writer.u32(last + 1);
}

void write_tkhd(BoxWriter& writer, const Movie& movie, const TrackHead& track, std::uint64_t duration) {
    const auto box = writer.full_box(fourcc("tkhd"), 1, track.enabled ? 3 : 2);
    write_times(writer, movie);
    writer.u32(track.id);
    writer.u32(0);
    writer.u64(duration);
    writer.zeros(8 + 2 + 2);
    writer.u16(track.video ? 0 : 0x0100);
    writer.u16(0);
    write_matrix(writer);
    writer.u32(track.width << 16);
    writer.u32(track.height << 16);
}

/// An optional pause, then the media from `media_time` on. Durations in ticks of the movie.
void write_edits(BoxWriter& writer, std::uint64_t pause, std::uint64_t duration, std::int64_t media_time) {
    if (pause == 0 && media_time == 0) return;
    const auto edts = writer.box(fourcc("edts"));
    const auto elst = writer.full_box(fourcc("elst"), 1, 0);
    const auto edit = [&](std::uint64_t length, std::int64_t from) {
        writer.u64(length);
        writer.u64(static_cast<std::uint64_t>(from));
        writer.u32(0x00010000);
    };
    writer.u32(pause != 0 ? 2 : 1);
    if (pause != 0) edit(pause, -1);
    edit(duration, media_time);
}

/// Everything of `mdia` up to the tables, which `tables` appends; it gives the media's duration.
template <class Tables>
void write_mdia(BoxWriter& writer, const Movie& movie, const TrackHead& track, Tables tables) {
    const auto mdia = writer.box(fourcc("mdia"));
    std::size_t duration_at = 0;
    {
        const auto box = writer.full_box(fourcc("mdhd"), 1, 0);
        write_times(writer, movie);
        writer.u32(track.timescale);
        duration_at = writer.position();
        writer.u64(0);
        writer.u16(track.language);
        writer.u16(0);
    }
    {
        const auto box = writer.full_box(fourcc("hdlr"), 0, 0);
        writer.u32(0);
        writer.u32(track.video ? fourcc("vide") : fourcc("soun"));
        writer.zeros(12);
        writer.text(track.name);
        writer.u8(0);
    }
    const auto minf = writer.box(fourcc("minf"));
    if (track.video) {
        const auto box = writer.full_box(fourcc("vmhd"), 0, 1);
        writer.zeros(8);
    } else {
        const auto box = writer.full_box(fourcc("smhd"), 0, 0);
        writer.zeros(4);
    }
    {
        const auto dinf = writer.box(fourcc("dinf"));
        const auto dref = writer.full_box(fourcc("dref"), 0, 0);
        writer.u32(1);
        const auto url = writer.full_box(fourcc("url "), 0, 1);
    }
    const auto stbl = writer.box(fourcc("stbl"));
    {
        const auto box = writer.full_box(fourcc("stsd"), 0, 0);
        writer.u32(static_cast<std::uint32_t>(track.entries.size()));
        for (const auto& entry : track.entries) writer.bytes(entry);
    }
    const std::uint64_t duration = tables();
    writer.put_u32(duration_at, static_cast<std::uint32_t>(duration >> 32));
    writer.put_u32(duration_at + 4, static_cast<std::uint32_t>(duration));
}

void write_empty_tables(BoxWriter& writer) {
    for (const auto type : {fourcc("stts"), fourcc("stsc"), fourcc("stsz"), fourcc("stco")}) {
        const auto box = writer.full_box(type, 0, 0);
        if (type == fourcc("stsz")) writer.u32(0);
        writer.u32(0);
    }
}

/// A track without samples.
void write_empty_track(BoxWriter& writer, const Movie& movie, const TrackHead& track) {
    const auto trak = writer.box(fourcc("trak"));
    write_tkhd(writer, movie, track, 0);
    write_edits(writer, 0, 0, track.media_time);
    write_mdia(writer, movie, track, [&] {
        write_empty_tables(writer);
        return std::uint64_t{0};
    });
}

void write_mvex(BoxWriter& writer, const Movie& movie) {
    const auto mvex = writer.box(fourcc("mvex"));
    for (const auto& track : movie.tracks) {
        const auto trex = writer.full_box(fourcc("trex"), 0, 0);
        writer.u32(track.id);
        writer.u32(1);
        writer.u32(track.frame);
        writer.u32(0);
        writer.u32(track.video ? sample_flags_other : sample_flags_key);
    }
}

/// `ticks` of a track in ticks of the movie; what is shown never ends too early.
std::uint64_t movie_ticks(std::int64_t ticks, std::uint32_t timescale) {
    if (ticks <= 0 || timescale == 0) return 0;
    const auto value = static_cast<std::uint64_t>(ticks);
    return value / timescale * movie_timescale + (value % timescale * movie_timescale + timescale - 1) / timescale;
}

/// How much of a track is shown, from time 0 on, in its own ticks.
std::int64_t shown_ticks(const TrackHead& track, const SampleTable& table) {
    return std::min(table.end_time(), track.media_end) - track.media_time;
}

}  // namespace

Bytes file_type() {
    Bytes out;
    BoxWriter writer(out);
    {
        const auto box = writer.box(fourcc("ftyp"));
        writer.text("isom");
        writer.u32(0x200);
        writer.text("isomiso6mp41avc1");
    }
    return out;
}

Bytes init_moov(const Movie& movie) {
    Bytes out;
    BoxWriter writer(out);
    {
        const auto moov = writer.box(fourcc("moov"));
        write_mvhd(writer, movie, 0);
        for (const auto& track : movie.tracks) write_empty_track(writer, movie, track);
        write_mvex(writer, movie);
        write_memo(writer, movie.memo);
    }
    return out;
}

void write_joined_track(BoxWriter& writer, const Movie& movie, const TrackHead& track) {
    const auto uuid = writer.box(fourcc("uuid"));
    write_id(writer, Private::Track);
    writer.u32(track.frame);  // what `mvex` would say
    write_empty_track(writer, movie, track);
}

Bytes final_moov(const Movie& movie, std::span<const SampleTable> tables, std::uint64_t data_at, bool wide_offsets) {
    Bytes out;
    BoxWriter writer(out);
    {
        const auto moov = writer.box(fourcc("moov"));
        std::uint64_t duration = 0;
        for (std::size_t i = 0; i < tables.size(); ++i)
            if (!tables[i].empty())
                duration =
                    std::max(duration, movie_ticks(shown_ticks(movie.tracks[i], tables[i]), movie.tracks[i].timescale));
        write_mvhd(writer, movie, duration);
        for (std::size_t i = 0; i < tables.size(); ++i) {
            const TrackHead& track = movie.tracks[i];
            if (tables[i].empty()) continue;
            const Placement placement = place(tables[i], track.video, track.media_time);
            const std::uint64_t end = movie_ticks(shown_ticks(track, tables[i]), track.timescale);
            const std::uint64_t pause = std::min(end, movie_ticks(placement.pause, track.timescale));
            const auto trak = writer.box(fourcc("trak"));
            write_tkhd(writer, movie, track, end);
            write_edits(writer, pause, end - pause, placement.media_time);
            write_mdia(writer, movie, track, [&] {
                return write_table_boxes(writer, tables[i], placement, track.video, data_at, wide_offsets);
            });
        }
    }
    return out;
}

std::int64_t shown_duration_us(const Movie& movie, std::span<const SampleTable> tables) {
    std::int64_t longest = 0;
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const std::int64_t ticks = shown_ticks(movie.tracks[i], tables[i]);
        const std::int64_t scale = movie.tracks[i].timescale;
        if (tables[i].empty() || ticks <= 0) continue;
        longest = std::max(longest, ticks / scale * 1000000 + ticks % scale * 1000000 / scale);
    }
    return longest;
}

}  // namespace tapedeck::mp4
