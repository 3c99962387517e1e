#include "writer.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "file_source.hpp"
#include "finaliser.hpp"
#include "fragment.hpp"
#include "private_boxes.hpp"
#include "scanner.hpp"

namespace tapedeck::mp4 {
namespace {

// A host that is late with `flush` gets its fragments all the same, before they grow out of bounds.
constexpr std::uint64_t most_pending_bytes = 32 << 20;
constexpr std::size_t most_pending_samples = 1 << 14;
constexpr std::size_t most_tracks = 1000;

// What a source ahead of real time has piled up is cut, so that pictures and sound of a time lie together in the file.
constexpr std::int64_t fragment_us = 1'000'000;
constexpr std::int64_t longest_fragment_us = 1'500'000;

}  // namespace

void Mp4Writer::take_settings(const td_recording& recording) {
    const Context settings = context_.with(recording.options);
    moov_first_ = settings.boolean(moov_first);
    const bool reserves = moov_first_ && settings.boolean(reserve);
    reserve_bytes_ = reserves ? static_cast<std::uint64_t>(settings.integer(reserve_size)) * 1024 : 0;
}

void Mp4Writer::open(File file, const td_recording& recording, std::span<const td_track* const> tracks) {
    take_settings(recording);
    file_ = file;
    const std::int64_t start = recording.start_us == TD_NO_TIME ? 0 : std::max<std::int64_t>(recording.start_us, 0);
    movie_.creation_time = mac_epoch + static_cast<std::uint64_t>(start / 1000000);
    movie_.memo = view(recording.memo);
    for (const td_track* track : tracks) add_track(*track);
    if (recorded_.empty()) throw Error(TD_UNSUPPORTED, "an MP4 file needs at least one track");
}

void Mp4Writer::add_track(const td_track& track) {
    if (recorded_.size() >= most_tracks) throw Error(TD_UNSUPPORTED, "more than 1000 tracks in an MP4 file");
    const auto number = static_cast<std::uint32_t>(recorded_.size() + 1);
    auto fresh = std::make_unique<RecordedTrack>(context_.host(), track, number, false);
    const bool is_first =
        std::ranges::none_of(recorded_, [&](const auto& other) { return other->head().video == fresh->head().video; });
    fresh->enable(is_first);
    if (layout_) fresh->join();
    recorded_.push_back(std::move(fresh));
    tables_.emplace_back();
}

RecordedTrack* Mp4Writer::find(std::uint32_t index) {
    for (const auto& track : recorded_)
        if (track->index() == index) return track.get();
    return nullptr;
}

void Mp4Writer::track(const td_track& track) {
    RecordedTrack* known = find(track.index);
    if (known == nullptr) return add_track(track);
    if (known->is_current(track)) return;
    try {
        flush();
    } catch (const Error&) {
        known->change(track);  // what was pending is lost, what follows is not
        throw;
    }
    known->change(track);
}

void Mp4Writer::write(const td_packet& packet) {
    if ((packet.flags & TD_PACKET_CONFIG_CHANGED) != 0 && packet.changed != nullptr) track(*packet.changed);
    RecordedTrack* known = find(packet.track);
    if (known == nullptr) throw Error(TD_MALFORMED, "a packet of unknown track " + std::to_string(packet.track));
    if (packet.data_size == 0) throw Error(TD_MALFORMED, "an empty packet of track " + std::to_string(packet.track));
    if (known->bytes() + packet.data_size > most_pending_bytes || known->count() >= most_pending_samples) flush();
    known->add(packet);
}

void Mp4Writer::flush() {
    if (std::ranges::all_of(recorded_, [](const auto& track) { return track->empty(); })) return;
    // Whatever happens, these packets are not tried again: what fails is lost, the next fragment takes its place.
    struct Clear {
        std::vector<std::unique_ptr<RecordedTrack>>& tracks;
        ~Clear() {
            for (const auto& track : tracks) track->clear();
        }
    } clear{recorded_};
    if (!layout_) write_head();
    write_fragments();
}

void Mp4Writer::write_head() {
    for (const auto& track : recorded_) {
        track->settle();
        movie_.tracks.push_back(track->head());
    }
    Bytes head = file_type();
    const Bytes init = init_moov(movie_);
    movie_.tracks.clear();
    named_ = recorded_.size();
    const Layout layout = Layout::plan(init.size(), reserve_bytes_);
    BoxWriter writer(head);
    writer.bytes(init);
    writer.u32(static_cast<std::uint32_t>(layout.room()));
    writer.u32(fourcc("free"));
    file_.write(0, std::array{td_bytes{head.data(), head.size()}});
    layout_ = layout;
}

void Mp4Writer::write_fragments() {
    boxes_.clear();
    spans_.clear();
    runs_.clear();
    positions_.clear();
    payload_ = 0;
    const bool first = layout_->data_size == 0;
    if (first) BoxWriter(boxes_).bytes(Layout::marker);
    append_private_boxes();
    const Tracks all(recorded_), named = all.first(named_), joined = all.subspan(named_);
    for (const auto& track : all) track->close();
    while (!std::ranges::all_of(all, [](const auto& track) { return track->is_taken(); })) {
        const std::int64_t end_us = next_cut();
        append_fragment_of(named, Fragments::Open, end_us);
        append_fragment_of(joined, Fragments::Private, end_us);
    }
    std::size_t from = 0;
    for (td_bytes& span : spans_) {  // `boxes_` moves no more
        if (span.data != nullptr) continue;
        const auto end = static_cast<std::size_t>(span.size);
        span = {boxes_.data() + from, end - from};
        from = end;
    }
    const std::uint64_t at = first ? layout_->marker_at() : layout_->end();
    file_.write(at, spans_);
    count(at);
    layout_->data_size = at + boxes_.size() + payload_ - layout_->data_at;
}

/// What recovery must know before it meets the pending samples.
void Mp4Writer::append_private_boxes() {
    BoxWriter writer(boxes_);
    for (const auto& track : recorded_) {
        if (track->empty()) continue;
        if (!track->is_in_file()) {
            track->settle();
            write_joined_track(writer, movie_, track->head());
        }
        if (!track->new_entry().empty()) write_new_entry(writer, track->head().id, track->new_entry());
    }
}

/// Where the next fragment ends. What comes in real time stays whole.
std::int64_t Mp4Writer::next_cut() const {
    std::int64_t first = std::numeric_limits<std::int64_t>::max(), last = std::numeric_limits<std::int64_t>::min();
    for (const auto& track : recorded_) {
        if (track->is_taken()) continue;
        first = std::min(first, track->next_us());
        last = std::max(last, track->last_us());
    }
    return (last - first < longest_fragment_us ? last : first) + fragment_us;
}

void Mp4Writer::append_fragment_of(Tracks tracks, Fragments fragments, std::int64_t end_us) {
    const std::size_t first = runs_.size(), boxes = spans_.size();
    spans_.push_back({});
    for (const auto& track : tracks)
        if (const TrackRun run = track->take(end_us, spans_); !run.samples.empty()) runs_.push_back(run);
    const auto runs = std::span(runs_).subspan(first);
    if (runs.empty()) return spans_.pop_back();
    fragments_ += positions_.empty() ? 1 : same_write_step;
    append_fragment(boxes_, fragments_, runs, fragments);
    spans_[boxes].size = boxes_.size();
    for (const TrackRun& run : runs) {
        positions_.push_back(boxes_.size() + payload_);
        for (const Sample& sample : run.samples) payload_ += sample.size;
    }
}

/// The pending samples are in the file, from `at` on.
void Mp4Writer::count(std::uint64_t at) {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
        const std::uint32_t track = runs_[i].track->id - 1;
        Run run;
        run.position = at + positions_[i] - layout_->data_at;
        run.decode_time = runs_[i].decode_time;
        run.description = recorded_[track]->description();
        tables_[track].append(run, runs_[i].samples);
        recorded_[track]->written();
    }
}

void Mp4Writer::finish() {
    flush();
    if (!layout_) return;
    while (!recorded_.empty() && !recorded_.back()->is_in_file()) {  // it joined, and nothing of it came
        recorded_.pop_back();
        tables_.pop_back();
    }
    Movie movie = movie_;
    for (const auto& track : recorded_) movie.tracks.push_back(track->head_in_file());
    Finaliser(file_, movie, tables_, *layout_).run(moov_first_);
}

void Mp4Writer::recover(File file, const td_recording& recording, Recovered& recovered) {
    take_settings(recording);
    file_ = file;
    auto found = scan(FileSource(file));
    if (!found || found->samples == 0) return;
    movie_ = std::move(found->movie);
    tables_ = std::move(found->tables);
    layout_ = found->layout;
    recovered.memo = movie_.memo;
    recovered.packets = found->samples;
    recovered.duration_us = shown_duration_us(movie_, tables_);
}

}  // namespace tapedeck::mp4
