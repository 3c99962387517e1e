#include "remux.hpp"

#include <algorithm>
#include <memory>
#include <new>

#include "tapedeck/media/ticks.hpp"

namespace tapedeck::webm_lavf {
namespace {

/// The file opened for reading; `context` is null when it is no WebM.
class Demuxer {
public:
    explicit Demuxer(File file) : io_(file, FileIo::Mode::Read), packet_(libav().av_packet_alloc()) {
        context_ = libav().avformat_alloc_context();
        if (packet_ == nullptr || context_ == nullptr) throw std::bad_alloc();
        context_->pb = io_.context();
        context_->flags |= AVFMT_FLAG_CUSTOM_IO;
        if (libav().avformat_open_input(&context_, nullptr, nullptr, nullptr) < 0) context_ = nullptr;
    }
    ~Demuxer() {
        libav().av_packet_free(&packet_);
        libav().avformat_close_input(&context_);
    }
    Demuxer(const Demuxer&) = delete;
    Demuxer& operator=(const Demuxer&) = delete;

    AVFormatContext* context() const { return context_; }

    /// Calls `each(AVPacket&, AVRational time_base)` for every packet up to the end or the first that is torn.
    template <class Each>
    void for_each(Each each) {
        while (libav().av_read_frame(context_, packet_) >= 0) {
            const bool torn = (packet_->flags & AV_PKT_FLAG_CORRUPT) != 0;
            const AVRational time_base = context_->streams[packet_->stream_index]->time_base;
            if (!torn) each(*packet_, time_base);
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
        if (packet.pts == AV_NOPTS_VALUE) return;
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
