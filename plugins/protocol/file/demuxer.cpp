#include "demuxer.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <span>

#include "libav.hpp"
#include "tapedeck/media/h264.hpp"
#include "tapedeck/media/h265.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::file_source {

namespace {

struct Known {
    AVCodecID from;
    std::uint32_t codec;
};
constexpr std::array known{Known{AV_CODEC_ID_H264, TD_CODEC_H264},      Known{AV_CODEC_ID_HEVC, TD_CODEC_H265},
                           Known{AV_CODEC_ID_VP8, TD_CODEC_VP8},        Known{AV_CODEC_ID_VP9, TD_CODEC_VP9},
                           Known{AV_CODEC_ID_AV1, TD_CODEC_AV1},        Known{AV_CODEC_ID_AAC, TD_CODEC_AAC},
                           Known{AV_CODEC_ID_OPUS, TD_CODEC_OPUS},      Known{AV_CODEC_ID_PCM_ALAW, TD_CODEC_PCMA},
                           Known{AV_CODEC_ID_PCM_MULAW, TD_CODEC_PCMU}, Known{AV_CODEC_ID_ADPCM_G722, TD_CODEC_G722},
                           Known{AV_CODEC_ID_SPEEX, TD_CODEC_SPEEX},    Known{AV_CODEC_ID_MP3, TD_CODEC_MP3}};

std::int32_t narrow(int number) {
    return static_cast<std::int32_t>(number);
}

bool has_start_code(ByteSpan bytes) {
    return bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0 && (bytes[2] == 1 || (bytes[2] == 0 && bytes[3] == 1));
}

/// avcC out of parameter sets behind start codes.
std::vector<std::uint8_t> avcc_of(ByteSpan annexb) {
    std::vector<ByteSpan> sps, pps;
    h264::for_each_nal_annexb(annexb, [&](ByteSpan nal) {
        if (h264::nal_type(nal) == h264::nal_sps) sps.push_back(nal);
        if (h264::nal_type(nal) == h264::nal_pps) pps.push_back(nal);
    });
    return sps.empty() || pps.empty() ? std::vector<std::uint8_t>() : h264::build_avcc(sps, pps);
}

/// hvcC, likewise.
std::vector<std::uint8_t> hvcc_of(ByteSpan annexb) {
    std::vector<ByteSpan> vps, sps, pps;
    h264::for_each_nal_annexb(annexb, [&](ByteSpan nal) {
        if (h265::nal_type(nal) == h265::nal_vps) vps.push_back(nal);
        if (h265::nal_type(nal) == h265::nal_sps) sps.push_back(nal);
        if (h265::nal_type(nal) == h265::nal_pps) pps.push_back(nal);
    });
    return vps.empty() || sps.empty() || pps.empty() ? std::vector<std::uint8_t>() : h265::build_hvcc(vps, sps, pps);
}

/// vpcC (VP9 in ISOBMFF section 2.2), which files other than MP4 lack; of profiles 0 and 2 with colours of BT.709.
std::vector<std::uint8_t> vpcc_of(const AVCodecParameters& parameters) {
    const auto profile = static_cast<std::uint8_t>(std::max(parameters.profile, 0));
    const auto level = static_cast<std::uint8_t>(parameters.level > 0 ? parameters.level : 10);
    const unsigned depth = profile >= 2 ? 10 : 8;
    return {profile, level, static_cast<std::uint8_t>(depth << 4 | 1u << 1), 1, 1, 1, 0, 0};
}

/// AudioSpecificConfig (ISO/IEC 14496-3 section 1.6.2.1) of a stream that only has ADTS headers.
std::vector<std::uint8_t> aac_config(const AVCodecParameters& parameters) {
    constexpr std::array rates{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350};
    const auto rate = std::ranges::find(rates, parameters.sample_rate);
    if (rate == rates.end()) return {};
    const auto index = static_cast<unsigned>(rate - rates.begin());
    const auto channels = static_cast<unsigned>(parameters.ch_layout.nb_channels);
    return {static_cast<std::uint8_t>(2u << 3 | index >> 1),
            static_cast<std::uint8_t>((index & 1) << 7 | channels << 3)};
}

/// The raw frame behind an ADTS header, which is 9 bytes long with a checksum and 7 without.
ByteSpan without_adts(ByteSpan frame) {
    if (frame.size() < 9 || frame[0] != 0xff || (frame[1] & 0xf6) != 0xf0) return frame;
    return frame.subspan((frame[1] & 1) != 0 ? 7 : 9);
}

}  // namespace

