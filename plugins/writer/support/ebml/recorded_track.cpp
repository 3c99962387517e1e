#include "recorded_track.hpp"

#include <algorithm>

#include "tapedeck/media/av1.hpp"
#include "tapedeck/media/h264.hpp"
#include "tapedeck/media/h265.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::ebml {
namespace {

constexpr td_rational nanoseconds{1, 1'000'000'000};
constexpr std::int64_t ns_in_tick = tick_ns;
constexpr std::size_t longest_text = 200;  // bytes of a name, so that many tracks have room

std::int64_t rounded(std::int64_t ns) {
    return (ns + (ns < 0 ? -ns_in_tick / 2 : ns_in_tick / 2)) / ns_in_tick;
}

/// At most `longest_text` bytes, cut before a whole character of UTF-8.
std::string shortened(std::string_view text) {
    if (text.size() <= longest_text) return std::string(text);
    std::size_t end = longest_text;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    return std::string(text.substr(0, end));
}

Bytes bytes_of(td_bytes bytes) {
    return bytes.size == 0 ? Bytes() : Bytes(bytes.data, bytes.data + bytes.size);
}

}  // namespace

RecordedTrack::RecordedTrack(const td_track& track, std::uint64_t number, bool is_default, std::string_view name)
    : index_(track.index), codec_(track.codec), time_base_(track.time_base), config_(bytes_of(track.config)) {
    head_.number = number;
    head_.kind = track.kind;
    head_.is_default = is_default;
    head_.setup = codec_setup(track);
    head_.name = shortened(track.label.size != 0 ? view(track.label) : name);
    head_.language = shortened(view(track.language));
    head_.size = picture_size(codec_, config_, {}).value_or(PictureSize{track.width, track.height});
}

bool RecordedTrack::is_current(const td_track& track) const {
    const bool same_time = track.time_base.num == time_base_.num && track.time_base.den == time_base_.den;
    return track.codec == codec_ && same_time && bytes_of(track.config) == config_;
}

void RecordedTrack::change(const td_track& track) {
    const bool same_time = track.time_base.num == time_base_.num && track.time_base.den == time_base_.den;
    const bool carries_its_setup = head_.kind == TD_VIDEO;  // key pictures do, or are given it
    if (track.codec != codec_ || !same_time || !carries_its_setup)
        throw Error(TD_UNSUPPORTED, "track " + std::to_string(index_) +
                                        ": only the decoder setup of pictures may change within a Matroska file");
    codec_setup(track);  // throws for what cannot be read
    config_ = bytes_of(track.config);
    if (codec_ == TD_CODEC_H264) parameter_sets_ = h264::parameter_sets(config_);
    if (codec_ == TD_CODEC_H265) parameter_sets_ = h265::parameter_sets(config_);
}

std::int64_t RecordedTrack::block_time(std::int64_t ticks) const {
    return rounded(rescale(ticks, time_base_, nanoseconds) + static_cast<std::int64_t>(head_.setup.delay_ns));
}

Block RecordedTrack::place(const td_packet& packet) {
    const std::int64_t pts = packet.pts == TD_NO_TIME ? packet.dts : packet.pts;
    if (pts == TD_NO_TIME || packet.data_size == 0)
        throw Error(TD_MALFORMED, "an empty packet or one without a time, of track " + std::to_string(index_));
    const std::int64_t duration = packet.duration == TD_NO_TIME ? 0 : packet.duration;
    const std::int64_t end = block_time(pts + duration);
    Block block;
    block.track = head_.number;
    block.video = is_video();
    block.key = !is_video() || (packet.flags & TD_PACKET_KEY) != 0;
    block.time = block_time(pts);
    block.is_text = is_text();
    if (is_text()) block.time = std::max<std::int64_t>(block.time, 0);
    if (!is_video() && block.time < 0) {  // sound before the beginning is decoded and not heard
        const std::int64_t hidden_ns =
            rescale(pts, time_base_, nanoseconds) + static_cast<std::int64_t>(head_.setup.delay_ns);
        const std::int64_t all_ns = -rescale(duration, time_base_, nanoseconds);
        // What is left of less than a tick would be heard at 0, where the next frame begins.
        block.discard_ns = end <= 0 ? all_ns : std::max(hidden_ns, all_ns);
        block.time = 0;
    }
    block.duration = std::max<std::int64_t>(end - block.time, 0);
    block.reference = last_time_ == block.time ? -1 : last_time_ - block.time;
    last_time_ = block.time;
    if (is_video() && block.key && !has_key_) {
        has_key_ = true;
        head_.size = picture_size(codec_, config_, {packet.data, packet.data_size}).value_or(head_.size);
    }
    return block;
}

std::span<const td_bytes> RecordedTrack::payload(const td_packet& packet) {
    View whole{packet.data, packet.data_size};
    if (codec_ == TD_CODEC_AV1) whole = av1::without_delimiter(whole);
    spans_[0] = {whole.data(), whole.size()};
    if (parameter_sets_.empty() || (packet.flags & TD_PACKET_KEY) == 0) return std::span(spans_).first(1);
    const auto place = codec_ == TD_CODEC_H265 ? h265::parameter_sets_place(whole) : h264::parameter_sets_place(whole);
    if (!place) return std::span(spans_).first(1);
    spans_[0] = {whole.data(), *place};
    spans_[1] = {parameter_sets_.data(), parameter_sets_.size()};
    spans_[2] = {whole.data() + *place, whole.size() - *place};
    return std::span(spans_).subspan(*place == 0 ? 1 : 0);
}

}  // namespace tapedeck::ebml
