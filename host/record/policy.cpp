#include "record/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "plugin/transform.hpp"
#include "plugin/writer.hpp"
#include "record/interleaver.hpp"
#include "record/keys.hpp"

namespace tapedeck::host {

Policy::Policy(const SettingsSource& settings, Extensions extensions, const RecordRules& rules)
    : source_(settings), settings_(settings, ""), extensions_(std::move(extensions)), rules_(rules) {
    const Formats formats = parse_formats(settings_.text(record_formats));
    for (const std::string& problem : formats.problems) log::warning("record_formats: {}; it is ignored", problem);
    for (const Format& format : formats.pairs) {
        const std::string why = impossible(format);
        if (!why.empty() && settings_.is_set(record_formats)) {
            log::warning("record_formats: {}: {}; it is ignored", printable(format.text), why);
        }
    }
    if (!settings_.boolean(record_h264_to_ts)) return;
    const std::string why = impossible({TD_CODEC_H264, "ts", {}});
    if (!why.empty()) log::warning("record_h264_to_ts: {}; it is ignored", why);
}

bool Policy::records(const StreamInfo& stream) const {
    return settings_.boolean(record_streams) && rules_.find(stream).record.value_or(stream.record == TD_RECORD_YES);
}

OptionTexts Policy::options(const StreamInfo& stream) const {
    return rules_.find(stream).options;
}

const Extension* Policy::writer(const std::string& id) const {
    const auto all = extensions_("writer");
    const auto found = std::ranges::find(all, id, &Extension::id);
    return found == all.end() ? nullptr : *found;
}

const Extension* Policy::writer_of(const std::string& container) const {
    const auto preferred = source_.current()->family("prefer.");
    if (const auto id = preferred.find(container); id != preferred.end()) {
        if (const Extension* named = writer(id->second)) return named;
    }
    if (container == "webm" && !settings_.boolean(webm_java_writer_enable)) {
        if (const Extension* lavf = writer("webm_lavf")) return lavf;
    }
    if (const Extension* same = writer(container)) return same;
    for (const Extension* one : extensions_("writer")) {
        if (WriterFacts(*one).extension == container) return one;
    }
    return nullptr;
}

/// Why it cannot be; empty when it can.
std::string Policy::impossible(const Format& format) const {
    const Extension* writer = writer_of(format.container);
    if (writer == nullptr) return fmt::format("no writer plugin for '{}' is enabled", printable(format.container));
    if (WriterFacts(*writer).takes(format.codec)) return {};
    return fmt::format("{} cannot be written to {}", codec_name(format.codec), format.container);
}

std::string Policy::container_of(std::uint32_t video_codec, const td_options* options) const {
    if (video_codec == TD_CODEC_H264 && settings_.boolean(record_h264_to_ts, options) &&
        impossible({video_codec, "ts", {}}).empty()) {
        return "ts";
    }
    // What the list leaves open is as by default; of two pairs of one codec the later counts.
    std::string container = "mp4";
    Formats formats = parse_formats(record_formats.fallback);
    std::ranges::move(parse_formats(settings_.text(record_formats, options)).pairs, std::back_inserter(formats.pairs));
    for (const Format& format : formats.pairs) {
        if (format.codec == video_codec && impossible(format).empty()) container = format.container;
    }
    return container;
}

const Extension* Policy::transform(const TrackSpec& track, std::uint32_t codec, const td_options* options,
                                   std::int32_t least) const {
    const td_track in = track_on_grid(track);
    for (const Extension* one : extensions_("transform")) {
        if (Transform::accepts(*one, options, in, codec) >= least) return one;
    }
    return nullptr;
}

/// How the writer can take the track; nothing when it cannot. What it takes is transformed only where it must be.
std::optional<Rendition> Policy::rendition(const TrackSpec& track, const Extension& writer,
                                           const td_options* options) const {
    const std::uint32_t own = track.track.codec;
    const WriterFacts facts(writer);
    if (facts.takes(own)) return Rendition{&track, own, transform(track, own, options, TD_TRANSFORM_MUST)};
    for (const std::uint32_t codec : facts.codecs) {
        if (const Extension* through = transform(track, codec, options)) return Rendition{&track, codec, through};
    }
    return std::nullopt;
}

Policy::Choice Policy::choose(const std::vector<const TrackSpec*>& tracks, const td_options* options) const {
    const auto video = std::ranges::find_if(tracks, [](auto* spec) { return spec->track.kind == TD_VIDEO; });
    // What has no picture goes to MP4 (R6).
    const std::string container = video == tracks.end() ? "mp4" : container_of((*video)->track.codec, options);
    Choice choice{.writer = writer_of(container), .tracks = {}, .left_out = {}};
    if (choice.writer == nullptr) {
        throw Error(fmt::format("no writer plugin for '{}' is enabled", container), TD_UNSUPPORTED);
    }
    if (std::ranges::all_of(tracks, [](auto* spec) { return spec->track.kind == TD_DATA; })) {
        throw Error("it has no video and no audio", TD_UNSUPPORTED);
    }
    for (const auto kind : {TD_VIDEO, TD_AUDIO, TD_DATA}) {
        for (const TrackSpec* spec : tracks) {
            if (spec->track.kind != static_cast<std::uint32_t>(kind)) continue;
            if (const auto how = rendition(*spec, *choice.writer, options)) {
                choice.tracks.push_back(*how);
            } else {
                choice.left_out.push_back(fmt::format("{} of codec {} cannot be written to {}",
                                                      kind_name(spec->track.kind), codec_name(spec->track.codec),
                                                      container));
            }
        }
    }
    if (choice.tracks.empty() || choice.tracks.front().source->track.kind == TD_DATA) {
        throw Error(choice.left_out.empty() ? "it has no video and no audio" : choice.left_out.front(), TD_UNSUPPORTED);
    }
    return choice;
}

}  // namespace tapedeck::host
