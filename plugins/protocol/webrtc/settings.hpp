// The plugin's settings: their declarations, and what transport and media make of them.
#pragma once

#include <array>

#include "tapedeck/context.hpp"
#include "webrtc/media/sessions.hpp"
#include "webrtc/signalling/connections.hpp"

namespace tapedeck::webrtc {

namespace keys {
inline constexpr auto address =
    Key::text("address", "0.0.0.0")
        .about("Addresses to take media on, by commas; `0.0.0.0` takes all of IPv4, `::` all of IPv6");
inline constexpr auto port = Key::integer("port", "31001")
                                 .aka("media_port_from")
                                 .within(0, 65535)
                                 .about("Port of all media, UDP and TCP; 0 picks a free one");
inline constexpr auto tcp =
    Key::boolean("tcp", "true")
        .about("Take media over TCP too, on the same port: for clients whose network has no UDP");
inline constexpr auto public_address =
    Key::text("public_address", "")
        .aka("ip")
        .about("Address that clients are told, such as a router's that forwards the port; empty: the machine's own");
inline constexpr auto local_address =
    Key::text("local_address", "").aka("ip_local").about("Another address that clients are told beside `ip`");
inline constexpr auto threads = Key::integer("threads", "1").within(1, 64).about("Threads that receive media");
inline constexpr auto player_threads =
    Key::integer("player_threads", "1").within(1, 64).about("Threads beside them that send media to players");
inline constexpr auto certificate =
    Key::path("certificate", "").about("PEM file with the certificate of DTLS; empty: one is made at each start");
inline constexpr auto key = Key::path("key", "").about("PEM file with the private key of DTLS");
inline constexpr auto codecs =
    Key::text("codecs", "opus,alaw,ulaw,g722,vp8,h264")
        .aka("codecs")
        .about(
            "Codecs that clients may use. Of sound the first here that they offer is taken, of video their own first");
inline constexpr auto codecs_excluded =
    Key::text("codecs_excluded", "").aka("codecs_exclude_streaming").about("Codecs to leave out of `codecs`");
inline constexpr auto activity =
    Key::text("activity", "true,60")
        .aka("rtp_activity_detecting")
        .about("Whether a publisher that sends no media is ended, and after how many seconds: `true,60`, or `false`");
inline constexpr auto periodic_key = Key::boolean("periodic_key", "false")
                                         .aka("periodic_fir_request")
                                         .about("Ask publishers for key frames regularly, not only when one is needed");
inline constexpr auto key_interval =
    Key::duration("key_interval", "5s").within(500'000, 3'600'000'000).about("How often, with `periodic_key`");
inline constexpr auto jitter = Key::duration("jitter", "400ms")
                                   .per("ms")
                                   .within(20'000, 5'000'000)
                                   .about("How long a lost packet is waited for; what comes behind it waits as well");
inline constexpr auto max_bitrate = Key::integer("max_bitrate", "8000000")
                                        .within(100'000, 1'000'000'000)
                                        .about("Most that a publisher is allowed, bits a second");
inline constexpr auto max_connecting =
    Key::integer("max_connecting", "256")
        .within(1, 1'000'000)
        .about(
            "Sessions of one client address that may be on their way to be connected; further ones are refused, as "
            "they are beyond eight times as many in all. All clients behind a proxy have its address");
inline constexpr auto data_channels =
    Key::boolean("data_channels", "true").about("Take the messages that publishers send over data channels");
inline constexpr auto ice_timeout = Key::duration("ice_timeout", "15s")
                                        .within(1'000'000, 600'000'000)
                                        .about("How long a client may take until it has reached the server");
inline constexpr auto dtls_timeout = Key::duration("dtls_timeout", "15s")
                                         .within(1'000'000, 600'000'000)
                                         .about("How long the handshake may take from then on");
inline constexpr auto consent_timeout =
    Key::duration("consent_timeout", "30s")
        .within(5'000'000, 600'000'000)
        .about("A client of which nothing was heard for so long is gone (RFC 7675)");
}  // namespace keys

inline constexpr std::array all_keys{
    keys::address,        keys::port,          keys::tcp,           keys::public_address, keys::local_address,
    keys::threads,        keys::certificate,   keys::key,           keys::codecs,         keys::codecs_excluded,
    keys::activity,       keys::periodic_key,  keys::key_interval,  keys::jitter,         keys::max_bitrate,
    keys::max_connecting, keys::data_channels, keys::ice_timeout,   keys::dtls_timeout,   keys::consent_timeout,
    keys::ping_interval,  keys::ping_limit,    keys::player_threads};

struct Settings {
    TransportConfig transport;  // with its certificate
    MediaSettings media;        // its candidates without ports

    /// Throws Error naming the setting, its value and what it may be.
    static Settings read(const Context& context);
};

}  // namespace tapedeck::webrtc
