#include "settings.hpp"

#include <algorithm>
#include <optional>

#include "tapedeck/media/aac.hpp"

namespace tapedeck::audio {

namespace {

struct Shape {
    int sample_rate, channels;
};

/// Of AAC as it is heard, after SBR and PS; zeros where neither config nor track tell.
Shape shape_of(const td_track& aac) {
    Shape shape{static_cast<int>(aac.sample_rate), static_cast<int>(aac.channels)};
    try {
        const auto config = aac::parse_config({aac.config.data, aac.config.size});
        shape.sample_rate = static_cast<int>(config.output_rate);
        if (config.channels != 0) shape.channels = config.ps ? 2 : static_cast<int>(config.channels);
    } catch (const Malformed&) {  // as announced, then
    }
    return shape;
}

}  // namespace

bool differs(const Context& context, const td_track& aac) {
    const Shape shape = shape_of(aac);
    const auto other = [&](const td_key& key, int now) {
        return context.is_set(key) && now != 0 && number(context, key) != now;
    };
    return other(sample_rate_key, shape.sample_rate) || other(channels_key, shape.channels);
}

Format format_of(const Context& context, const td_track& in, const td_track& wanted) {
    Format format{wanted.codec, number(context, sample_rate_key), number(context, channels_key),
                  static_cast<int>(context.integer(bitrate_mode_key))};
    if (wanted.codec == TD_CODEC_OPUS) {
        const bool stereo_by_nature = in.codec == TD_CODEC_AAC || in.codec == TD_CODEC_MP3 ||
                                      in.codec == TD_CODEC_MP2 || in.codec == TD_CODEC_AC3;
        const int channels = in.channels != 0 ? static_cast<int>(in.channels) : stereo_by_nature ? 2 : 1;
        format.sample_rate = 48000;
        format.channels = std::min(format.channels, channels);
    } else if (in.codec == TD_CODEC_AAC) {
        const Shape shape = shape_of(in);
        const bool has_index =
            std::ranges::count(aac::sample_rates, static_cast<std::uint32_t>(shape.sample_rate)) != 0;
        if (!context.is_set(sample_rate_key) && has_index) format.sample_rate = shape.sample_rate;
        if (!context.is_set(channels_key) && shape.channels > 0) format.channels = std::min(shape.channels, 2);
    }
    if (wanted.sample_rate != 0 && wanted.codec != TD_CODEC_OPUS) {
        format.sample_rate = static_cast<int>(wanted.sample_rate);
    }
    if (wanted.channels != 0) format.channels = static_cast<int>(wanted.channels);
    return format;
}

}  // namespace tapedeck::audio
