#include "cut.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <string>

#include "layout.hpp"
#include "tapedeck/context.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::mp4 {
namespace {

constexpr std::uint64_t most_hole = 64 << 10;     // between two samples, copied rather than left out
constexpr std::uint32_t most_samples = 1u << 24;  // of one track: days of it

std::string seconds(std::int64_t us) {
    std::string text = std::to_string(us / 1'000'000) + '.' + std::to_string(1'000'000 + us % 1'000'000).substr(1, 3);
    return text + " s";
}

/// The samples of one track that go into the part, and the times of what is shown, on the time line of the samples.
struct Selection {
    std::uint32_t first = 0, end = 0;
    std::optional<std::uint32_t> moved;  ///< the picture that is on show at `from`
    std::int64_t from = 0, to = 0;

    bool empty() const { return first >= end; }
};

/// A picture that begins within half a millisecond after it counts as being there: people round times.
std::int64_t soon(const IndexedTrack& track, std::int64_t from) {
    return from + track.head.timescale / 2000;
}

/// The last key sample that is shown by then; the first sample where there is none.
std::uint32_t key_before(const TrackIndex& index, std::int64_t time) {
    std::uint32_t key = index.key_at(index.decoded_at(time));
    while (key > 0 && index.shown_at(key) > time) key = index.key_at(key - 1);
    return key;
}

void select_pictures(const IndexedTrack& track, Selection& part) {
    const std::int64_t limit = soon(track, part.from);
    part.first = key_before(track.index, limit);
    const std::uint32_t last = track.index.decoded_at(limit);
    TrackIndex::Cursor cursor(track.index, part.first);
    std::int64_t best = 0;
    for (std::uint32_t i = part.first; i <= last; ++i) {
        const std::int64_t shown = cursor.next().shown_at();
        if (shown > limit || (part.moved && shown < best)) continue;
        part.moved = i;
        best = shown;
    }
    if (part.moved) part.from = std::max(part.from, best);
}

Selection select(const IndexedTrack& track, std::int64_t from_us, std::int64_t to_us) {
    Selection part;
    if (track.index.samples() == 0) return part;
    part.from = track.media_time(from_us);
    part.to = track.end_time();
    if (to_us != TD_NO_TIME) part.to = std::min(part.to, track.media_time(to_us));
    if (part.from >= part.to || part.to <= 0) return part;
    if (track.head.video) {
        select_pictures(track, part);
    } else {
        part.first = track.index.decoded_at(part.from);
        if (part.first > 0) --part.first;
    }
    if (track.index.shown_at(part.first) < part.to) part.end = track.index.decoded_at(part.to - 1) + 1;
    return part;
}

/// The samples of one chunk that are wanted.
struct Piece {
    std::size_t track = 0;
    std::uint64_t position = 0, bytes = 0;
    std::int64_t decode_time = 0;
    std::uint32_t description = 1;
    std::size_t first = 0, count = 0;  ///< among the samples of its track
};

class Plan {
public:
    Plan(std::uint64_t creation_time, std::uint64_t file_size) : file_size_(file_size) {
        cut_.movie.creation_time = creation_time;
    }

    void add(const IndexedTrack& track, const Selection& part) {
        if (part.end - part.first > most_samples)
            throw Error(TD_UNSUPPORTED, "the part has more than 16 million samples; ask for a shorter one");
        TrackHead head = track.head;
        head.id = static_cast<std::uint32_t>(cut_.movie.tracks.size() + 1);
        head.media_time = part.from;
        head.media_end = part.to;
        cut_.movie.tracks.push_back(std::move(head));
        auto& samples = samples_.emplace_back();
        TrackIndex::Cursor cursor(track.index, part.first);
        std::optional<std::uint32_t> chunk;
        for (std::uint32_t i = part.first; i < part.end; ++i) {
            const IndexedSample sample = cursor.next();
            check(sample, track);
            if (chunk != sample.chunk) begin_piece(sample, samples.size());
            chunk = sample.chunk;
            pieces_.back().bytes += sample.size;
            ++pieces_.back().count;
            samples.push_back(sample);
            if (part.moved == i) samples.back().composition = composition(part.from, sample);
        }
    }

