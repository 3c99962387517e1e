#include "remux.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "tapedeck/media/ticks.hpp"

namespace tapedeck::webm_lavf {
namespace {

/// The file opened for reading; `context` is null when it is no WebM.
class Demuxer {
public:
    explicit Demuxer(File file) : io_(file, FileIo::Mode::Read), packet_(libav().av_packet_alloc()) {
        context_ = libavformat().avformat_alloc_context();
        if (packet_ == nullptr || context_ == nullptr) throw std::bad_alloc();
        context_->pb = io_.context();
        context_->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_NOPARSE | AVFMT_FLAG_NOFILLIN;
        if (libavformat().avformat_open_input(&context_, nullptr, nullptr, nullptr) < 0) context_ = nullptr;
    }
    ~Demuxer() {
        libav().av_packet_free(&packet_);
        libavformat().avformat_close_input(&context_);
    }
    Demuxer(const Demuxer&) = delete;
    Demuxer& operator=(const Demuxer&) = delete;

    AVFormatContext* context() const { return context_; }

    /// Calls `each(AVPacket&, AVRational time_base)` for every packet up to the end or the first that is torn. Where
    /// the file says no duration it is the time since the packet before.
    template <class Each>
    void for_each(Each each) {
        std::vector<std::int64_t> before(context_->nb_streams, AV_NOPTS_VALUE);
        while (libavformat().av_read_frame(context_, packet_) >= 0) {
            const bool torn = (packet_->flags & AV_PKT_FLAG_CORRUPT) != 0 || packet_->pts == AV_NOPTS_VALUE;
            const auto stream = static_cast<std::size_t>(packet_->stream_index);
            if (!torn && stream < before.size()) {
                const std::int64_t last = std::exchange(before[stream], packet_->pts);
                if (packet_->duration <= 0 && last != AV_NOPTS_VALUE)
                    packet_->duration = std::max<std::int64_t>(packet_->pts - last, 0);
                packet_->dts = packet_->pts;  // no codec of WebM reorders
                each(*packet_, context_->streams[stream]->time_base);
            }
            libav().av_packet_unref(packet_);
            if (torn) return;
        }
    }

private:
    FileIo io_;
    AVPacket* packet_;
    AVFormatContext* context_;
};

}  // namespace

Content content_of(File file) {
    Demuxer demuxer(file);
    Content content;
    if (demuxer.context() == nullptr) return content;
    demuxer.for_each([&](const AVPacket& packet, AVRational time_base) {
        ++content.packets;
        const td_rational base{time_base.num, time_base.den};
        content.duration_us = std::max(content.duration_us, to_us(packet.pts + packet.duration, base));
    });
    return content;
}

void remux(File from, File into, const MuxerSettings& settings) {
    Demuxer demuxer(from);
    if (demuxer.context() == nullptr) throw Error(TD_MALFORMED, "libavformat cannot read the torn WebM file");
    Muxer muxer(into, settings);
    for (unsigned i = 0; i < demuxer.context()->nb_streams; ++i) muxer.add(*demuxer.context()->streams[i]);
    muxer.begin();
    demuxer.for_each([&](AVPacket& packet, AVRational time_base) { muxer.write(packet, time_base); });
    muxer.finish();
}

}  // namespace tapedeck::webm_lavf
