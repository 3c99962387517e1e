// AAC's decoder setup: AudioSpecificConfig (ISO/IEC 14496-3 section 1.6.2).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::aac {

/// What an AudioSpecificConfig says. `sample_rate` and `samples_per_frame` are the core's, before SBR doubles them.
struct Config {
    std::uint32_t object_type = 2;           // 2: LC; 5 and 29 never stay here, they set `sbr` and `ps`
    std::uint32_t sample_rate = 0;           // Hz
    std::uint32_t channels = 0;              // 0: a program config element says it
    std::uint32_t samples_per_frame = 1024;  // or 960
    bool sbr = false;                        // explicitly signalled HE-AAC
    bool ps = false;                         // explicitly signalled HE-AAC v2
    std::uint32_t output_rate = 0;           // Hz after SBR; `sample_rate` without it

    bool operator==(const Config&) const = default;
};

inline constexpr std::array<std::uint32_t, 13> sample_rates{96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                                            22050, 16000, 12000, 11025, 8000,  7350};

namespace detail {

inline std::uint32_t object_type(BitReader& bits) {
    const auto type = bits.bits(5);
    return type == 31 ? 32 + bits.bits(6) : type;
}

inline std::uint32_t sample_rate(BitReader& bits) {
    const auto index = bits.bits(4);
    if (index == 15) return bits.bits(24);
    if (index >= sample_rates.size()) throw Malformed("AudioSpecificConfig: reserved sample rate index");
    return sample_rates[index];
}

}  // namespace detail

/// Reads hierarchical signalling of SBR and PS as well as the backward compatible one behind the core's config. Throws
/// Malformed.
inline Config parse_config(ByteSpan bytes) {
    BitReader bits(bytes);
    Config config;
    config.object_type = detail::object_type(bits);
    config.sample_rate = config.output_rate = detail::sample_rate(bits);
    const auto channel_configuration = bits.bits(4);
    config.channels = channel_configuration == 7 ? 8 : channel_configuration;
    if (config.object_type == 5 || config.object_type == 29) {
        config.sbr = true;
        config.ps = config.object_type == 29;
        config.output_rate = detail::sample_rate(bits);
        config.object_type = detail::object_type(bits);
    }
    if (config.sample_rate == 0) throw Malformed("AudioSpecificConfig: sample rate 0");
    const bool general_audio = config.object_type <= 4 || config.object_type == 6 || config.object_type == 7;
    if (!general_audio || bits.left() < 3) return config;

    if (bits.flag()) config.samples_per_frame = 960;
    if (bits.flag()) bits.bits(14);  // coreCoderDelay
    bits.flag();                     // extensionFlag
    if (channel_configuration == 0 || config.object_type == 6 || config.sbr) return config;
    // Backward compatible signalling: syncExtensionType 0x2b7 after the core's config.
    if (bits.left() >= 16 && bits.bits(11) == 0x2b7 && detail::object_type(bits) == 5 && bits.flag()) {
        config.output_rate = detail::sample_rate(bits);
        config.sbr = true;
        if (bits.left() >= 12 && bits.bits(11) == 0x548) config.ps = bits.flag();
    }
    return config;
}

/// The two bytes (five for a rate without an index) of a plain AAC config. `channels` 1 to 8 except 7.
inline std::vector<std::uint8_t> build_config(std::uint32_t object_type, std::uint32_t sample_rate,
                                              std::uint32_t channels) {
    std::uint64_t value = 0;
    unsigned used = 0;
    const auto put = [&](std::uint64_t bits, unsigned count) { value = value << count | bits, used += count; };
    std::uint32_t index = 15;
    for (std::uint32_t i = 0; i < sample_rates.size(); ++i)
        if (sample_rates[i] == sample_rate) index = i;
    put(object_type, 5);
    put(index, 4);
    if (index == 15) put(sample_rate, 24);
    put(channels == 8 ? 7 : channels, 4);
    put(0, 3);
    std::vector<std::uint8_t> bytes;
    while (used >= 8) bytes.push_back(static_cast<std::uint8_t>(value >> (used -= 8)));
    return bytes;
}

}  // namespace tapedeck::aac
