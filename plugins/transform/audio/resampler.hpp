// Sound of any rate, layout and format into what the encoder takes.
#pragma once

#include <cstdint>

#include "encoder.hpp"
#include "libav.hpp"

namespace tapedeck::audio {

/// libswresample between one decoder and one encoder. Its first sample comes out at the time of the first that went in;
/// its filter only delays. One thread.
class Resampler {
public:
    /// `out` must outlive this object.
    explicit Resampler(Encoder& out) : out_(out) {}
    ~Resampler();
    Resampler(const Resampler&) = delete;
    Resampler& operator=(const Resampler&) = delete;

    /// Whether a block of this rate, layout and format can be put without `open`.
    bool fits(const AVFrame& block) const { return !is_drained_ && is_for(block); }
    /// For blocks like this one from now on; false when such sound is not resampled.
    bool open(const AVFrame& block);
    /// The block without its first `skip` samples.
    void put(const AVFrame& block, int skip);
    /// What is held back, as if silence followed. Afterwards comes a block of any kind.
    void drain();

    /// Samples of the output that are still to come for what was put.
    std::int64_t pending() const;
    /// Adds, or takes away, so many samples over the next second of the output.
    void stretch(int samples);

private:
    bool is_for(const AVFrame& block) const;
    void convert(const std::uint8_t** planes, int count);

    Encoder& out_;
    Owned<SwrContext> context_;
    int rate_ = 0, format_ = 0;
    AVChannelLayout layout_{};
    bool is_drained_ = false;
};

}  // namespace tapedeck::audio
