// What the final moov needs to know of every sample of one track, packed into a few bytes each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "boxes.hpp"

namespace tapedeck::mp4 {

/// One access unit or audio frame as a fragment describes it. Times are ticks of the track.
struct Sample {
    std::uint32_t size = 0;
    std::uint32_t duration = 0;
    std::int32_t composition = 0;  ///< pts - dts
    bool key = false;

    bool operator==(const Sample&) const = default;
};

/// The samples of one track in one fragment: they lie one behind the other.
struct Run {
    std::uint64_t position = 0;     ///< of the first byte, counted from the start of the fragments
    std::int64_t decode_time = 0;   ///< of the first sample, as in `tfdt`
    std::uint32_t description = 1;  ///< which entry of `stsd`
};

/// Grows by `append` while recording; read once, in order, by a Cursor. A sample takes 3 to 7 bytes, in blocks that are
/// never moved, so appending costs an allocation only once in some hundred samples.
class SampleTable {
public:
    /// `samples` must not be empty.
    void append(const Run& run, std::span<const Sample> samples);

    bool empty() const { return samples_ == 0; }
    std::uint64_t samples() const { return samples_; }
    /// Of the first sample; 0 when empty.
    std::int64_t first_decode_time() const { return first_decode_time_; }
    const Sample& first() const { return first_; }
    /// The end of what is shown last, in ticks of the decode times.
    std::int64_t end_time() const { return end_time_; }
    /// Bytes of memory.
    std::size_t memory() const { return blocks_.size() * block_size; }

    /// One pass over the runs and, within each, its samples.
    class Cursor {
    public:
        explicit Cursor(const SampleTable& table) : table_(table) {}

        struct Head : Run {
            std::uint32_t count = 0;
        };
        /// The next run, or nothing. All samples of the one before must have been taken.
        std::optional<Head> next_run();
        Sample next_sample();

    private:
        std::uint64_t number();
        std::int64_t difference();

        const SampleTable& table_;
        std::size_t at_ = 0;
        std::uint64_t runs_ = 0;
        Head head_;
        Sample last_;
        std::int64_t time_ = 0;
    };

private:
    static constexpr std::size_t block_size = 4096;
    using Block = std::array<std::uint8_t, block_size>;

    void put(std::uint64_t value);
    void put_difference(std::int64_t value);

    std::vector<std::unique_ptr<Block>> blocks_;
    std::size_t used_ = 0;  // bytes in all blocks
    std::uint64_t runs_ = 0, samples_ = 0;
    Run head_;  // of the last run
    Sample first_, last_;
    std::int64_t time_ = 0;  // where the last run ends
    std::int64_t first_decode_time_ = 0, end_time_ = 0;
};

}  // namespace tapedeck::mp4
