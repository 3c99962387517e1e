#include "lavf_writer.hpp"

#include <algorithm>
#include <string>

#include "codecs.hpp"
#include "pictures.hpp"
#include "remux.hpp"

namespace tapedeck::webm_lavf {
namespace {

constexpr std::size_t most_held = 4096;

}  // namespace

void LavfWriter::take_settings(const td_recording& recording) {
    const Context settings = context_.with(recording.options);
    settings_.cluster_ms = settings.duration(cluster_duration).count() / 1000;
    settings_.cluster_bytes = settings.integer(cluster_size);
    settings_.start_us = recording.start_us;
    settings_.memo = view(recording.memo);
}

void LavfWriter::open(File file, const td_recording& recording, std::span<const td_track* const> tracks) {
    take_settings(recording);
    file_ = file;
    for (const td_track* track : tracks) {
        ebml::codec_setup(*track);  // throws for what cannot be read
        lanes_.push_back({Track(*track)});
    }
    if (lanes_.empty()) throw Error(TD_UNSUPPORTED, "a WebM file needs at least one track");
    libavformat();  // throws where it is not installed
}

LavfWriter::Lane* LavfWriter::find(std::uint32_t index) {
    const auto lane = std::ranges::find(lanes_, index, [](const Lane& one) { return one.track.track.index; });
    return lane == lanes_.end() ? nullptr : &*lane;
}

void LavfWriter::track(const td_track& track) {
    const Lane* lane = find(track.index);
    const bool sizes_itself = track.codec == TD_CODEC_VP8 || track.codec == TD_CODEC_VP9;
    const bool same = lane != nullptr && lane->track.track.codec == track.codec &&
                      std::ranges::equal(lane->track.config(), std::span(track.config.data, track.config.size));
    if (!same && !(lane != nullptr && lane->track.track.codec == track.codec && sizes_itself))
        throw Error(TD_UNSUPPORTED, "libavformat's WebM writer takes no new tracks and no new parameters");
}

bool LavfWriter::is_described() const {
    return std::ranges::all_of(
        lanes_, [](const Lane& lane) { return lane.track.track.kind != TD_VIDEO || lane.track.track.width != 0; });
}

void LavfWriter::begin() {
    auto muxer = std::make_unique<Muxer>(file_, settings_);
    for (Lane& lane : lanes_) {
        const td_track& track = lane.track;
        lane.stream = muxer->add(track, track.width, track.height);
    }
    muxer->begin();
    muxer_ = std::move(muxer);
}

void LavfWriter::write(const td_packet& packet) {
    if ((packet.flags & TD_PACKET_CONFIG_CHANGED) != 0 && packet.changed != nullptr) track(*packet.changed);
    Lane* lane = find(packet.track);
    if (lane == nullptr || packet.data_size == 0)
        throw Error(TD_MALFORMED, "an empty packet or one of unknown track " + std::to_string(packet.track));
    if (muxer_ != nullptr) return mux(packet);

    td_track& track = lane->track.track;
    if (track.kind == TD_VIDEO && (packet.flags & TD_PACKET_KEY) != 0) {
        const auto size = ebml::picture_size(track.codec, {}, {packet.data, packet.data_size});
        if (size) track.width = size->width, track.height = size->height;
    }
    if (held_.size() >= most_held) throw Error(TD_MALFORMED, "the size of the pictures is not known");
    held_.push_back({packet, Buffer::share(context_.host(), packet.buffer)});
    if (!is_described()) return;
    begin();
    for (const Held& held : std::exchange(held_, {})) mux(held.packet);
}

void LavfWriter::mux(const td_packet& packet) {
    const Lane& lane = *find(packet.track);
    const auto copy = owned(libav().av_packet_alloc());
    // libavformat only reads the payload, and copies what it keeps.
    copy->data = const_cast<std::uint8_t*>(packet.data);
    copy->size = static_cast<int>(packet.data_size);
    copy->stream_index = lane.stream;
    copy->pts = packet.pts;
    copy->dts = packet.dts == TD_NO_TIME ? packet.pts : packet.dts;
    copy->duration = packet.duration == TD_NO_TIME ? 0 : packet.duration;
    const bool key = lane.track.track.kind != TD_VIDEO || (packet.flags & TD_PACKET_KEY) != 0;
    copy->flags = key ? AV_PKT_FLAG_KEY : 0;
    const td_rational base = lane.track.track.time_base;
    muxer_->write(*copy, {base.num, base.den});
}

void LavfWriter::flush() {
    if (muxer_ != nullptr && !ended_) muxer_->flush();
}

void LavfWriter::finish() {
    if (muxer_ != nullptr && !std::exchange(ended_, true)) {
        muxer_->finish();
        return sync();
    }
    if (!ended_) return;  // nothing was ever written
    const File fresh = file_.rewrite();
    remux(file_, fresh, settings_);
    fresh.sync();
}

void LavfWriter::sync() {
    try {
        file_.sync();
    } catch (const Error& e) {
        if (e.status() != TD_UNSUPPORTED) throw;
    }
}

void LavfWriter::recover(File file, const td_recording& recording, Recovered& recovered) {
    take_settings(recording);
    file_ = file;
    ended_ = true;
    auto memo = memo_of(file);
    if (!memo) return;  // another writer's
    const Content content = content_of(file);
    settings_.memo = recovered.memo = std::move(*memo);
    recovered.packets = content.packets;
    recovered.duration_us = content.duration_us;
}

}  // namespace tapedeck::webm_lavf
