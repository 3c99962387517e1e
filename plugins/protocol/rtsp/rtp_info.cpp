#include "rtp_info.hpp"

#include <algorithm>

#include "message.hpp"

namespace tapedeck::rtsp {

namespace {

constexpr std::size_t most_tracks = 64;

/// Where the next track begins: addresses may have commas of their own.
std::size_t next_track(std::string_view text) {
    for (auto comma = text.find(','); comma != std::string_view::npos; comma = text.find(',', comma + 1))
        if (same_name(trimmed(text.substr(comma + 1)).substr(0, 4), "url=")) return comma;
    return text.size();
}

RtpInfo one_of(std::string_view text) {
    RtpInfo info;
    while (!text.empty()) {
        const auto end = std::min(text.find(';'), text.size());
        const auto part = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto equals = std::min(part.find('='), part.size());
        const auto name = trimmed(part.substr(0, equals));
        const auto value = trimmed(part.substr(std::min(equals + 1, part.size())));
        if (same_name(name, "url")) info.url = value;
        if (same_name(name, "rtptime")) info.rtptime = number(value, UINT32_MAX);
    }
    return info;
}

}  // namespace

std::vector<RtpInfo> RtpInfo::parse(std::string_view header) {
    std::vector<RtpInfo> tracks;
    while (!header.empty() && tracks.size() < most_tracks) {
        const auto end = next_track(header);
        if (auto info = one_of(header.substr(0, end)); !info.url.empty()) tracks.push_back(std::move(info));
        header.remove_prefix(std::min(end + 1, header.size()));
    }
    return tracks;
}

bool RtpInfo::is_of(std::string_view address, std::string_view control) const {
    if (url == address || url == control) return true;
    return !control.empty() && url.ends_with("/" + std::string(control));
}

}  // namespace tapedeck::rtsp
