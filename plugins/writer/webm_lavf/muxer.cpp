#include "muxer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <memory>
#include <new>

#include "codecs.hpp"
#include "elements.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::webm_lavf {
namespace {

constexpr std::array<std::uint8_t, 8> note_magic{0xd5, 0x1c, 0x7e, 0xa0, 0x94, 0x3b, 0x62, 0xfa};
constexpr std::size_t longest_head = 1 << 20;
constexpr std::size_t longest_cues = 64 << 20;
constexpr std::size_t element_look = 16;  // bytes with any header

AVCodecID codec_id(std::uint32_t codec) {
    switch (codec) {
        case TD_CODEC_VP8:
            return AV_CODEC_ID_VP8;
        case TD_CODEC_VP9:
            return AV_CODEC_ID_VP9;
        case TD_CODEC_AV1:
            return AV_CODEC_ID_AV1;
        case TD_CODEC_OPUS:
            return AV_CODEC_ID_OPUS;
        default:
            throw Error(TD_UNSUPPORTED, "a codec that WebM does not take");
    }
}

void set_extradata(AVCodecParameters& parameters, std::span<const std::uint8_t> bytes) {
    if (bytes.empty()) return;
    parameters.extradata = static_cast<std::uint8_t*>(libav().av_mallocz(bytes.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    if (parameters.extradata == nullptr) throw std::bad_alloc();
    std::ranges::copy(bytes, parameters.extradata);
    parameters.extradata_size = static_cast<int>(bytes.size());
}

/// A Void of `size` bytes; what lies in it does not matter.
void write_void_header(File file, std::uint64_t at, std::uint64_t size) {
    constexpr std::uint64_t header = 9;
    if (size < header) return;
    Bytes bytes;
    ebml::ElementWriter(bytes).header(ebml::id_void, size - header, 8);
    file.write(at, std::array{td_bytes{bytes.data(), bytes.size()}});
}

std::string date_of(std::int64_t unix_us) {
    const auto seconds = static_cast<std::time_t>(unix_us / 1'000'000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 40> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    return std::string(text.data(), size) + '.' + std::to_string(1'000'000 + unix_us % 1'000'000).substr(1) + 'Z';
}

}  // namespace

Muxer::Muxer(File file, MuxerSettings settings)
    : file_(file), settings_(std::move(settings)), io_(file, FileIo::Mode::Write) {
    io_.check(libavformat().avformat_alloc_output_context2(&context_, nullptr, "webm", nullptr),
              "libavformat's WebM writer");
    context_->pb = io_.context();
    context_->flags |= AVFMT_FLAG_CUSTOM_IO;
}

Muxer::~Muxer() {
    libavformat().avformat_free_context(context_);
}

AVStream& Muxer::new_stream() {
    AVStream* stream = libavformat().avformat_new_stream(context_, nullptr);
    if (stream == nullptr) throw std::bad_alloc();
    return *stream;
}

int Muxer::add(const td_track& track, std::uint32_t width, std::uint32_t height) {
    AVStream& stream = new_stream();
    AVCodecParameters& parameters = *stream.codecpar;
    parameters.codec_id = codec_id(track.codec);
    stream.time_base = {track.time_base.num, track.time_base.den};
    const auto setup = ebml::codec_setup(track);
    set_extradata(parameters, setup.codec_private);
    if (track.kind == TD_VIDEO) {
        parameters.codec_type = AVMEDIA_TYPE_VIDEO;
        parameters.width = static_cast<int>(width);
        parameters.height = static_cast<int>(height);
    } else {
        parameters.codec_type = AVMEDIA_TYPE_AUDIO;
        parameters.sample_rate = static_cast<int>(setup.sample_rate);
        libav().av_channel_layout_default(&parameters.ch_layout, static_cast<int>(setup.channels));
        parameters.initial_padding = static_cast<int>(setup.delay_ns * 48 / 1'000'000);
    }
    return stream.index;
}

int Muxer::add(const AVStream& other) {
    AVStream& stream = new_stream();
    io_.check(libav().avcodec_parameters_copy(stream.codecpar, other.codecpar), "a track's parameters");
    stream.codecpar->codec_tag = 0;
    stream.time_base = other.time_base;
    return stream.index;
}

void Muxer::begin() {
    AVDictionary* options = nullptr;
    const auto free = [](AVDictionary** all) { libav().av_dict_free(all); };
    const std::unique_ptr<AVDictionary*, decltype(free)> owner(&options, free);
    libav().av_dict_set(&options, "cluster_time_limit", std::to_string(settings_.cluster_ms).c_str(), 0);
    libav().av_dict_set(&options, "cluster_size_limit", std::to_string(settings_.cluster_bytes).c_str(), 0);
    if (settings_.start_us != TD_NO_TIME)
        libav().av_dict_set(&context_->metadata, "creation_time", date_of(settings_.start_us).c_str(), 0);
    io_.check(libavformat().avformat_write_header(context_, &options), "a WebM file's head");
    write_memo();
    io_.check(0, "a WebM file's head");
}

void Muxer::write_memo() {
    Bytes note;
    ebml::ElementWriter(note).header(ebml::id_void, note_magic.size() + settings_.memo.size(), 8);
    note.insert(note.end(), note_magic.begin(), note_magic.end());
    note.insert(note.end(), settings_.memo.begin(), settings_.memo.end());
    libavformat().avio_write(context_->pb, note.data(), static_cast<int>(note.size()));
    libavformat().avio_flush(context_->pb);
}

void Muxer::write(AVPacket& packet, AVRational time_base) {
    const AVStream& stream = *context_->streams[packet.stream_index];
    // libavformat states the delay of Opus, which players take off, and does not add it.
    const auto delay = rescale(stream.codecpar->initial_padding, {1, 48000}, {time_base.num, time_base.den});
    packet.pts += delay;
    packet.dts += delay;
    libav().av_packet_rescale_ts(&packet, time_base, stream.time_base);
    io_.check(libavformat().av_write_frame(context_, &packet), "a WebM file's packet");
}

void Muxer::flush() {
    io_.check(libavformat().av_write_frame(context_, nullptr), "a WebM file's cluster");
    libavformat().avio_flush(context_->pb);
    io_.check(0, "a WebM file's cluster");
    fill_holes();
}

void Muxer::finish() {
    fill_holes();
    const std::uint64_t media_end = io_.position();
    io_.check(libavformat().av_write_trailer(context_), "a WebM file's end");
    libavformat().avio_flush(context_->pb);
    io_.check(0, "a WebM file's end");
    if (!io_.holes().empty()) strike_cues(media_end);
}

void Muxer::fill_holes() {
    for (; filled_ < io_.holes().size(); ++filled_) {
        const auto [at, size] = io_.holes()[filled_];
        write_void_header(file_, at, size);
    }
}

bool Muxer::is_lost(std::uint64_t position) const {
    return std::ranges::any_of(io_.holes(),
                               [&](const auto& hole) { return position >= hole.at && position - hole.at < hole.size; });
}

/// Each CuePoint of a cluster that is a hole becomes a Void, whose id is as short. The Cues lie behind `from`.
void Muxer::strike_cues(std::uint64_t from) {
    const auto header_at = [&](std::uint64_t at) {
        Bytes bytes(element_look);
        bytes.resize(file_.read(at, bytes));
        return ebml::parse_header(bytes);
    };
    const auto head = header_at(0);
    const auto segment = head ? header_at(head->header_size + head->size) : std::nullopt;
    if (!segment) return;
    const std::uint64_t segment_at = head->header_size + head->size + segment->header_size;

    auto cues = header_at(from);
    for (; cues && cues->id != ebml::id_cues; cues = header_at(from)) from += cues->header_size + cues->size;
    if (!cues || cues->size > longest_cues) return;
    from += cues->header_size;
    Bytes content(static_cast<std::size_t>(cues->size));
    content.resize(file_.read(from, content));
    ebml::View rest(content);
    for (std::uint64_t at = from; const auto point = ebml::next_element(rest);
         at = from + content.size() - rest.size()) {
        if (point->id != ebml::id_cue_point) continue;
        const auto track = ebml::find(point->content, ebml::id_cue_track_positions);
        const auto cluster = track ? ebml::find(track->content, ebml::id_cue_cluster_position) : std::nullopt;
        if (!cluster || !is_lost(segment_at + cluster->number())) continue;
        const std::uint8_t id = ebml::id_void;
        file_.write(at, std::array{td_bytes{&id, 1}});
    }
}

std::optional<std::string> memo_of(File file) {
    Bytes bytes(std::min<std::uint64_t>(longest_head, file.length()));
    bytes.resize(file.read(0, bytes));
    ebml::View rest(bytes);
    if (!ebml::next_element(rest)) return std::nullopt;
    const auto segment = ebml::parse_header(rest);
    if (!segment || segment->id != ebml::id_segment) return std::nullopt;
    rest = rest.subspan(segment->header_size);
    while (const auto element = ebml::next_element(rest)) {
        if (element->id != ebml::id_void || element->content.size() < note_magic.size()) continue;
        if (!std::ranges::equal(element->content.first(note_magic.size()), note_magic)) continue;
        const auto memo = element->content.subspan(note_magic.size());
        return std::string(memo.begin(), memo.end());
    }
    return std::nullopt;
}

}  // namespace tapedeck::webm_lavf
