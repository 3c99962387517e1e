// Reads an init moov back: what `init_moov` of movie.cpp writes.
#include <algorithm>

#include "movie.hpp"
#include "private_boxes.hpp"

namespace tapedeck::mp4 {
namespace {

/// The payload of a box that must be there, after the version byte 1 and three bytes of flags.
struct FullBox {
    std::uint32_t flags;
    ByteReader fields;
};

View init_box(View data, std::uint32_t type) {
    const auto found = find_box(data, type);
    if (!found) throw Malformed("a box of the init moov is missing");
    return *found;
}

FullBox need_full(View data, std::uint32_t type) {
    ByteReader reader(init_box(data, type));
    const std::uint32_t flags = reader.u32() & 0xffffff;
    return {flags, reader};
}

void read_tkhd(View trak, TrackHead& track) {
    auto [flags, fields] = need_full(trak, fourcc("tkhd"));
    track.enabled = (flags & 1) != 0;
    fields.take(16);
    track.id = fields.u32();
    fields.take(4 + 8 + 16 + 36);
    track.width = fields.u32() >> 16;
    track.height = fields.u32() >> 16;
}

void read_edit(View trak, TrackHead& track) {
    const auto edts = find_box(trak, fourcc("edts"));
    if (!edts) return;
    auto [flags, fields] = need_full(*edts, fourcc("elst"));
    fields.take(4 + 8);
    track.media_time = static_cast<std::int64_t>(fields.u64());
}

void read_entries(View stbl, TrackHead& track) {
    View stsd = init_box(stbl, fourcc("stsd"));
    if (stsd.size() < 8) throw Malformed("stsd is too short");
    stsd = stsd.subspan(8);
    while (const auto entry = next_box(stsd)) track.entries.emplace_back(entry->whole.begin(), entry->whole.end());
    if (track.entries.empty()) throw Malformed("a track without sample entry");
}

TrackHead read_track(View trak) {
    TrackHead track;
    read_tkhd(trak, track);
    read_edit(trak, track);
    const View mdia = init_box(trak, fourcc("mdia"));
    {
        auto [flags, fields] = need_full(mdia, fourcc("mdhd"));
        fields.take(16);
        track.timescale = fields.u32();
        fields.take(8);
        track.language = fields.u16();
    }
    {
        auto [flags, fields] = need_full(mdia, fourcc("hdlr"));
        fields.take(4);
        track.video = fields.u32() == fourcc("vide");
        fields.take(12);
        const View name = fields.rest();
        track.name.assign(name.begin(), std::ranges::find(name, 0));
    }
    read_entries(init_box(init_box(mdia, fourcc("minf")), fourcc("stbl")), track);
    constexpr std::int64_t far = std::int64_t{1} << 48;
    if (track.timescale == 0 || track.media_time < 0 || track.media_time > far)
        throw Malformed("a track's time line makes no sense");
    return track;
}

Movie read_movie(View payload) {
    Movie movie;
    ByteReader mvhd(init_box(payload, fourcc("mvhd")));
    mvhd.take(4);
    movie.creation_time = mvhd.u64();
    View rest = payload;
    bool has_memo = false;
    while (const auto box = next_box(rest)) {
        if (box->type == fourcc("trak")) movie.tracks.push_back(read_track(box->payload));
        if (box->type != fourcc("uuid")) continue;
        if (auto memo = parse_memo(box->payload)) {
            movie.memo = std::move(*memo);
            has_memo = true;
        }
    }
    if (!has_memo || movie.tracks.empty()) throw Malformed("no init moov of this writer");
    View mvex = init_box(payload, fourcc("mvex"));
    while (const auto box = next_box(mvex)) {
        ByteReader trex(box->payload);
        trex.take(4);
        const std::uint32_t id = trex.u32();
        trex.take(4);
        const std::uint32_t frame = trex.u32();
        for (auto& track : movie.tracks)
            if (track.id == id) track.frame = frame;
    }
    return movie;
}

}  // namespace

std::optional<TrackHead> parse_joined_track(View payload) {
    const auto content = private_content(payload, Private::Track);
    if (!content) return std::nullopt;
    try {
        ByteReader reader(*content);
        const std::uint32_t frame = reader.u32();
        TrackHead track = read_track(init_box(reader.rest(), fourcc("trak")));
        track.frame = frame;
        return track;
    } catch (const Malformed&) {
        return std::nullopt;
    }
}

std::optional<Movie> parse_init_moov(View payload) {
    try {
        return read_movie(payload);
    } catch (const Malformed&) {
        return std::nullopt;
    }
}

}  // namespace tapedeck::mp4
