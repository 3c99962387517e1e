// A camera known by its host and a login: its profiles and where it streams (ONVIF Core 5.9, Media 1).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "url.hpp"

namespace tapedeck::rtsp::onvif {

/// wsse:Security with a UsernameToken of type PasswordDigest: base64(SHA-1(nonce + created + password)). `nonce` is raw
/// bytes, `created` like 2026-01-31T10:20:30Z (OASIS UsernameToken Profile 1.0).
std::string security_header(const std::string& user, const std::string& password, const std::string& nonce,
                            const std::string& created);

/// What answers say; each throws Error where it is no such answer, with the camera's own words if it is a fault, and
/// TD_DENIED where the login is refused.
std::int64_t parse_time(std::string_view xml);          // of GetSystemDateAndTime: UNIX seconds
std::string parse_media_address(std::string_view xml);  // of GetCapabilities: of the media service
struct Profile {
    std::string token, name;
};
std::vector<Profile> parse_profiles(std::string_view xml);  // of GetProfiles, at least one
std::string parse_stream(std::string_view xml);             // of GetStreamUri

/// The address that a camera answers, where the login may be sent: at the camera's own host. A camera behind a NAT does
/// not know how it is reached. `device`: the address of its device service.
std::string at_device(std::string_view answered, std::string_view device);

/// One camera.
class Device {
public:
    /// `host`, `host:port` or the http address of the device service. `profile`: name or token; empty: the first.
    /// Throws Error.
    static Device parse(std::string_view address, std::string user, std::string password, std::string profile);
    /// `onvif://host/profile`, for people and as a name.
    std::string shown() const;
    /// Asks it, which takes up to 10 s, or 1 s from when `is_wanted` is false. Throws Error, TD_DENIED where the login
    /// is refused. [blocking]
    Url stream(const std::function<bool()>& is_wanted) const;

private:
    using Clock = std::chrono::steady_clock;
    struct Patience {
        const std::function<bool()>& is_wanted;
        Clock::time_point until;
    };
    std::string ask(const std::string& address, const std::string& body, std::int64_t ahead_s, bool is_signed,
                    const Patience& patience, bool has_http_login = false) const;

    std::string address_, host_, user_, password_, profile_;
};

}  // namespace tapedeck::rtsp::onvif
