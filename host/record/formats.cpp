#include "record/formats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/text.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::host {
namespace {

struct Name {
    std::uint32_t codec;
    std::string_view name;
};

constexpr std::array names{Name{TD_CODEC_H264, "H264"}, Name{TD_CODEC_H265, "H265"},   Name{TD_CODEC_VP8, "VP8"},
                           Name{TD_CODEC_VP9, "VP9"},   Name{TD_CODEC_AV1, "AV1"},     Name{TD_CODEC_AAC, "AAC"},
                           Name{TD_CODEC_OPUS, "OPUS"}, Name{TD_CODEC_PCMA, "PCMA"},   Name{TD_CODEC_PCMU, "PCMU"},
                           Name{TD_CODEC_G722, "G722"}, Name{TD_CODEC_SPEEX, "SPEEX"}, Name{TD_CODEC_MP3, "MP3"},
                           Name{TD_CODEC_MP2, "MP2"},   Name{TD_CODEC_AC3, "AC3"}};

}  // namespace

std::string codec_name(std::uint32_t codec) {
    for (const Name& known : names) {
        if (known.codec == codec) return std::string(known.name);
    }
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(codec >> shift & 0xff);
    return printable(text);
}

std::string_view kind_name(std::uint32_t kind) {
    return kind == TD_VIDEO ? "video" : kind == TD_AUDIO ? "audio" : "data";
}

Formats parse_formats(std::string_view text) {
    Formats formats;
    for (const std::string& pair : list_of(text)) {
        const std::size_t dash = std::min(pair.find('-'), pair.size());
        const auto known =
            std::ranges::find(names, upper(trimmed(std::string_view(pair).substr(0, dash))), &Name::name);
        std::string container = lower(trimmed(std::string_view(pair).substr(std::min(dash + 1, pair.size()))));
        if (known == names.end() || container.empty()) {
            formats.problems.push_back(
                fmt::format("'{}' is not <video codec>-<container>, as in h264-mp4", printable(pair)));
        } else {
            formats.pairs.push_back({known->codec, std::move(container), pair});
        }
    }
    return formats;
}

}  // namespace tapedeck::host
