// The header that says where the tracks are when playing begins (RFC 2326 section 12.33).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tapedeck::rtsp {

/// One track: its address as the server writes it, and the RTP timestamp of the moment that is the same for all.
struct RtpInfo {
    std::string url;
    std::optional<std::uint32_t> rtptime;

    /// What cannot be read is left out.
    static std::vector<RtpInfo> parse(std::string_view header);
    /// Whether it is of the track with this address and this control attribute: cameras write either, or a part.
    bool is_of(std::string_view address, std::string_view control) const;
};

}  // namespace tapedeck::rtsp
