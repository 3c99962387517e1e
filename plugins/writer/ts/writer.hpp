// MPEG-TS files: append-only, so that a file plays as far as it is written, at any moment and after any crash.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "muxer.hpp"
#include "tapedeck/plugin.hpp"

namespace tapedeck::ts {

/// One file. Every `flush` appends all packets so far by one write; there is nothing to finish but what a failed write
/// left behind. `recover` finds where the last whole packet of a torn file ends (scanner.hpp), and `finish` cuts it
/// there. Threads and order of calls: td_writer in abi.h.
class TsWriter : public Writer {
public:
    static constexpr const char* id = "ts";
    static constexpr const char* doc = "MPEG-TS: H.264, H.265, AAC in ADTS; plays while it is written";
    static constexpr const char* extension = "ts";
    static constexpr const char* mime = "video/mp2t";
    static constexpr std::array<std::uint32_t, 3> codecs{TD_CODEC_H264, TD_CODEC_H265, TD_CODEC_AAC};

    explicit TsWriter(Context) {}

    void open(File file, const td_recording& recording, std::span<const td_track* const> tracks) override;
    void track(const td_track& track);
    void write(const td_packet& packet) override;
    void flush() override;
    void finish() override;
    void recover(File file, const td_recording& recording, Recovered& recovered);

private:
    File file_;
    std::optional<Muxer> muxer_;  // while recording
    std::uint64_t end_ = 0;       // of what is whole in the file
};

}  // namespace tapedeck::ts
