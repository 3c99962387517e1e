// MP4 files that survive any crash while they are recorded and end as progressive files, moov first.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "fragment.hpp"
#include "layout.hpp"
#include "movie.hpp"
#include "recorded_track.hpp"
#include "sample_table.hpp"
#include "tapedeck/plugin.hpp"

namespace tapedeck::mp4 {

/// One file. While recording, every `flush` appends by one gathered write a fragment, of a source that is ahead of real
/// time one for each second, and one more each for tracks that joined after the init moov. So a killed process loses
/// only what was not flushed; `finish` makes it progressive in place (finaliser.hpp); `recover` finds everything whole
/// in a torn file (scanner.hpp). Threads and order of calls: td_writer in abi.h.
class Mp4Writer : public Writer {
public:
    static constexpr const char* id = "mp4";
    static constexpr const char* doc = "MP4: H.264, H.265, VP9, AV1 and AAC, crash-safe, playable while it downloads";
    static constexpr const char* extension = "mp4";
    static constexpr const char* mime = "video/mp4";
    static constexpr std::array<std::uint32_t, 5> codecs{TD_CODEC_H264, TD_CODEC_H265, TD_CODEC_VP9, TD_CODEC_AV1,
                                                         TD_CODEC_AAC};

    static constexpr Key moov_first = Key::boolean("moov_first", "true")
                                          .aka("mp4_container_moov_first")
                                          .about("The index precedes the media, so a file plays while it downloads")
                                          .per_recording();
    static constexpr Key reserve =
        Key::boolean("reserve", "false")
            .aka("mp4_container_moov_first_reserve_space")
            .about("Keep room for the index when a file is begun, for disks that cannot insert it at the end")
            .per_recording();
    static constexpr Key reserve_size = Key::integer("reserve_size", "2048")
                                            .aka("mp4_container_moov_reserved_space_size")
                                            .about("That room in kilobytes; no file is smaller. 2048 last about 1.5 h")
                                            .within(4, 262144)
                                            .per_recording();
    static constexpr std::array keys{moov_first, reserve, reserve_size};

    explicit Mp4Writer(Context context) : context_(context) {}

    void open(File file, const td_recording& recording, std::span<const td_track* const> tracks) override;
    void track(const td_track& track);
    void write(const td_packet& packet) override;
    void flush() override;
    void finish() override;
    void recover(File file, const td_recording& recording, Recovered& recovered);

private:
    void take_settings(const td_recording& recording);
    using Tracks = std::span<const std::unique_ptr<RecordedTrack>>;

    RecordedTrack* find(std::uint32_t index);
    void add_track(const td_track& track);
    void write_head();
    void write_fragments();
    void append_private_boxes();
    std::int64_t next_cut() const;
    void append_fragment_of(Tracks tracks, Fragments fragments, std::int64_t end_us);
    void count(std::uint64_t at);

    Context context_;
    File file_;
    bool moov_first_ = true;
    std::uint64_t reserve_bytes_ = 0;

    Movie movie_;  // without its tracks while recording: those are in `recorded_`
    std::vector<std::unique_ptr<RecordedTrack>> recorded_;
    std::size_t named_ = 0;  // so many of them stand in the init moov, the others joined later
    std::vector<SampleTable> tables_;
    std::optional<Layout> layout_;  // once the head is written
    std::uint32_t fragments_ = 0;
    // What is being written:
    Bytes boxes_;                  // of all fragments
    std::vector<td_bytes> spans_;  // all bytes in order; boxes as no data and the end of their place in `boxes_`
    std::vector<TrackRun> runs_;   // of all fragments
    std::vector<std::uint64_t> positions_;  // of their first bytes, from the first byte that is written
    std::uint64_t payload_ = 0;             // bytes beside `boxes_`
};

}  // namespace tapedeck::mp4
