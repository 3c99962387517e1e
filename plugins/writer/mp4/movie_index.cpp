#include "movie_index.hpp"

#include <algorithm>
#include <limits>

#include "fragment.hpp"
#include "tapedeck/context.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::mp4 {
namespace {

constexpr std::uint64_t most_moov = std::uint64_t{1} << 30;
constexpr std::int64_t most_seconds = std::int64_t{1} << 30;  // of any time in a file

View index_box(View data, std::uint32_t type) {
    const auto found = find_box(data, type);
    if (!found) throw Malformed("a box of the index is missing");
    return *found;
}

/// A full box whose times have 32 bits in version 0 and 64 bits in version 1.
class TimedBox {
public:
    explicit TimedBox(View payload) : fields(payload) {
        const std::uint32_t head = fields.u32();
        wide_ = head >> 24 != 0;
        flags = head & 0xffffff;
    }
    std::uint64_t time() { return wide_ ? fields.u64() : fields.u32(); }
    std::int64_t signed_time() {
        return wide_ ? static_cast<std::int64_t>(fields.u64())
                     : static_cast<std::int64_t>(static_cast<std::int32_t>(fields.u32()));
    }

    ByteReader fields;
    std::uint32_t flags = 0;

private:
    bool wide_ = false;
};

std::uint32_t timescale_of(std::uint32_t value) {
    if (value == 0 || value > std::uint32_t{std::numeric_limits<std::int32_t>::max()})
        throw Malformed("a timescale makes no sense");
    return value;
}

td_rational ticks_of(std::uint32_t timescale) {
    return {1, static_cast<std::int32_t>(timescale)};
}

/// The place of the first edit that shows media, after the empty ones before it. Of several such edits the media is
/// shown from the first one's start to its own end.
void read_edits(View trak, std::uint32_t movie_scale, std::int64_t shift, TrackHead& track) {
    track.media_time = shift;
    const auto edts = find_box(trak, fourcc("edts"));
    if (!edts) return;
    TimedBox elst(index_box(*edts, fourcc("elst")));
    const std::uint32_t count = elst.fields.u32();
    std::int64_t pause = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint64_t length = elst.time();
        const std::int64_t from = elst.signed_time();
        elst.fields.take(4);
        const auto seconds = static_cast<std::uint64_t>(most_seconds);
        if (length / movie_scale > seconds || from / track.timescale > most_seconds || from < -1)
            throw Malformed("an edit makes no sense");
        const std::int64_t ticks =
            rescale(static_cast<std::int64_t>(length), ticks_of(movie_scale), ticks_of(track.timescale));
        if (from == -1) {
            pause += ticks;
            if (pause / track.timescale > most_seconds) throw Malformed("the pauses of a track last for years");
            continue;
        }
        track.media_time = from + shift - pause;
        if (length != 0 && i + 1 == count) track.media_end = from + shift + ticks;
        return;
    }
}

void read_sample_entry(View stbl, TrackHead& track) {
    ByteReader stsd(index_box(stbl, fourcc("stsd")));
    stsd.take(8);
    View entries = stsd.rest();
    while (const auto entry = next_box(entries)) track.entries.emplace_back(entry->whole.begin(), entry->whole.end());
    if (track.entries.empty()) throw Malformed("a track without sample entry");
}

/// Nothing for a track that is neither pictures nor sound.
std::optional<IndexedTrack> read_track(View trak, std::uint32_t movie_scale) {
    TrackHead head;
    const View mdia = index_box(trak, fourcc("mdia"));
    TimedBox hdlr(index_box(mdia, fourcc("hdlr")));
    hdlr.fields.take(4);
    const std::uint32_t handler = hdlr.fields.u32();
    head.video = handler == fourcc("vide");
    if (!head.video && handler != fourcc("soun")) return std::nullopt;
    hdlr.fields.take(12);
    const View name = hdlr.fields.rest();
    head.name.assign(name.begin(), std::ranges::find(name, 0));

    TimedBox tkhd(index_box(trak, fourcc("tkhd")));
    head.enabled = (tkhd.flags & 1) != 0;
    tkhd.time();
    tkhd.time();
    head.id = tkhd.fields.u32();
    tkhd.fields.take(4);
    tkhd.time();
    tkhd.fields.take(16 + 36);
    head.width = tkhd.fields.u32() >> 16;
    head.height = tkhd.fields.u32() >> 16;

    TimedBox mdhd(index_box(mdia, fourcc("mdhd")));
    mdhd.time();
    mdhd.time();
    head.timescale = timescale_of(mdhd.fields.u32());
    mdhd.time();
    head.language = mdhd.fields.u16();

    const View stbl = index_box(index_box(mdia, fourcc("minf")), fourcc("stbl"));
    read_sample_entry(stbl, head);
    TrackIndex index(stbl);
    if (index.duration() / head.timescale > most_seconds) throw Malformed("a track lasts for years");
    read_edits(trak, movie_scale, index.shift(), head);
    return IndexedTrack{std::move(head), std::move(index)};
}

