// WebM files written by libavformat, instead of by our own writer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "muxer.hpp"
#include "tapedeck/plugin.hpp"

namespace tapedeck::webm_lavf {

/// One file. Each `flush` ends a cluster, so that a killed process loses only what was not flushed, and the one
/// packet of sound that libavformat keeps back; the Cues go to the end of the file. `recover` reads a torn file, and
/// `finish` then writes it anew into a rewrite. Threads and order of calls: td_writer in abi.h.
class LavfWriter : public Writer {
public:
    static constexpr const char* id = "webm_lavf";
    static constexpr const char* doc = "WebM by libavformat, for comparison with the server's own writer";
    static constexpr const char* extension = "webm";
    static constexpr const char* mime = "video/webm";
    static constexpr std::array<std::uint32_t, 4> codecs{TD_CODEC_VP8, TD_CODEC_VP9, TD_CODEC_AV1, TD_CODEC_OPUS};

    static constexpr Key cluster_duration =
        Key::duration("cluster_duration", "100000")
            .per("ms")
            .aka("webm_cluster_duration_limit")
            .about("A cluster is written when it is so long; the recorder's flush writes it earlier")
            .within(1'000, 3'600'000'000)
            .per_recording();
    static constexpr Key cluster_size = Key::bytes("cluster_size", "131072")
                                            .aka("webm_cluster_size_limit")
                                            .about("A cluster is written when it has so many bytes")
                                            .within(1024, 64 << 20)
                                            .per_recording();
    static constexpr std::array keys{cluster_duration, cluster_size};

    explicit LavfWriter(Context context) : context_(context) {}

    void open(File file, const td_recording& recording, std::span<const td_track* const> tracks) override;
    void track(const td_track& track);
    void write(const td_packet& packet) override;
    void flush() override;
    void finish() override;
    void recover(File file, const td_recording& recording, Recovered& recovered);

private:
    struct Lane {
        Track track;
        int stream = 0;
    };
    struct Held {
        td_packet packet;
        Buffer buffer;
    };
    Lane* find(std::uint32_t index);
    void take_settings(const td_recording& recording);
    bool is_described() const;
    void begin();
    void mux(const td_packet& packet);
    void sync();

    Context context_;
    File file_;
    MuxerSettings settings_;
    std::vector<Lane> lanes_;
    std::vector<Held> held_;  // until the size of the pictures is known
    std::unique_ptr<Muxer> muxer_;
    bool ended_ = false;  // the muxer has tried to end the file, or never knew it
};

}  // namespace tapedeck::webm_lavf
