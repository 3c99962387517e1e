// conf/flash_handler_publish.sdp: which media and codecs RTMP publishers may send (requirement R142).
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "tapedeck/abi.h"

namespace tapedeck::rtmp {

/// What a session description (RFC 8866) allows. Codec names are compared without case; rates and channels do not
/// count. A media line without any codec name allows all codecs of its media.
class PublishSdp {
public:
    /// Allows everything.
    PublishSdp() = default;
    /// Lines that are not understood are passed over.
    static PublishSdp parse(std::string_view text);
    /// A file that does not exist allows everything; throws Error when one exists and cannot be read, or has no media
    /// line.
    static PublishSdp load(const std::filesystem::path& file);

    /// `kind` is TD_VIDEO or TD_AUDIO.
    bool allows(std::uint32_t kind) const;
    bool allows(std::uint32_t kind, std::uint32_t codec) const;
    /// As td_stream_info.expects. Both kinds may come, and only the client knows: then nothing is expected.
    std::uint32_t expected() const {
        if (allows(TD_VIDEO) == allows(TD_AUDIO)) return 0;
        return 1u << (allows(TD_VIDEO) ? TD_VIDEO : TD_AUDIO);
    }
    /// Whether a H.264 profile_idc is among those offered (profile-level-id, RFC 6184 section 8.1), or none is named.
    bool offers_profile(std::uint8_t profile) const { return profiles_.empty() || profiles_.contains(profile); }

private:
    struct Media {
        bool allowed = false;
        std::set<std::string> codecs;  // upper case, as flv::codec_name; empty: all
    };
    const Media& media(std::uint32_t kind) const;

    bool everything_ = true;
    Media video_, audio_;
    std::set<std::uint8_t> profiles_;
};

}  // namespace tapedeck::rtmp