    Cut finish() {
        choose_ranges();
        cut_.tables.resize(cut_.movie.tracks.size());
        for (const Piece& piece : pieces_) {
            const Run run{place_of(piece.position), piece.decode_time, piece.description};
            cut_.tables[piece.track].append(run, std::span(samples_[piece.track]).subspan(piece.first, piece.count));
        }
        return std::move(cut_);
    }

private:
    /// Of a picture that is shown from `time` on, when it is shown before.
    static std::int32_t composition(std::int64_t time, const IndexedSample& sample) {
        constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
        return static_cast<std::int32_t>(std::clamp<std::int64_t>(time - sample.decode_time, sample.composition, most));
    }

    void check(const IndexedSample& sample, const IndexedTrack& track) const {
        if (sample.position > file_size_ || sample.size > file_size_ - sample.position)
            throw Error(TD_MALFORMED, "a sample lies behind the end of the file; the file was cut off");
        if (sample.description == 0 || sample.description > track.head.entries.size())
            throw Error(TD_MALFORMED, "a sample has a description that the file lacks");
    }

    void begin_piece(const IndexedSample& sample, std::size_t first) {
        Piece piece;
        piece.track = samples_.size() - 1;
        piece.position = sample.position;
        piece.decode_time = sample.decode_time;
        piece.description = sample.description;
        piece.first = first;
        pieces_.push_back(piece);
    }

    /// All pieces in whole blocks, the holes between them left out where they are large.
    void choose_ranges() {
        std::vector<const Piece*> by_position;
        for (const Piece& piece : pieces_) by_position.push_back(&piece);
        std::ranges::sort(by_position, {}, &Piece::position);
        for (const Piece* piece : by_position) {
            const std::uint64_t from = piece->position / Layout::block * Layout::block;
            const std::uint64_t to = std::min(Layout::up(piece->position + piece->bytes), file_size_);
            if (cut_.ranges.empty() || from > cut_.ranges.back().at + cut_.ranges.back().size + most_hole) {
                places_.push_back(cut_.bytes());
                cut_.ranges.push_back({from, to - from});
            } else {
                CopiedRange& last = cut_.ranges.back();
                last.size = std::max(last.size, to - last.at);
            }
        }
    }

    /// Where a byte of the source lies in the part.
    std::uint64_t place_of(std::uint64_t position) const {
        const auto behind = std::ranges::upper_bound(cut_.ranges, position, {}, &CopiedRange::at);
        const auto range = std::prev(behind);
        return places_[static_cast<std::size_t>(range - cut_.ranges.begin())] + (position - range->at);
    }

    std::uint64_t file_size_;
    Cut cut_;
    std::vector<Piece> pieces_;
    std::vector<std::vector<Sample>> samples_;  // of each track
    std::vector<std::uint64_t> places_;         // of each range in the part
};

/// The start of the key frame that comes before `from`.
std::int64_t key_frame_before(const MovieIndex& index, std::int64_t from_us) {
    for (const IndexedTrack& track : index.tracks()) {
        if (!track.head.video || track.index.samples() == 0) continue;
        const std::uint32_t key = key_before(track.index, soon(track, track.media_time(from_us)));
        const td_rational ticks{1, static_cast<std::int32_t>(track.head.timescale)};
        const std::int64_t shown = to_us(track.index.shown_at(key) - track.head.media_time, ticks);
        return std::clamp<std::int64_t>(shown, 0, from_us);
    }
    return from_us;
}

}  // namespace

std::uint64_t Cut::bytes() const {
    std::uint64_t sum = 0;
    for (const CopiedRange& range : ranges) sum += range.size;
    return sum;
}

Cut plan_cut(const MovieIndex& index, std::uint64_t file_size, const CutTimes& times) {
    const std::int64_t duration = index.duration_us();
    if (times.from < 0 || times.from >= duration)
        throw Error(TD_NOT_FOUND, "the start at " + seconds(times.from) + " is not within the file, which lasts " +
                                      seconds(duration));
    if (times.to != TD_NO_TIME && times.to > duration + 1'000'000)
        throw Error(TD_NOT_FOUND,
                    "the end at " + seconds(times.to) + " is behind the file's own, which lasts " + seconds(duration));
    const std::int64_t from = times.exact ? times.from : key_frame_before(index, times.from);
    Plan plan(index.creation_time(), file_size);
    for (const IndexedTrack& track : index.tracks()) {
        const Selection part = select(track, from, times.to);
        if (!part.empty()) plan.add(track, part);
    }
    Cut cut = plan.finish();
    if (cut.ranges.empty()) throw Error(TD_NOT_FOUND, "nothing is shown between " + seconds(from) + " and the end");
    return cut;
}

}  // namespace tapedeck::mp4