/// A box of the file's top level.
struct TopBox {
    std::uint64_t at = 0, size = 0, header = box_header_size;
    std::uint32_t type = 0;
};

std::optional<TopBox> top_box(const Source& source, std::uint64_t at, std::uint64_t end) {
    std::array<std::uint8_t, 16> bytes{};
    const std::size_t got = source.read(at, bytes);
    const auto header = parse_box_header(View(bytes).first(got));
    if (!header) return std::nullopt;
    TopBox box{at, header->size, box_header_size, header->type};
    if (header->size == 1 && got == bytes.size()) {
        box.header = bytes.size();
        box.size = ByteReader(View(bytes).subspan(box_header_size)).u64();
    } else if (header->size == 0) {
        box.size = end - at;
    }
    if (box.size < box.header || box.size > end - at) return std::nullopt;
    return box;
}

Bytes payload_of(const Source& source, const TopBox& box) {
    if (box.size > most_moov) throw Malformed("the index is larger than 1 GiB");
    Bytes payload(static_cast<std::size_t>(box.size - box.header));
    if (source.read(box.at + box.header, payload) != payload.size()) throw Malformed("the index is cut");
    return payload;
}

/// Of a file that is still recorded, or was never finished.
Bytes unfinished_moov(const Source& source) {
    const auto found = scan(source);
    if (!found) throw Error(TD_UNSUPPORTED, "fragmented MP4 files of another program cannot be cut");
    Bytes moov = final_moov(found->movie, found->tables, found->layout.data_at, true);
    moov.erase(moov.begin(), moov.begin() + box_header_size);
    return moov;
}

}  // namespace

std::int64_t IndexedTrack::end_time() const {
    return std::min(index.end_time(), head.media_end);
}

std::int64_t IndexedTrack::media_time(std::int64_t us) const {
    return to_ticks(us, ticks_of(head.timescale)) + head.media_time;
}

MovieIndex MovieIndex::read(const Source& source) {
    const std::uint64_t end = source.size();
    constexpr int most_boxes = 1000;
    int boxes = 0;
    for (std::uint64_t at = 0; at < end && boxes < most_boxes; ++boxes) {
        const auto box = top_box(source, at, end);
        if (!box) break;
        if (box->type == fourcc("moov")) {
            Bytes payload = payload_of(source, *box);
            if (find_box(payload, fourcc("mvex"))) payload = unfinished_moov(source);
            return MovieIndex(std::move(payload));
        }
        at += box->size;
    }
    throw Malformed("no index was found; this is no MP4 file or it is not complete");
}

MovieIndex::MovieIndex(Bytes moov) : moov_(std::move(moov)) {
    TimedBox mvhd(index_box(moov_, fourcc("mvhd")));
    creation_time_ = mvhd.time();
    mvhd.time();
    const std::uint32_t scale = timescale_of(mvhd.fields.u32());
    View rest = moov_;
    while (const auto box = next_box(rest)) {
        if (box->type != fourcc("trak")) continue;
        if (auto track = read_track(box->payload, scale)) tracks_.push_back(std::move(*track));
    }
}

std::int64_t MovieIndex::duration_us() const {
    std::int64_t longest = 0;
    for (const IndexedTrack& track : tracks_) {
        if (track.index.samples() == 0) continue;
        longest = std::max(longest, to_us(track.end_time() - track.head.media_time, ticks_of(track.head.timescale)));
    }
    return longest;
}

}  // namespace tapedeck::mp4
