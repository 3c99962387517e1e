// The messages of Flashphoner's WebSDK as values. Pure: all of their JSON is here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::webrtc::websdk {

inline constexpr std::size_t most_message = std::size_t{256} * 1024;  ///< bytes of one frame
inline constexpr std::size_t most_offer = std::size_t{64} * 1024;
inline constexpr std::size_t most_text = 4096;  ///< names, logins, credentials and what an attribute says
inline constexpr std::size_t most_id = 128;     ///< longer ones count as missing
inline constexpr std::size_t most_attributes = 32;

/// What pages compare with (websdk-protocol section 7).
namespace reason {
inline constexpr std::string_view name_in_use = "Stream name is already in use";
inline constexpr std::string_view not_found = "Stream not found";
inline constexpr std::string_view session_in_use = "MediaSessionId is already in use";
inline constexpr std::string_view no_codecs = "No common codecs";
inline constexpr std::string_view too_many = "Too many sessions are connecting";
inline constexpr std::string_view disconnected = "Stopped by session disconnect";
inline constexpr std::string_view by_user = "Stopped by user";
inline constexpr std::string_view by_rest = "Stopped by rest /terminate";
inline constexpr std::string_view restricted = "Restricted access";
inline constexpr std::string_view error = "Failed by error";
}  // namespace reason

/// Names and values; `token` and `password` are credentials.
using Attributes = std::vector<std::pair<std::string, std::string>>;

// What clients send. Members that are missing or of another type are empty or false; booleans may be texts.

struct Connect {
    std::string application, login, auth_token, client_version;
    Attributes attributes;        ///< the texts, numbers and booleans of `custom`; `token` may be the auth token
    std::string custom;           ///< JSON object, without credentials
    std::string media_providers;  ///< JSON array
    std::string sent;             ///< JSON object, the whole
};
/// `publishStream` and `playStream`.
struct StreamRequest {
    bool publishes = false;
    std::string media_session, name, offer;
    bool has_video = false, has_audio = false, record = false;
    Attributes attributes;  ///< of its `custom`
    /// Whether there are a name and an offer within the limits.
    bool is_whole() const;
};
/// `unPublishStream` and `stopStream`.
struct StreamStop {
    std::string media_session;
};
struct AvailabilityRequest {
    std::string media_session, name;
};
struct StreamEvent {
    std::string media_session, type;
    std::string payload;  ///< JSON; empty: none
    /// Whether it is of those that a client may send: sound and picture muted or not, data.
    bool is_for_players() const;
};
/// `sendData`.
struct DataRequest {
    std::string operation;
};
struct Ping {};
/// `pong`, and everything that is not known.
struct Other {};

using ClientMessage =
    std::variant<Other, Ping, Connect, StreamRequest, StreamStop, AvailabilityRequest, StreamEvent, DataRequest>;

/// One frame. Throws Malformed where it is no envelope.
ClientMessage parse(std::string_view frame);

// What the server sends: whole frames, always with `data`.

std::string ping();
std::string pong();
/// Establishes the session: what the client sent, with `session` and `auth_token`.
std::string user_data(const Connect& connect, std::string_view session, std::string_view auth_token);
/// The client may not connect, and why.
std::string connection_failed(std::string_view info);
std::string remote_sdp(std::string_view media_session, std::string_view sdp);

/// `notifyStreamStatusEvent`.
struct StatusEvent {
    std::string_view media_session, name, status;
    bool publishes = false, has_video = false, has_audio = false, record = false;
    std::string_view info{}, record_name{};  ///< left out where empty
};
std::string status(const StatusEvent& event);
/// `info` is left out where empty.
std::string availability(std::string_view media_session, bool is_available, std::string_view info);
/// The same event for the player `media_session`.
std::string stream_event(std::string_view media_session, const StreamEvent& event);
std::string data_status(std::string_view operation, bool is_accepted, std::string_view info);

/// A connection as REST shows it (wcs-compat section 14).
struct ConnectionFacts {
    std::string session, application, login, client_version, custom, media_providers;
    std::int64_t created_ms = 0;  ///< UNIX time
};
std::string describe(const std::vector<ConnectionFacts>& connections);

/// Which connections REST asks for: those that fit in all that is given.
struct ConnectionFilter {
    std::optional<std::string> session, application, login, client_version, status;
    bool fits(const ConnectionFacts& facts) const;
};
/// Of a REST body; an empty one fits all. Throws Malformed.
ConnectionFilter parse_filter(std::string_view body);

/// Untrusted text as it may stand in a log line: quoted, escaped, cut.
std::string for_log(std::string_view text);

}  // namespace tapedeck::webrtc::websdk
