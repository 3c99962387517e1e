// The plugin's settings: their declarations and one snapshot of their values.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "chunk.hpp"
#include "publish_sdp.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::rtmp {

namespace keys {
inline constexpr auto address = Key::text("address", "0.0.0.0").about("Address to listen on; `::` takes IPv4 and IPv6");
inline constexpr auto port =
    Key::integer("port", "1935").aka("rtmp.port").within(0, 65535).about("Port of RTMP; 0 picks a free one");
inline constexpr auto tls_port =
    Key::integer("tls_port", "1936")
        .within(0, 65535)
        .about("Port of RTMPS, open when `certificate` and `key` are set; 0 picks a free one");
inline constexpr auto certificate =
    Key::path("certificate", "").reload().about("PEM file of RTMPS with the server's certificate and its chain");
inline constexpr auto key = Key::path("key", "").reload().about("PEM file of RTMPS with the private key");
inline constexpr auto record = Key::boolean("record", "false")
                                   .aka("record_flash_published_streams")
                                   .reload()
                                   .about("Record every stream that is published over RTMP");
inline constexpr auto publish_sdp =
    Key::path("publish_sdp", "conf/flash_handler_publish.sdp")
        .reload()
        .about("Media and codecs that publishers may send; without the file all of them");
inline constexpr auto read_interval =
    Key::duration("read_interval", "200ms")
        .per("ms")
        .within(0, 400'000)
        .reload()
        .about("Streams that nobody watches are read this often at most, which saves CPU; 0 reads as data comes");
inline constexpr auto threads = Key::integer("threads", "1").within(1, 64).about("Threads that read from sockets");
inline constexpr auto max_connections =
    Key::integer("max_connections", "5000").within(1, 1'000'000).reload().about("Connections at one time");
inline constexpr auto max_message =
    Key::bytes("max_message", "8m").within(65536, 16'777'215).reload().about("Largest message, so largest frame");
inline constexpr auto max_chunk_streams =
    Key::integer("max_chunk_streams", "64").within(4, 65598).reload().about("Chunk streams of one connection");
inline constexpr auto handshake_timeout = Key::duration("handshake_timeout", "10s")
                                              .within(100'000, 3'600'000'000)
                                              .reload()
                                              .about("How long a client may take until it has sent `connect`");
inline constexpr auto idle_timeout =
    Key::duration("idle_timeout", "60s")
        .within(1'000'000, 86'400'000'000)
        .reload()
        .about("A connection without a byte for this long is closed; half way through it is asked for a sign of life");
inline constexpr auto replace_after =
    Key::duration("replace_after", "5s")
        .within(0, 86'400'000'000)
        .reload()
        .about("A publisher silent for longer than this is replaced by a newcomer of the same name; 0 never replaces");
inline constexpr auto pull_timeout =
    Key::duration("pull_timeout", "10s")
        .within(500'000, 3'600'000'000)
        .reload()
        .about("A server from which no media came for so long, from the first word on, is left and tried again");
inline constexpr auto pull_longest_pause =
    Key::duration("pull_longest_pause", "10s")
        .within(50'000, 3'600'000'000)
        .reload()
        .about("A source that is not there is tried again after 1 s, then after twice as long each time, at most this");
inline constexpr auto pull_give_up = Key::duration("pull_give_up", "1h")
                                         .within(0, 2'592'000'000'000)
                                         .reload()
                                         .about("A pull whose source was away for so long ends; 0 tries for ever");
inline constexpr auto pull_verify =
    Key::boolean("pull_verify", "true")
        .reload()
        .about("Servers of rtmps:// that are pulled from must show a certificate that the system's authorities signed");
inline constexpr auto pull_most =
    Key::integer("pull_most", "1000").within(1, 100'000).reload().about("Streams pulled at one time");
}  // namespace keys

inline constexpr std::array all_keys{keys::address,
                                     keys::port,
                                     keys::tls_port,
                                     keys::certificate,
                                     keys::key,
                                     keys::record,
                                     keys::publish_sdp,
                                     keys::read_interval,
                                     keys::threads,
                                     keys::max_connections,
                                     keys::max_message,
                                     keys::max_chunk_streams,
                                     keys::handshake_timeout,
                                     keys::idle_timeout,
                                     keys::replace_after,
                                     keys::pull_timeout,
                                     keys::pull_longest_pause,
                                     keys::pull_give_up,
                                     keys::pull_verify,
                                     keys::pull_most};

/// Values of one moment. A connection keeps the snapshot that it began with.
struct Settings {
    std::string address, certificate, key;
    std::uint16_t port = 0, tls_port = 0;
    bool record = false;
    std::chrono::microseconds read_interval{}, handshake_timeout{}, idle_timeout{}, replace_after{}, pull_timeout{},
        pull_longest_pause{}, pull_give_up{};
    std::size_t threads = 1, max_connections = 0, pull_most = 0;
    bool pull_verify = true;
    ChunkLimits limits;
    std::shared_ptr<const PublishSdp> sdp;

    bool offers_tls() const { return !certificate.empty() && !key.empty(); }

    /// Throws Error when a file that a setting names cannot be read.
    static Settings read(const Context& context);
};

}  // namespace tapedeck::rtmp