struct Demuxer::Source {
    /// One stream of the file that became a track.
    struct Lane {
        int stream = 0;
        std::uint32_t track = 0;
        td_rational from{};              // its time base in the file
        std::int64_t frame = 0;          // ticks of one packet where packets are cut, else 0
        std::size_t frame_bytes = 0;     // bytes of one
        bool has_start_codes = false;    // H.264 or H.265 as a byte stream
        std::int64_t next_dts = 0;       // where a packet without a time belongs
        std::vector<std::uint8_t> rest;  // the beginning of the next packet, where packets are cut
    };

    ~Source() {
        libav().av_packet_free(&packet);
        libavformat().avformat_close_input(&format);
    }
    Lane* find(int stream) {
        for (Lane& lane : lanes)
            if (lane.stream == stream) return &lane;
        return nullptr;
    }

    /// Gives packets of `frame_bytes`, and shorter ones of at least `least`.
    void cut(Lane& lane, std::size_t least) {
        while (lane.frame != 0 && lane.rest.size() >= least) {
            const auto size = static_cast<std::ptrdiff_t>(std::min(lane.frame_bytes, lane.rest.size()));
            Unit unit;
            unit.track = lane.track;
            unit.pts = unit.dts = lane.next_dts;
            unit.key = true;
            unit.duration = lane.frame * size / static_cast<std::int64_t>(lane.frame_bytes);
            unit.payload.assign(lane.rest.begin(), lane.rest.begin() + size);
            lane.rest.erase(lane.rest.begin(), lane.rest.begin() + size);
            lane.next_dts += unit.duration;
            ready.push_back(std::move(unit));
        }
    }

    std::string name;
    AVFormatContext* format = nullptr;
    AVPacket* packet = libav().av_packet_alloc();
    std::vector<Lane> lanes;
    std::deque<Unit> ready;
    bool ended = false;
};

Demuxer::Demuxer(const std::filesystem::path& file) : source_(std::make_unique<Source>()) {
    source_->name = file.string();
    int result =
        libavformat().avformat_open_input(&source_->format, ("file:" + source_->name).c_str(), nullptr, nullptr);
    if (result < 0) throw Error(TD_NOT_FOUND, source_->name + " cannot be opened: " + libav_error(result));
    result = libavformat().avformat_find_stream_info(source_->format, nullptr);
    if (result < 0) throw Error(TD_UNSUPPORTED, source_->name + " is no media file: " + libav_error(result));
    for (const auto kind : {AVMEDIA_TYPE_VIDEO, AVMEDIA_TYPE_AUDIO}) {
        bool has = false;
        for (unsigned i = 0; i < source_->format->nb_streams; ++i) {
            const AVCodecParameters& parameters = *source_->format->streams[i]->codecpar;
            if (parameters.codec_type != kind) continue;
            const bool is_known = std::ranges::count(known, parameters.codec_id, &Known::from) != 0;
            if (is_known && !has) {
                add_track(static_cast<int>(i));
                has = true;
            } else {
                left_out_.emplace_back(libav().avcodec_get_name(parameters.codec_id));
            }
        }
    }
    if (tracks_.empty()) throw Error(TD_UNSUPPORTED, source_->name + " has no track of a known codec");
}

Demuxer::~Demuxer() = default;

