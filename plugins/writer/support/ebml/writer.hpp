// WebM and Matroska files that survive any crash while they are recorded and end with their index in front.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cluster.hpp"
#include "head.hpp"
#include "index.hpp"
#include "layout.hpp"
#include "recorded_track.hpp"
#include "tapedeck/plugin.hpp"

namespace tapedeck::ebml {

/// What the two formats differ in.
struct Format {
    const char* doc_type;
    Key cluster_duration, cluster_size, cues_reserve;
};

/// One file. Each `flush`, each key picture and each limit ends a cluster, which is written by one gathered write, so
/// that a killed process loses only what was not flushed; `finish` gives the file its index in place (finaliser.hpp);
/// `recover` finds everything whole in a torn file (scanner.hpp). Threads and order of calls: td_writer in abi.h.
class MatroskaWriter : public Writer {
public:
    MatroskaWriter(Context context, const Format& format);

    void open(File file, const td_recording& recording, std::span<const td_track* const> tracks) override;
    /// A track that joins late gets its entry where the Tracks slot has room for it.
    void track(const td_track& track);
    void write(const td_packet& packet) override;
    void flush() override;
    void finish() override;
    void recover(File file, const td_recording& recording, Recovered& recovered);

private:
    RecordedTrack* find(std::uint32_t index);
    void add_track(const td_track& track);
    bool is_full(const Block& block, std::uint64_t bytes) const;
    Bytes entries() const;
    std::uint64_t wanted_slot() const;
    void write_head();

    Context context_;
    const Format& format_;
    File file_;
    std::int64_t longest_ = 0;  // ticks of a cluster
    std::uint64_t largest_ = 0;
    std::uint64_t reserve_ = 0;
    Head head_;
    std::string stream_;

    std::vector<std::unique_ptr<RecordedTrack>> tracks_;
    bool tracks_changed_ = false;  // since they were written
    Cluster cluster_;
    Index index_;
    std::optional<Layout> layout_;  // once the head is written
    std::vector<td_bytes> spans_;   // of the cluster that is being written
};

}  // namespace tapedeck::ebml
