// One movie fragment: the moof box and the header of the mdat that follows it (ISO/IEC 14496-12 §8.8).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "boxes.hpp"
#include "sample_table.hpp"
#include "tracks.hpp"

namespace tapedeck::mp4 {

/// sample_flags of a sample that needs no other, and of one that does (§8.8.3.1).
constexpr std::uint32_t sample_flags_key = 0x02000000;
constexpr std::uint32_t sample_flags_other = 0x01010000;

/// The samples of one track that go into one fragment; not empty.
struct TrackRun {
    const TrackHead* track = nullptr;
    std::int64_t decode_time = 0;
    std::span<const Sample> samples;
};

/// Whether players see a fragment: its tracks stand in the init moov, or they joined after it (private_boxes.hpp).
enum class Fragments { Open, Private };

/// The number of a fragment is this much above that of the one before it when one write brought both, else 1 above it.
/// After a write that failed it may be more; then recovery checks more than it needs to.
constexpr std::uint32_t same_write_step = 2;

/// Appends the moof, or the box in its place, and the mdat header; the samples of the runs follow in this order. What
/// all samples have in common, or the head of their track says already, is not repeated for each. All samples together
/// must stay below 2 GiB.
void append_fragment(Bytes& out, std::uint32_t sequence, std::span<const TrackRun> runs,
                     Fragments fragments = Fragments::Open);

/// A run as it stands in the file.
struct FoundRun {
    std::uint32_t track_id = 0;
    std::int64_t decode_time = 0;
    std::int64_t data_offset = 0;  ///< from the first byte of the moof, or of the box in its place
    std::vector<Sample> samples;
};

struct FoundFragment {
    std::uint32_t sequence = 0;
    std::vector<FoundRun> runs;
};

/// Reads a moof without its header. Nothing when it is broken, names a track that `tracks` lacks, or is none of ours:
/// each run has its own offset and each sample its own size.
std::optional<FoundFragment> parse_moof(View payload, std::span<const TrackHead> tracks);

}  // namespace tapedeck::mp4
