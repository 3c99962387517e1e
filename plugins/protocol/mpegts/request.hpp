// What REST and SRT's stream ids ask for, and how it is shown.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mpegts/settings.hpp"
#include "sources/members.hpp"

namespace tapedeck::mpegts {

enum class Transport : std::uint8_t { udp, rtp, srt };

/// One stream that is to be taken.
struct Request {
    std::string stream;
    Transport transport = Transport::udp;
    std::uint32_t record = TD_RECORD_BY_RULES;
    std::chrono::microseconds timeout{}, max_timestamp_diff{};
    Networks allowed;
    std::optional<std::uint16_t> program;
    std::string passphrase;
    // Of callers of the fixed port.
    std::string login;
    std::vector<std::pair<std::string, std::string>> credentials;  ///< `password`, `token`
};

/// The body of /mpegts/startup; what it does not say is as `settings` say, and what is not known is passed over. Throws
/// Error TD_MALFORMED, which names the member and its value.
Request parse_startup(std::string_view body, const Settings& settings);

/// A stream id: a name, or `#!::r=name,u=login,password=...,token=...` (SRT access control). Throws Error TD_MALFORMED.
Request parse_stream_id(const std::string& stream_id, const Settings& settings);

/// Of find and terminate; an empty text was not given and fits all.
struct Filter {
    sources::Filter source;
    std::string status;
    bool is_empty() const {
        return source.uri.empty() && source.stream.empty() && source.media_session.empty() && status.empty();
    }
};
/// Throws Error TD_MALFORMED, which names the member and its value.
Filter parse_filter(std::string_view body);

/// What there is to know of a stream.
struct Shown {
    std::string media_session, uri, status, info, sender, program;
    bool has_audio = false, has_video = false;
    std::uint64_t lost = 0, dropped_pictures = 0, jumps = 0;
};
/// As a JSON object.
std::string describe(const Request& request, const Shown& shown);

/// `host:port` without the port.
std::string host_of(std::string_view authority);
const char* name_of(Transport transport);

}  // namespace tapedeck::mpegts
