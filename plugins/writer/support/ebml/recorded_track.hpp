// One track while it is recorded: packets on the file's time line.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "cluster.hpp"
#include "head.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::ebml {

/// Its block times are presentation times plus the codec's delay, rounded once. One thread at a time.
class RecordedTrack {
public:
    /// `name`: shown where the track has no label of its own. Throws Error as `codec_setup`.
    RecordedTrack(const td_track& track, std::uint64_t number, bool is_default, std::string_view name);

    std::uint32_t index() const { return index_; }
    bool is_video() const { return head_.kind == TD_VIDEO; }
    bool is_text() const { return head_.kind == TD_DATA; }
    const TrackHead& head() const { return head_; }
    /// Whether its entry can be written: of video a size is known.
    bool is_described() const { return !is_video() || head_.size.width != 0; }

    /// Whether these parameters are what the track has now.
    bool is_current(const td_track& track) const;
    /// New parameters from the next packet on; nothing of the track may be pending. Throws Error (TD_UNSUPPORTED) for
    /// what cannot go on in this file.
    void change(const td_track& track);

    /// The packet's place in the file. Throws Error (TD_MALFORMED) for one without a time or payload.
    Block place(const td_packet& packet);
    /// What is written of the packet, in spans that stay until `change`: without a temporal delimiter of AV1, with new
    /// parameter sets in key frames of H.264.
    std::span<const td_bytes> payload(const td_packet& packet);

private:
    std::int64_t block_time(std::int64_t ticks) const;

    std::uint32_t index_;
    std::uint32_t codec_;
    td_rational time_base_;
    Bytes config_;
    TrackHead head_;
    Bytes parameter_sets_;  // in every IDR from the first change on
    std::array<td_bytes, 3> spans_{};
    std::int64_t last_time_ = 0;
    bool has_key_ = false;
};

}  // namespace tapedeck::ebml
