// What an operator may set of encoded sound.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "tapedeck/context.hpp"
#include "tapedeck/key.hpp"

namespace tapedeck::audio {

inline constexpr auto sample_rate_key =
    Key::choice("sample_rate", "44100", "8000|11025|12000|16000|22050|24000|32000|44100|48000|64000|88200|96000")
        .aka("record_audio_codec_sample_rate")
        .reload()
        .per_recording()
        .about("Hz of encoded AAC; AAC that comes in stays as it is unless this is given and differs");
inline constexpr auto channels_key =
    Key::choice("channels", "2", "1|2")
        .aka("record_audio_codec_channels")
        .reload()
        .per_recording()
        .about("Channels of encoded sound; 1 costs 0.6 of 2. AAC that comes in stays unless this is given and differs");
inline constexpr auto bitrate_mode_key =
    Key::integer("aac_bitrate_mode", "5")
        .aka("record_fdk_aac_bitrate_mode")
        .within(0, 5)
        .reload()
        .per_recording()
        .about("0: constant; 1 to 5: variable, about 40, 52, 67, 86 and 112 kbit/s in stereo");

inline int number(const Context& context, const td_key& choice) {
    return std::stoi(std::string(context.text(choice)));
}

/// What comes out.
struct Format {
    std::uint32_t codec = TD_CODEC_AAC;
    int sample_rate = 44100;
    int channels = 2;
    int bitrate_mode = 5;  ///< of AAC
};

/// AAC: what is set; a setting that is not given leaves incoming AAC's own. Opus: 48 kHz, and no more channels than the
/// track has. What `wanted` says stands above it.
Format format_of(const Context& context, const td_track& in, const td_track& wanted);

/// Whether AAC must be encoded anew (R49): a rate or number of channels is explicitly set, and is not the track's.
bool differs(const Context& context, const td_track& aac);

}  // namespace tapedeck::audio
