#include "resampler.hpp"

#include <array>

#include "tapedeck/context.hpp"

namespace tapedeck::audio {

Resampler::~Resampler() {
    libav().av_channel_layout_uninit(&layout_);
}

bool Resampler::is_for(const AVFrame& block) const {
    return context_ != nullptr && rate_ == block.sample_rate && format_ == block.format &&
           libav().av_channel_layout_compare(&layout_, &block.ch_layout) == 0;
}

bool Resampler::open(const AVFrame& block) {
    if (!is_for(block)) {
        context_.reset();
        AVChannelLayout from{}, to{};
        libav().av_channel_layout_copy(&to, &out_.layout());
        libav().av_channel_layout_copy(&layout_, &block.ch_layout);
        if (block.ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
            libav().av_channel_layout_default(&from, block.ch_layout.nb_channels);
        else
            libav().av_channel_layout_copy(&from, &block.ch_layout);
        rate_ = block.sample_rate;
        format_ = block.format;
        SwrContext* made = nullptr;
        libswresample().swr_alloc_set_opts2(&made, &to, out_.format(), out_.sample_rate(), &from,
                                            static_cast<AVSampleFormat>(block.format), block.sample_rate, 0, nullptr);
        libav().av_channel_layout_uninit(&from);
        libav().av_channel_layout_uninit(&to);
        context_ = owned(made);
        // Mixed, no sample exceeds what came in; one channel comes as it is on both sides, not 3 dB quieter.
        libav().av_opt_set_double(context_.get(), "rematrix_maxval", 1, 0);
        constexpr std::array both{1., 1.};
        if (block.ch_layout.nb_channels == 1 && out_.layout().nb_channels == 2)
            libswresample().swr_set_matrix(context_.get(), both.data(), 1);
    }
    is_drained_ = false;
    if (libswresample().swr_init(context_.get()) >= 0) return true;
    context_.reset();
    return false;
}

void Resampler::put(const AVFrame& block, int skip) {
    const auto format = static_cast<AVSampleFormat>(block.format);
    const bool planar = libav().av_sample_fmt_is_planar(format) != 0;
    const int channels = block.ch_layout.nb_channels;
    const int step = libav().av_get_bytes_per_sample(format) * (planar ? 1 : channels);
    std::array<const std::uint8_t*, 64> planes{};
    const int count = planar ? channels : 1;
    for (int i = 0; i < count; ++i) planes.at(static_cast<std::size_t>(i)) = block.extended_data[i] + skip * step;
    convert(planes.data(), block.nb_samples - skip);
}

void Resampler::drain() {
    if (context_ == nullptr || is_drained_) return;
    convert(nullptr, 0);
    is_drained_ = true;
}

void Resampler::convert(const std::uint8_t** planes, int count) {
    for (;;) {
        const Encoder::Room room = out_.room();
        auto planes_out = room.planes;
        const int got = libswresample().swr_convert(context_.get(), planes_out.data(), room.samples, planes, count);
        if (got < 0) throw Error(TD_FAILED, "libswresample: " + libav_error(got));
        out_.filled(got);
        if (got < room.samples) return;
        count = 0;
    }
}

std::int64_t Resampler::pending() const {
    return context_ == nullptr || is_drained_ ? 0 : libswresample().swr_get_delay(context_.get(), out_.sample_rate());
}

void Resampler::stretch(int samples) {
    libswresample().swr_set_compensation(context_.get(), samples, out_.sample_rate());
}

}  // namespace tapedeck::audio
