// Which streams are recorded, and into which container.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "plugin/registry.hpp"
#include "stream/packet.hpp"
#include "stream/stream_info.hpp"

namespace tapedeck::host {

/// The codec's name in file names, `record_formats` and REST: `H264`, `VP8`, `AAC`, `OPUS`, ...; of an unknown one its
/// four characters.
std::string codec_name(std::uint32_t codec);

/// When to start the next file (R25). Nothing set: one file.
struct Rotation {
    std::int64_t duration_us = 0;
    std::uint64_t bytes = 0;
    bool is_on() const { return duration_us != 0 || bytes != 0; }
};
/// `20` (seconds), `10M`, empty, `0`, `disabled`. Throws Error(TD_MALFORMED).
Rotation parse_rotation(std::string_view text);

/// Thread-safe; reads the settings in force.
class Policy {
public:
    /// Reads `record_formats` and warns of pairs that cannot be (R5).
    Policy(const SettingsSource& settings, const Registry& registry);

    /// Whether this stream is recorded without being asked for over REST (R11-R14).
    bool records(const StreamInfo& stream) const;

    struct Choice {
        const Extension* writer;
        std::vector<const TrackSpec*> tracks;  ///< those that are written; video first
        std::vector<std::string> left_out;     ///< a sentence for each track that is not
    };
    /// The container for these tracks. Throws Error(TD_UNSUPPORTED) when none of them can be written.
    Choice choose(const std::vector<const TrackSpec*>& tracks) const;

private:
    const Extension* writer_of(const std::string& container) const;

    const SettingsSource& source_;
    const Scope settings_;
    const Registry& registry_;
    std::map<std::uint32_t, std::string> containers_;  // by video codec
};

}  // namespace tapedeck::host
