// transform.audio: any sound into AAC for MP4 and TS, and into Opus for WebM.
#include "tapedeck/plugin.hpp"

#include <array>
#include <mutex>
#include <string>

#include "settings.hpp"
#include "transcoder.hpp"

namespace tapedeck::audio {

class Audio final : public Transform {
public:
    static constexpr const char* id = "audio";
    static constexpr const char* doc = "Sound into AAC or Opus, where the container wants it";
    static constexpr std::array keys{sample_rate_key, channels_key, bitrate_mode_key};

    static std::int32_t accepts(Context context, const td_track& in, std::uint32_t codec) {
        if (in.kind != TD_AUDIO || !is_known(in.codec)) return TD_TRANSFORM_NO;
        if (codec != TD_CODEC_AAC && codec != TD_CODEC_OPUS) return TD_TRANSFORM_NO;
        const bool must = codec == TD_CODEC_AAC && in.codec == TD_CODEC_AAC && differs(context, in);
        return must ? TD_TRANSFORM_MUST : TD_TRANSFORM_CAN;
    }

    Audio(const Context& context, const td_track& in, const td_track& wanted, const Sink& out)
        : transcoder_(context, in, format_of(context, in, wanted), out) {
        if (wanted.codec == TD_CODEC_AAC) tell_encoder(context);
    }

    void push(const td_packet& packet) override { transcoder_.push(packet); }
    void flush() { transcoder_.flush(); }

private:
    /// Once for the process: which encoder stands in for libfdk_aac.
    void tell_encoder(const Context& context) const {
        static std::once_flag told;
        std::call_once(told, [&] {
            if (transcoder_.encoder_name() == "libfdk_aac") return;
            context.info(
                "libavcodec has no libfdk_aac: AAC is made by its own encoder, with record_fdk_aac_bitrate_mode " +
                std::to_string(context.integer(bitrate_mode_key)) + " as the nearest of its qualities");
        });
    }

    Transcoder transcoder_;
};

}  // namespace tapedeck::audio

TAPEDECK_PLUGIN("audio", TAPEDECK_VERSION, "Tapedeck", "MIT", "Sound in another codec", tapedeck::audio::Audio);
