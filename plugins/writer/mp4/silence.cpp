#include "silence.hpp"

#include "tapedeck/media/aac.hpp"

namespace tapedeck::mp4 {

Bytes silent_frame(View audio_specific_config) {
    constexpr std::uint32_t low_complexity = 2;
    try {
        const auto config = aac::parse_config(audio_specific_config);
        if (config.object_type != low_complexity || config.sbr) return {};
        // A channel stream without any scale factor band (max_sfb 0) is all zeros but for what frames it:
        // single_channel_element, or channel_pair_element with a common window, then the end.
        if (config.channels == 1) return {0x00, 0x00, 0x00, 0x07};
        if (config.channels == 2) return {0x21, 0x00, 0x00, 0x00, 0x00, 0x1c};
    } catch (const Malformed&) {
        // What cannot be read was refused when the track was made.
    }
    return {};
}

}  // namespace tapedeck::mp4
