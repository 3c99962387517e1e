#include "scanner.hpp"

#include <algorithm>
#include <deque>

#include "fragment.hpp"
#include "payload_check.hpp"
#include "pictures.hpp"
#include "private_boxes.hpp"

namespace tapedeck::mp4 {
namespace {

constexpr std::uint64_t head_limit = 4 << 20;  // of the init moov, of a moof, of a private box
constexpr std::size_t most_joined = 1000;      // tracks, and private boxes before one fragment
constexpr std::size_t most_unsure = 1 << 22;   // samples; an honest write has far fewer
constexpr std::size_t unsure_writes = 2;       // the last ones, of which some may never have reached the disk

/// One fragment whose samples are all there, or as many as are. Positions are those in the file.
struct Fragment {
    std::uint64_t start = 0;  // of the private boxes before it, else of its moof
    std::uint64_t moof = 0, mdat = 0, end = 0;
    std::uint32_t sequence = 0;
    bool torn = false;
    std::vector<NewEntry> entries;
    std::vector<FoundRun> runs;

    std::uint64_t position(const FoundRun& run) const { return moof + static_cast<std::uint64_t>(run.data_offset); }
};

class Scan {
public:
    explicit Scan(const Source& source) : source_(source), window_(source), size_(source.size()) {}

    std::optional<Found> run() {
        if (!read_head() || !find_data()) return std::nullopt;
        found_.tables.resize(found_.movie.tracks.size());
        descriptions_.assign(found_.movie.tracks.size(), 1);
        walk();
        for (; joined_ != 0 && found_.tables.back().empty(); --joined_) {  // torn before its first sample
            found_.tables.pop_back();
            found_.movie.tracks.pop_back();
        }
        return std::move(found_);
    }

private:
    std::optional<BoxHeader> header(std::uint64_t at) {
        if (at >= size_) return std::nullopt;
        return parse_box_header(window_.at(at, box_header_size));
    }

    bool read_head() {
        const auto first = header(0);
        if (!first || first->type != fourcc("ftyp") || first->size != Layout::init_at) return false;
        const auto init = header(Layout::init_at);
        // Its type is `moov` or, in a finished file, `free`; what is inside says more.
        if (!init || init->size < box_header_size || init->size > head_limit) return false;
        const View payload = window_.at(Layout::init_at + box_header_size, init->size - box_header_size);
        if (payload.size() < init->size - box_header_size) return false;
        auto movie = parse_init_moov(payload);
        if (!movie) return false;
        found_.movie = std::move(*movie);
        found_.layout.reserve_at = Layout::init_at + init->size;
        return true;
    }

    /// The 16 bytes in front of the first fragment: the marker, or the header of the final mdat.
    bool is_marker(std::uint64_t at) {
        if ((at + Layout::marker_size) % Layout::block != 0) return false;
        const View bytes = window_.at(at, Layout::marker_size);
        if (bytes.size() < Layout::marker_size) return false;
        limit_ = size_;
        if (std::ranges::equal(bytes, Layout::marker)) return true;
        ByteReader reader(bytes);
        if (reader.u32() != 1 || reader.u32() != fourcc("mdat")) return false;
        const std::uint64_t mdat = reader.u64();
        if (mdat < size_ - at) limit_ = at + std::max(mdat, Layout::marker_size);
        return true;
    }

    bool find_data() {
        Layout& layout = found_.layout;
        layout.reserve_is_stated = false;
        std::uint64_t at = layout.reserve_at;
        for (int boxes = 0; boxes < 4; ++boxes) {
            if (is_marker(at)) {
                layout.data_at = at + Layout::marker_size;
                layout.reserve_is_stated = boxes == 1 && header(layout.reserve_at)->type == fourcc("free");
                return true;
            }
            const auto box = header(at);
            if (!box || box->size < box_header_size) break;
            if (box->type != fourcc("free") && box->type != fourcc("moov")) break;
            at += box->size;
        }
        // Blocks were inserted, but a crash came before P's header was enlarged over them.
        for (at = Layout::up(layout.reserve_at + box_header_size) + Layout::block; at <= size_; at += Layout::block) {
            if (!is_marker(at - Layout::marker_size)) continue;
            layout.data_at = at;
            return true;
        }
        return false;
    }

    void walk() {
        std::uint64_t at = found_.layout.data_at;
        while (auto fragment = read_fragment(at)) {
            at = fragment->end;
            const bool torn = fragment->torn;
            if (begins_write(*fragment) && ++writes_ > unsure_writes) keep_write();
            for (const FoundRun& run : fragment->runs) unsure_ += run.samples.size();
            last_.push_back(std::move(*fragment));
            if (torn) break;
            if (unsure_ > most_unsure) keep_write();
        }
        for (Fragment& fragment : last_) {
            const bool whole = verify(fragment);
            if (fragment.runs.empty()) break;
            keep(fragment);
            if (!whole) break;
        }
    }

    bool begins_write(const Fragment& fragment) const {
        return last_.empty() || fragment.sequence != last_.back().sequence + same_write_step;
    }

    /// The oldest write in `last_` is on the disk.
    void keep_write() {
        std::uint32_t next = 0;
        do {
            next = last_.front().sequence + same_write_step;
            for (const FoundRun& run : last_.front().runs) unsure_ -= run.samples.size();
            keep(last_.front());
            last_.pop_front();
        } while (!last_.empty() && last_.front().sequence == next);
        --writes_;
    }

    bool add_track(TrackHead track) {
        auto& tracks = found_.movie.tracks;
        if (++joined_ > most_joined || std::ranges::count(tracks, track.id, &TrackHead::id) != 0) return false;
        tracks.push_back(std::move(track));
        found_.tables.emplace_back();
        descriptions_.push_back(1);
        return true;
    }

