// Keeps encoded sound where the source's times say that it belongs.
#pragma once

#include <cstdint>

namespace tapedeck::audio {

/// Compares, block by block, where decoded sound belongs with where the encoder stands, and says what to do: silence
/// where something is missing, samples left out where blocks overlap, and for anything less a resampling so slight that
/// it is not heard. So sound never leaves its place by more than 15 ms or three quarters of a block, and a clock that
/// runs wrong by 0.1 % is followed within 2 ms. Counts in samples of the output; has no clock and no library. One
/// thread.
class Alignment {
public:
    explicit Alignment(std::uint32_t sample_rate) : rate_(sample_rate) {}

    /// What to do before a block is taken; at most one member is not zero.
    struct Step {
        std::int64_t silence = 0;  ///< to be inserted
        std::int64_t skip = 0;     ///< to be left out of the sound to come
        int stretch = 0;           ///< to be added, or taken away, over the next second
    };

    /// `belongs`: where the source puts the block's first sample; `stands`: where it would come out; `length`: of the
    /// block. `broken`: it does not follow the one before, so that even 2 ms are a hole or an overlap.
    Step place(std::int64_t belongs, std::int64_t stands, std::int64_t length, bool broken);

private:
    std::int64_t rate_;
    std::int64_t shift_ = 0;             // of a source whose times fell back, for good
    std::int64_t sum_ = 0, blocks_ = 0;  // of deviations since the last look
    std::int64_t since_ = 0;             // samples since then
};

}  // namespace tapedeck::audio
