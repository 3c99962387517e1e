// Which streams are recorded, and into which container.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "plugin/extension.hpp"
#include "record/formats.hpp"
#include "record/rules.hpp"
#include "stream/packet.hpp"
#include "stream/stream_info.hpp"

namespace tapedeck::host {

/// A track as it goes into a file.
struct Rendition {
    const TrackSpec* source = nullptr;
    std::uint32_t codec = 0;
    const Extension* transform = nullptr;  ///< null: as it is
};

/// Thread-safe; reads the settings in force.
class Policy {
public:
    /// The active extensions of a kind; the registry's `all`.
    using Extensions = std::function<std::vector<const Extension*>(std::string_view kind)>;

    /// Warns of pairs of `record_formats` that cannot be (R5).
    Policy(const SettingsSource& settings, Extensions extensions, const RecordRules& rules);

    /// Whether this stream is recorded without being asked for over REST: by `record_streams`, then by the rules, then
    /// by its protocol (R11-R15).
    bool records(const StreamInfo& stream) const;
    /// What the rules say of its recordings, also of those that REST asks for.
    OptionTexts options(const StreamInfo& stream) const;

    struct Choice {
        const Extension* writer;
        std::vector<Rendition> tracks;      ///< those that are written; video first
        std::vector<std::string> left_out;  ///< a sentence for each track that is not
    };
    /// The container for these tracks and how each goes into it, by the settings of this recording where `options` is
    /// given. Throws Error(TD_UNSUPPORTED) when none of them can be written.
    Choice choose(const std::vector<const TrackSpec*>& tracks, const td_options* options) const;
    /// What can turn the track into this codec, or, with TD_TRANSFORM_MUST, has to. Null: nothing.
    const Extension* transform(const TrackSpec& track, std::uint32_t codec, const td_options* options,
                               std::int32_t least = TD_TRANSFORM_CAN) const;

private:
    const Extension* writer(const std::string& id) const;
    const Extension* writer_of(const std::string& container) const;
    std::string container_of(std::uint32_t video_codec, const td_options* options) const;
    std::string impossible(const Format& format) const;
    std::optional<Rendition> rendition(const TrackSpec& track, const Extension& writer,
                                       const td_options* options) const;

    const SettingsSource& source_;
    const Scope settings_;
    const Extensions extensions_;
    const RecordRules& rules_;
};

}  // namespace tapedeck::host
