#include "writer.hpp"

#include <algorithm>
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
    const bool first = layout_->data_size == 0;
    if (first) BoxWriter(boxes_).bytes(Layout::marker);
    const Tracks all(recorded_), named = all.first(named_), joined = all.subspan(named_);
    append_boxes(named, Fragments::Open);
    const std::size_t between = boxes_.size();
    append_boxes(joined, Fragments::Private);

    spans_.assign(1, {boxes_.data(), between});
    append_payload(named);
    std::uint64_t media = 0;
    for (const auto& track : named) media += track->bytes();
    const std::uint64_t at = first ? layout_->marker_at() : layout_->end();
    const std::uint64_t second = at + between + media;
    spans_.push_back({boxes_.data() + between, boxes_.size() - between});
    append_payload(joined);
    file_.write(at, spans_);

    count(named, at + between);
    count(joined, second + boxes_.size() - between);
    std::uint64_t size = 0;
    for (const td_bytes& span : spans_) size += span.size;
    layout_->data_size = at + size - layout_->data_at;
}

void Mp4Writer::append_boxes(Tracks tracks, Fragments fragments) {
    BoxWriter writer(boxes_);
    runs_.clear();
    for (const auto& track : tracks) {
        if (track->empty()) continue;
        if (!track->is_in_file()) {
            track->settle();
            write_joined_track(writer, movie_, track->head());
        }
        if (!track->new_entry().empty()) write_new_entry(writer, track->head().id, track->new_entry());
        TrackRun run;
        run.track = &track->head();
        run.samples = track->samples();
        run.decode_time = track->decode_time();
        runs_.push_back(run);
    }
    if (!runs_.empty()) append_fragment(boxes_, ++fragments_, runs_, fragments);
}

void Mp4Writer::append_payload(Tracks tracks) {
    for (const auto& track : tracks) spans_.insert(spans_.end(), track->payload().begin(), track->payload().end());
}

/// The pending samples of these tracks are in the file, from `position` on.
void Mp4Writer::count(Tracks tracks, std::uint64_t position) {
    for (const auto& track : tracks) {
        if (track->empty()) continue;
        Run run;
        run.position = position - layout_->data_at;
        run.decode_time = track->decode_time();
        run.description = track->description();
        tables_[track->head().id - 1].append(run, track->samples());
        track->written();
        position += track->bytes();
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
