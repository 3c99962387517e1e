// The sample tables of a finished track, read where they lie: stts, ctts, stss, stsc, stsz, stco, co64 (ISO/IEC
// 14496-12 §8.6, §8.7).
#pragma once

#include <cstdint>
#include <vector>

#include "boxes.hpp"
#include "sample_table.hpp"

namespace tapedeck::mp4 {

/// A sample as the tables of its track describe it.
struct IndexedSample : Sample {
    std::uint64_t position = 0;     ///< of its first byte in the file
    std::int64_t decode_time = 0;   ///< in ticks of the track; the first sample has 0
    std::uint32_t chunk = 0;        ///< samples of one chunk lie one behind the other
    std::uint32_t description = 1;  ///< which entry of `stsd`

    std::int64_t shown_at() const { return decode_time + composition; }
};

/// Any sample is found without reading those before it. All times of composition are shifted by the same amount, so
/// that none is negative. Constant; borrows the bytes of the boxes.
class TrackIndex {
public:
    /// The payload of `stbl`, of any writer. Takes time for each run of equal values, not for each sample. Throws
    /// Malformed.
    explicit TrackIndex(View stbl);

    std::uint32_t samples() const { return samples_; }
    /// What was added to every composition time.
    std::int64_t shift() const { return shift_; }
    /// The sum of all durations.
    std::int64_t duration() const { return duration_; }
    /// Where the last picture or sound ends; 0 without samples.
    std::int64_t end_time() const { return end_time_; }

    /// The last sample that is decoded at `time` or before; the first one where none is. There must be samples.
    std::uint32_t decoded_at(std::int64_t time) const;
    /// When this sample is shown.
    std::int64_t shown_at(std::uint32_t sample) const;
    /// The last sample up to this one that needs no other; the first one where there is none.
    std::uint32_t key_at(std::uint32_t sample) const;

    /// Samples one by one, from any on. Reading behind the last one is not allowed.
    class Cursor {
    public:
        Cursor(const TrackIndex& index, std::uint32_t sample);
        IndexedSample next();

    private:
        void enter_chunk(std::uint32_t chunk);

        const TrackIndex& index_;
        std::uint32_t sample_;
        std::size_t time_, offset_ = 0, chunk_run_, key_;
        std::uint32_t chunk_ = 0, left_in_chunk_ = 0;
        std::uint64_t position_ = 0;
    };

private:
    struct TimeRun {
        std::int64_t time;  ///< of the first sample
        std::uint32_t first, duration;
    };
    struct OffsetRun {
        std::uint32_t first;
        std::int32_t offset;
    };
    struct ChunkRun {
        std::uint64_t first_sample;
        std::uint32_t first_chunk, samples, description;  ///< of each chunk, which count from 0
    };

    void read_sizes(View stsz);
    void read_times(View stts);
    void read_offsets(View ctts);
    void read_chunks(View stbl);
    std::size_t time_run(std::uint32_t sample) const;
    std::size_t offset_run(std::uint32_t sample) const;
    /// How many of the key samples come before this one.
    std::size_t keys_before(std::uint32_t sample) const;
    std::uint32_t size_of(std::uint32_t sample) const;
    std::uint64_t position_of_chunk(std::uint32_t chunk) const;

    std::uint32_t samples_ = 0, same_size_ = 0, chunks_ = 0;
    bool all_keys_ = true, wide_ = false;
    View sizes_, keys_, positions_;  // numbers of 4 bytes, of 8 where `wide_`
    std::vector<TimeRun> times_;
    std::vector<OffsetRun> offsets_;  // empty: all 0
    std::vector<ChunkRun> chunk_runs_;
    std::int64_t duration_ = 0, end_time_ = 0, shift_ = 0;
};

}  // namespace tapedeck::mp4
