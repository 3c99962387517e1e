#include "media.hpp"

#include <algorithm>
#include <array>

namespace tapedeck::rtsp {

namespace {

struct Known {
    const char *name, *kind;
    std::uint32_t id;
};
constexpr std::array<Known, 9> known{{{"H264", "video", TD_CODEC_H264},
                                      {"H265", "video", TD_CODEC_H265},
                                      {"VP8", "video", TD_CODEC_VP8},
                                      {"mpeg4-generic", "audio", TD_CODEC_AAC},
                                      {"MP4A-LATM", "audio", TD_CODEC_AAC},
                                      {"opus", "audio", TD_CODEC_OPUS},
                                      {"PCMA", "audio", TD_CODEC_PCMA},
                                      {"PCMU", "audio", TD_CODEC_PCMU},
                                      {"G722", "audio", TD_CODEC_G722}}};

/// Throws Malformed where its parameters are not known.
Medium medium_of(const sdp::Line& line, const sdp::Codec& codec, std::uint32_t id) {
    Medium medium;
    medium.kind = line.kind == "video" ? TD_VIDEO : TD_AUDIO;
    medium.codec = id == TD_CODEC_AAC ? "AAC" : codec.name;
    medium.control = line.control;
    auto& setup = medium.setup;
    setup.codec = id;
    setup.clock = codec.clock;
    setup.payload_type = codec.payload_type;
    const auto says = [&](const char* name) { return codec.parameter(name).value_or("0") == "1"; };
    setup.channels = says("sprop-stereo") || says("stereo") ? 2 : 1;
    setup.has_pli = codec.has_feedback("nack pli");
    setup.has_fir = codec.has_feedback("ccm fir");
    if (medium.kind == TD_VIDEO && codec.clock != 90'000) throw Malformed("a clock of pictures that is not 90000 Hz");
    if (medium.kind == TD_VIDEO) setup.parameter_sets = sdp::parameter_sets(codec);
    if (id == TD_CODEC_H265 && codec.parameter("sprop-max-don-diff").value_or("0") != "0")
        throw Malformed("H.265 in another order than that of decoding");
    if (id == TD_CODEC_AAC) setup.aac = rtp::AacFormat::parse(codec);
    const bool is_telephone = id == TD_CODEC_PCMA || id == TD_CODEC_PCMU || id == TD_CODEC_G722;
    if (is_telephone && (codec.clock != 8000 || codec.channels != 1))
        throw Malformed(codec.name + " of " + std::to_string(codec.clock) + " Hz and " +
                        std::to_string(codec.channels) + " channels");
    return medium;
}

}  // namespace

std::vector<Medium> media_of(const sdp::Description& description, std::vector<std::string>& left_out) {
    std::vector<Medium> media;
    for (const auto& line : description.lines) {
        const auto kind = line.kind == "video" ? TD_VIDEO : line.kind == "audio" ? TD_AUDIO : 0;
        const bool is_second =
            std::any_of(media.begin(), media.end(), [&](const Medium& m) { return m.kind == std::uint32_t(kind); });
        std::string why = kind == 0   ? "no picture or sound"
                          : is_second ? "another one of its kind"
                                      : "no codec that is known";
        bool is_taken = false;
        for (const auto& codec : line.codecs) {
            const auto* const found = std::find_if(known.begin(), known.end(), [&](const Known& one) {
                return codec.is(one.name) && line.kind == one.kind;
            });
            if (found == known.end() || is_second) continue;
            try {
                media.push_back(medium_of(line, codec, found->id));
                media.back().setup.track = static_cast<std::uint32_t>(media.size() - 1);
                is_taken = true;
                break;
            } catch (const Malformed& e) {
                why = e.what();
            }
        }
        if (!is_taken)
            left_out.push_back(line.kind + (line.codecs.empty() ? "" : " " + line.codecs.front().name) + ": " + why);
    }
    return media;
}

}  // namespace tapedeck::rtsp