    std::optional<Fragment> read_fragment(std::uint64_t at) {
        Fragment fragment;
        fragment.start = at;
        for (;;) {
            const auto box = header(at);
            if (!box || box->size < box_header_size || box->size > head_limit) return std::nullopt;
            if (box->size > limit_ - std::min(limit_, at)) return std::nullopt;
            const View payload = window_.at(at + box_header_size, box->size - box_header_size);
            if (payload.size() < box->size - box_header_size) return std::nullopt;
            auto content = box->type == fourcc("moof") ? std::optional(payload) : std::nullopt;
            if (box->type == fourcc("uuid")) content = private_content(payload, Private::Fragment);
            if (!content) {
                if (box->type != fourcc("uuid") || !take_private_box(payload, fragment)) return std::nullopt;
                at += box->size;
                continue;
            }
            auto found = parse_moof(*content, found_.movie.tracks);
            if (!found) return std::nullopt;
            fragment.runs = std::move(found->runs);
            fragment.sequence = found->sequence;
            fragment.moof = at;
            fragment.mdat = at + box->size;
            break;
        }
        const auto mdat = header(fragment.mdat);
        if (!mdat || mdat->type != fourcc("mdat") || mdat->size < box_header_size) return std::nullopt;
        if (fragment.mdat + box_header_size > limit_) return std::nullopt;
        fragment.end = fragment.mdat + mdat->size;
        if (!drop_missing(fragment)) return std::nullopt;
        return fragment;
    }

    /// What stands before a fragment. False when it is none of ours.
    bool take_private_box(View payload, Fragment& fragment) {
        if (auto entry = parse_new_entry(payload)) {
            fragment.entries.push_back(std::move(*entry));
            return fragment.entries.size() <= most_joined;
        }
        auto track = parse_joined_track(payload);
        return track && add_track(std::move(*track));
    }

    /// Keeps the samples that lie within the mdat and the file. False when none does.
    bool drop_missing(Fragment& fragment) {
        fragment.torn = fragment.end > limit_;
        const std::uint64_t there = std::min(fragment.end, limit_);
        std::uint64_t last = 0;
        for (FoundRun& run : fragment.runs) {
            std::uint64_t at = fragment.position(run);
            if (run.data_offset < 0 || at < fragment.mdat + box_header_size) return false;
            std::size_t whole = 0;
            while (whole < run.samples.size() && at <= there && run.samples[whole].size <= there - at)
                at += run.samples[whole++].size;
            run.samples.resize(whole);
            if (whole != 0) last = std::max(last, at);
        }
        std::erase_if(fragment.runs, [](const FoundRun& run) { return run.samples.empty(); });
        if (fragment.torn) fragment.end = last;
        return !fragment.runs.empty();
    }

    static bool is_whole(const TrackHead& track, View sample) {
        if (!track.video) return is_sound(sample);
        return has_nal_units(track.entries.front()) ? is_access_unit(sample) : is_picture(sample);
    }

    /// Cuts the fragment before the first sample whose bytes never reached the disk. False when it cut.
    bool verify(Fragment& fragment) {
        Bytes bytes;
        for (std::size_t r = 0; r < fragment.runs.size(); ++r) {
            FoundRun& run = fragment.runs[r];
            const auto track = std::ranges::find(found_.movie.tracks, run.track_id, &TrackHead::id);
            std::uint64_t at = fragment.position(run);
            for (std::size_t i = 0; i < run.samples.size(); ++i) {
                bytes.resize(run.samples[i].size);
                const bool read = source_.read(at, bytes) == bytes.size();
                if (read && is_whole(*track, bytes)) {
                    at += bytes.size();
                    continue;
                }
                run.samples.resize(i);
                fragment.runs.resize(i == 0 ? r : r + 1);
                fragment.end = at;
                fragment.torn = true;
                return false;
            }
        }
        return true;
    }

    void keep(const Fragment& fragment) {
        auto& tracks = found_.movie.tracks;
        for (const NewEntry& entry : fragment.entries) {
            const auto track = std::ranges::find(tracks, entry.track_id, &TrackHead::id);
            if (track == tracks.end()) continue;
            descriptions_[static_cast<std::size_t>(track - tracks.begin())] = track->add_entry(entry.entry);
        }
        for (const FoundRun& found : fragment.runs) {
            const auto track = std::ranges::find(tracks, found.track_id, &TrackHead::id);
            const auto index = static_cast<std::size_t>(track - tracks.begin());
            Run run;
            run.position = fragment.position(found) - found_.layout.data_at;
            run.decode_time = found.decode_time;
            run.description = descriptions_[index];
            found_.tables[index].append(run, found.samples);
            found_.samples += found.samples.size();
        }
        found_.layout.data_size = fragment.end - found_.layout.data_at;
        found_.layout.torn.reset();
        if (fragment.torn)
            found_.layout.torn = Layout::Torn{fragment.mdat - found_.layout.data_at,
                                              static_cast<std::uint32_t>(fragment.end - fragment.mdat)};
    }

    const Source& source_;
    Window window_;
    std::uint64_t size_, limit_ = 0;
    Found found_;
    std::vector<std::uint32_t> descriptions_;
    std::deque<Fragment> last_;
    std::size_t writes_ = 0;  // that brought them
    std::size_t unsure_ = 0;  // samples of them
    std::size_t joined_ = 0;  // tracks that the init moov does not name
};

}  // namespace

std::optional<Found> scan(const Source& source) {
    return Scan(source).run();
}

}  // namespace tapedeck::mp4