void Demuxer::add_track(int stream) {
    const AVStream& from = *source_->format->streams[stream];
    const AVCodecParameters& parameters = *from.codecpar;
    const bool video = parameters.codec_type == AVMEDIA_TYPE_VIDEO;
    const std::uint32_t codec = std::ranges::find(known, parameters.codec_id, &Known::from)->codec;
    Source::Lane lane;
    lane.stream = stream;
    lane.track = static_cast<std::uint32_t>(tracks_.size());
    lane.from = {narrow(from.time_base.num), narrow(from.time_base.den)};
    td_rational time_base = lane.from;
    const int channels = std::max(parameters.ch_layout.nb_channels, 1);
    if (!video)
        time_base = {1, codec == TD_CODEC_OPUS ? 48000 : codec == TD_CODEC_G722 ? 8000 : parameters.sample_rate};
    if (codec == TD_CODEC_PCMA || codec == TD_CODEC_PCMU || codec == TD_CODEC_G722) {
        lane.frame = time_base.den / 50;
        lane.frame_bytes = static_cast<std::size_t>(lane.frame * channels);
    }
    Track track(video ? TD_VIDEO : TD_AUDIO, codec, time_base, lane.track);
    track.track.clock = 1;
    track.track.width = static_cast<std::uint32_t>(video ? parameters.width : 0);
    track.track.height = static_cast<std::uint32_t>(video ? parameters.height : 0);
    track.track.sample_rate = static_cast<std::uint32_t>(video ? 0 : parameters.sample_rate);
    track.track.channels = static_cast<std::uint32_t>(video ? 0 : channels);

    const ByteSpan extra(parameters.extradata, static_cast<std::size_t>(parameters.extradata_size));
    if (codec == TD_CODEC_H264 && has_start_code(extra)) {
        lane.has_start_codes = true;
        track.config(avcc_of(extra));
    } else if (codec == TD_CODEC_H265 && has_start_code(extra)) {
        lane.has_start_codes = true;
        track.config(hvcc_of(extra));
    } else if (codec == TD_CODEC_VP9) {
        track.config(vpcc_of(parameters));
    } else if (codec == TD_CODEC_AAC && extra.empty()) {
        track.config(aac_config(parameters));
    } else if (codec != TD_CODEC_PCMA && codec != TD_CODEC_PCMU && codec != TD_CODEC_G722 && codec != TD_CODEC_VP8) {
        track.config(extra);
    }
    source_->lanes.push_back(lane);
    tracks_.push_back(std::move(track));
}

bool Demuxer::next(Unit& unit) {
    while (source_->ready.empty() && !source_->ended) read();
    if (source_->ready.empty()) return false;
    unit = std::move(source_->ready.front());
    source_->ready.pop_front();
    return true;
}

/// Takes one packet of the file and makes units of it.
void Demuxer::read() {
    const int result = libavformat().av_read_frame(source_->format, source_->packet);
    if (result == AVERROR_EOF) {
        for (Source::Lane& lane : source_->lanes) source_->cut(lane, 1);
        source_->ended = true;
        return;
    }
    if (result < 0) throw Error(TD_MALFORMED, source_->name + " breaks off: " + libav_error(result));
    const std::unique_ptr<AVPacket, void (*)(AVPacket*)> unref(source_->packet, libav().av_packet_unref);
    const AVPacket& packet = *source_->packet;
    Source::Lane* lane = source_->find(packet.stream_index);
    if (lane == nullptr || packet.size == 0) return;
    const td_track& track = tracks_[lane->track];
    const std::int64_t start_us = source_->format->start_time == AV_NOPTS_VALUE ? 0 : source_->format->start_time;
    const auto time = [&](std::int64_t ticks) {
        return rescale(ticks, lane->from, track.time_base) - to_ticks(start_us, track.time_base);
    };

    Unit unit;
    unit.track = lane->track;
    unit.dts = packet.dts == AV_NOPTS_VALUE ? lane->next_dts : time(packet.dts);
    unit.pts = packet.pts == AV_NOPTS_VALUE ? unit.dts : time(packet.pts);
    unit.duration = rescale(packet.duration, lane->from, track.time_base);
    unit.video = track.kind == TD_VIDEO;
    unit.key = track.kind == TD_AUDIO || (packet.flags & AV_PKT_FLAG_KEY) != 0;
    ByteSpan bytes(packet.data, static_cast<std::size_t>(packet.size));
    if (lane->frame != 0) {
        if (lane->rest.empty()) lane->next_dts = unit.dts;
        lane->rest.insert(lane->rest.end(), bytes.begin(), bytes.end());
        return source_->cut(*lane, lane->frame_bytes);
    }
    lane->next_dts = unit.dts + unit.duration;
    if (lane->has_start_codes) {
        h264::for_each_nal_annexb(bytes, [&](ByteSpan nal) {
            const bool is_delimiter = track.codec == TD_CODEC_H265 ? h265::nal_type(nal) == h265::nal_aud
                                                                   : h264::nal_type(nal) == h264::nal_aud;
            if (!is_delimiter) h264::append_nal(unit.payload, nal);
        });
    } else {
        if (track.codec == TD_CODEC_AAC) bytes = without_adts(bytes);
        unit.payload.assign(bytes.begin(), bytes.end());
    }
    source_->ready.push_back(std::move(unit));
}

}  // namespace tapedeck::file_source
