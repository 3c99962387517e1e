#include "publish_sdp.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>

#include "flv.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::rtmp {

namespace {

std::string upper(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return out;
}

/// SDP's names for codecs in ours.
std::string canonical(std::string_view encoding) {
    auto name = upper(encoding);
    if (name == "MPEG4-GENERIC" || name == "MP4A-LATM") return "AAC";
    if (name == "MPA") return "MP3";
    if (name == "FLV" || name == "H263-1998" || name == "H263-2000") return "H263";
    return name;
}

std::string_view next_word(std::string_view& rest) {
    const auto start = std::min(rest.find_first_not_of(' '), rest.size());
    rest.remove_prefix(start);
    const auto word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    return word;
}

/// The first byte of a fmtp line's profile-level-id: profile_idc.
std::optional<std::uint8_t> profile_of(std::string_view line) {
    constexpr std::string_view name = "profile-level-id=";
    const auto at = line.find(name);
    if (at == std::string_view::npos) return std::nullopt;
    const auto digits = line.substr(at + name.size(), 2);
    std::uint8_t profile = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), profile, 16);
    if (read.ec != std::errc() || read.ptr != digits.data() + 2) return std::nullopt;
    return profile;
}

}  // namespace

PublishSdp PublishSdp::parse(std::string_view text) {
    PublishSdp sdp;
    sdp.everything_ = false;
    Media ignored;
    Media* media = nullptr;
    while (!text.empty()) {
        auto line = text.substr(0, text.find_first_of("\r\n"));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.starts_with("m=")) {
            line.remove_prefix(2);
            const auto kind = next_word(line);
            media = kind == "audio" ? &sdp.audio_ : kind == "video" ? &sdp.video_ : &ignored;
            media->allowed = true;
            next_word(line);  // port
            next_word(line);  // transport
            for (auto type = next_word(line); !type.empty(); type = next_word(line)) {
                if (type == "0") media->codecs.insert("PCMU");  // types with a fixed meaning (RFC 3551 section 6)
                if (type == "8") media->codecs.insert("PCMA");
            }
        } else if (media != nullptr && line.starts_with("a=rtpmap:")) {
            line.remove_prefix(9);
            next_word(line);  // payload type
            const auto encoding = next_word(line);
            media->codecs.insert(canonical(encoding.substr(0, encoding.find('/'))));
        } else if (media == &sdp.video_ && line.starts_with("a=fmtp:")) {
            if (const auto profile = profile_of(line)) sdp.profiles_.insert(*profile);
        }
    }
    return sdp;
}

PublishSdp PublishSdp::load(const std::filesystem::path& file) {
    std::error_code error;
    if (file.empty() || !std::filesystem::exists(file, error)) return {};
    std::ifstream stream(file, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    if (!stream.good() && !stream.eof())
        throw Error("cannot read " + file.string() + "; setting 'protocol.rtmp.publish_sdp' names it");
    auto sdp = parse(text);
    if (!sdp.video_.allowed && !sdp.audio_.allowed)
        throw Error(
            file.string() +
            " has no line 'm=audio' or 'm=video', so that nothing could be published; remove it to allow everything");
    return sdp;
}

const PublishSdp::Media& PublishSdp::media(std::uint32_t kind) const {
    return kind == TD_VIDEO ? video_ : audio_;
}

bool PublishSdp::allows(std::uint32_t kind) const {
    return everything_ || media(kind).allowed;
}

bool PublishSdp::allows(std::uint32_t kind, std::uint32_t codec) const {
    if (everything_) return true;
    const auto& allowed = media(kind);
    return allowed.allowed && (allowed.codecs.empty() || allowed.codecs.contains(flv::codec_name(codec)));
}

}  // namespace tapedeck::rtmp
