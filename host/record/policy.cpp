#include "record/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/log.hpp"
#include "plugin/writer.hpp"
#include "record/keys.hpp"

namespace tapedeck::host {
namespace {

struct Name {
    std::uint32_t codec;
    std::string_view name;
};

constexpr std::array names{Name{TD_CODEC_H264, "H264"}, Name{TD_CODEC_H265, "H265"},   Name{TD_CODEC_VP8, "VP8"},
                           Name{TD_CODEC_VP9, "VP9"},   Name{TD_CODEC_AV1, "AV1"},     Name{TD_CODEC_AAC, "AAC"},
                           Name{TD_CODEC_OPUS, "OPUS"}, Name{TD_CODEC_PCMA, "PCMA"},   Name{TD_CODEC_PCMU, "PCMU"},
                           Name{TD_CODEC_G722, "G722"}, Name{TD_CODEC_SPEEX, "SPEEX"}, Name{TD_CODEC_MP3, "MP3"}};

std::string upper(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return out;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::string codec_name(std::uint32_t codec) {
    for (const Name& known : names) {
        if (known.codec == codec) return std::string(known.name);
    }
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(codec >> shift & 0xff);
    return printable(text);
}

Rotation parse_rotation(std::string_view text) {
    const std::string_view value = trimmed(text);
    if (value.empty() || value == "0" || upper(value) == "DISABLED") return {};
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    const std::string suffix = upper(trimmed({end, static_cast<std::size_t>(value.data() + value.size() - end)}));
    const auto shift = suffix == "K" ? 10u : suffix == "M" ? 20u : suffix == "G" ? 30u : 0u;
    if (error != std::errc() || number > 1u << 31 || (shift == 0 && !suffix.empty())) {
        throw Error(fmt::format("record_rotation: '{}' is neither seconds (20) nor a size (10M) nor 'disabled'",
                                printable(text)),
                    TD_MALFORMED);
    }
    if (shift != 0) return {.bytes = number << shift};
    return {.duration_us = static_cast<std::int64_t>(number) * 1'000'000};
}

Policy::Policy(const SettingsSource& settings, const Registry& registry)
    : source_(settings), settings_(settings, ""), registry_(registry) {
    containers_ = {{TD_CODEC_H264, "mp4"}, {TD_CODEC_VP8, "webm"}};
    const std::string formats = settings_.text(record_formats);
    for (std::size_t at = 0; at <= formats.size();) {
        const std::size_t comma = std::min(formats.find(',', at), formats.size());
        const std::string_view pair = trimmed(std::string_view(formats).substr(at, comma - at));
        at = comma + 1;
        if (pair.empty()) continue;
        const std::size_t dash = pair.find('-');
        const std::string codec = upper(pair.substr(0, dash));
        std::string container = dash == std::string_view::npos ? "" : upper(pair.substr(dash + 1));
        std::ranges::transform(container, container.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        const auto known = std::ranges::find(names, codec, &Name::name);
        if (known == names.end() || container.empty()) {
            log::warning("record_formats: '{}' is not <video codec>-<container> and is ignored", printable(pair));
            continue;
        }
        const Extension* writer = writer_of(container);
        if (writer == nullptr) {
            if (settings_.is_set(record_formats)) {
                log::warning("record_formats: no writer plugin for '{}' is enabled; '{}' is ignored",
                             printable(container), printable(pair));
            }
        } else if (!WriterFacts(*writer).takes(known->codec)) {
            log::warning("record_formats: {} cannot be written to {}; '{}' is ignored", codec, container,
                         printable(pair));
        } else {
            containers_[known->codec] = container;
        }
    }
    if (settings_.boolean(record_h264_to_ts)) {
        if (writer_of("ts") == nullptr) {
            log::warning("record_h264_to_ts: no writer plugin for 'ts' is enabled; H264 goes to {}",
                         containers_[TD_CODEC_H264]);
        } else {
            containers_[TD_CODEC_H264] = "ts";
        }
    }
}

bool Policy::records(const StreamInfo& stream) const {
    return settings_.boolean(record_streams) && stream.record == TD_RECORD_YES;
}

const Extension* Policy::writer_of(const std::string& container) const {
    const auto preferred = source_.current()->family("prefer.");
    if (const auto id = preferred.find(container); id != preferred.end()) {
        if (const Extension* writer = registry_.find("writer", id->second)) return writer;
    }
    if (const Extension* same = registry_.find("writer", container)) return same;
    for (const Extension* writer : registry_.all("writer")) {
        if (WriterFacts(*writer).extension == container) return writer;
    }
    return nullptr;
}

Policy::Choice Policy::choose(const std::vector<const TrackSpec*>& tracks) const {
    std::string container = "mp4";  // also of what has no picture (R6)
    for (const TrackSpec* spec : tracks) {
        if (spec->track.kind != TD_VIDEO) continue;
        const auto known = containers_.find(spec->track.codec);
        if (known != containers_.end()) container = known->second;
        break;
    }
    Choice choice{.writer = writer_of(container), .tracks = {}, .left_out = {}};
    if (choice.writer == nullptr) {
        throw Error(fmt::format("no writer plugin for '{}' is enabled", container), TD_UNSUPPORTED);
    }
    const WriterFacts facts(*choice.writer);
    for (const auto kind : {TD_VIDEO, TD_AUDIO}) {
        for (const TrackSpec* spec : tracks) {
            if (spec->track.kind != static_cast<std::uint32_t>(kind)) continue;
            if (facts.takes(spec->track.codec)) {
                choice.tracks.push_back(spec);
            } else {
                choice.left_out.push_back(fmt::format("{} of codec {} cannot be written to {}",
                                                      kind == TD_VIDEO ? "video" : "audio",
                                                      codec_name(spec->track.codec), container));
            }
        }
    }
    if (choice.tracks.empty()) {
        throw Error(choice.left_out.empty() ? "it has no video and no audio" : choice.left_out.front(), TD_UNSUPPORTED);
    }
    return choice;
}

}  // namespace tapedeck::host
