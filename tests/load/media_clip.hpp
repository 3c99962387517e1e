// A media file cut into RTP payloads ahead of time, once for all publishers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "rtp/packetiser.hpp"

namespace tapedeck::load {

/// One picture, or one packet of sound.
struct Unit {
    bool is_video = false;
    std::int64_t due_us = 0;      // from the clip's begin
    std::uint32_t timestamp = 0;  // in the clock of its codec, from the clip's begin
    std::vector<rtp::Payload> payloads;
};

struct MediaClip {
    std::vector<Unit> units;       // by `due_us`
    std::int64_t length_us = 0;    // a step behind the last unit
    std::uint32_t video = 0;       // TD_CODEC_H264, TD_CODEC_VP8 or 0
    std::string profile_level_id;  // of H.264, as in the SDP
    std::uint32_t audio = 0;       // TD_CODEC_OPUS, TD_CODEC_AAC or 0
    std::uint32_t audio_rate = 0;  // Hz, of its RTP clock
    std::uint32_t channels = 0;
    Bytes audio_config;  // of AAC: the AudioSpecificConfig
    Bytes video_config;  // of H.264: avcC
};

/// [blocking] Reads the whole file, whose pictures must be in the order they are shown, into payloads of at most so
/// many bytes. Throws Error.
MediaClip read_media_clip(Context context, const std::filesystem::path& file, std::size_t largest_payload);

}  // namespace tapedeck::load
