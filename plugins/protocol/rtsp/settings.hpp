// The plugin's settings: their declarations and one snapshot of their values.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "tapedeck/context.hpp"

namespace tapedeck::rtsp {

namespace keys {
inline constexpr auto record = Key::boolean("record", "false")
                                   .aka("record_rtsp_streams")
                                   .reload()
                                   .about("Record every stream that is pulled from a camera or published over RTSP");
inline constexpr auto transport = Key::choice("transport", "auto", "auto|tcp|udp")
                                      .reload()
                                      .about("How cameras send: `auto` is TCP, and UDP for those that refuse it");
inline constexpr auto connect_timeout =
    Key::duration("connect_timeout", "10s")
        .within(100'000, 600'000'000)
        .reload()
        .about("How long a camera may take until it plays, then it is tried again, and an encoder until it publishes");
inline constexpr auto timeout = Key::duration("timeout", "5s")
                                    .within(500'000, 600'000'000)
                                    .reload()
                                    .about("A source from which nothing comes for so long has left");
inline constexpr auto longest_pause =
    Key::duration("longest_pause", "10s")
        .within(100'000, 3'600'000'000)
        .reload()
        .about(
            "A camera that cannot be had is tried again after 1 s, then twice as long each time, at most after this; "
            "one that refuses the password after 30 times as much, then twice as long up to an hour, since many lock "
            "the "
            "login. SIGHUP tries all at once");
inline constexpr auto away =
    Key::duration("away", "30s")
        .within(0, 86'400'000'000)
        .reload()
        .about(
            "How long the stream of a camera that left waits for it and goes on in the same recording; then the "
            "recording ends, and another begins when the camera is back. 0: it ends at once");
inline constexpr auto key_timeout = Key::duration("key_timeout", "10s")
                                        .within(1'000'000, 3'600'000'000)
                                        .reload()
                                        .about("A camera without a key frame for so long is reported");
inline constexpr auto jitter =
    Key::duration("jitter", "200ms")
        .per("ms")
        .within(0, 5'000'000)
        .reload()
        .about("How long a packet lost on UDP is waited for; what comes behind it waits as well");
inline constexpr auto read_interval = Key::duration("read_interval", "100ms")
                                          .per("ms")
                                          .within(0, 400'000)
                                          .reload()
                                          .about(
                                              "TCP connections of cameras that nobody watches are read this often, "
                                              "which saves CPU; 0 reads as data comes");
inline constexpr auto udp_port_from =
    Key::integer("udp_port_from", "32000")
        .aka("port_from")
        .within(0, 65534)
        .reload()
        .about("First UDP port that media come to, two for each track; 0: any free ones");
inline constexpr auto udp_port_to =
    Key::integer("udp_port_to", "32999").aka("port_to").within(0, 65535).reload().about("Last one of them");
inline constexpr auto ca_file =
    Key::path("ca_file", "")
        .about("PEM file of the authorities that may vouch for cameras of rtsps://; empty: any certificate is taken");
inline constexpr auto cameras =
    Key::path("cameras", "conf/cameras.yaml").reload().about("Cameras that are pulled from the start");
inline constexpr auto most = Key::integer("most", "1000").within(1, 100'000).reload().about("Cameras pulled at a time");
inline constexpr auto threads = Key::integer("threads", "1").within(1, 64).about("Threads that receive media");
inline constexpr auto address =
    Key::text("address", "0.0.0.0").about("Address to listen on for publishers; `::` takes IPv4 and IPv6");
inline constexpr auto port =
    Key::integer("port", "5554")
        .aka("rtsp.port")
        .within(-1, 65535)
        .about("Port for encoders that publish over RTSP; 0 picks a free one, -1 listens to nobody");
inline constexpr auto max_publishers =
    Key::integer("max_publishers", "1000").within(1, 100'000).reload().about("Connections of publishers at a time");
}  // namespace keys

inline constexpr std::array all_keys{keys::record,        keys::transport,     keys::connect_timeout, keys::timeout,
                                     keys::longest_pause, keys::away,          keys::key_timeout,     keys::jitter,
                                     keys::read_interval, keys::udp_port_from, keys::udp_port_to,     keys::ca_file,
                                     keys::cameras,       keys::most,          keys::threads,         keys::address,
                                     keys::port,          keys::max_publishers};

enum class Transport : std::uint8_t { automatic, tcp, udp };

/// Values of one moment; times in microseconds. A source keeps those that it began with.
struct Settings {
    bool record = false;
    Transport transport = Transport::automatic;
    std::int64_t connect_timeout_us = 0, timeout_us = 0, longest_pause_us = 0, away_us = 0, key_timeout_us = 0,
                 jitter_us = 0, read_interval_us = 0;
    std::uint16_t udp_port_from = 0, udp_port_to = 0;

    /// Throws Error.
    static Settings read(const Context& context);
};

/// `auto`, `tcp` or `udp`; throws Error for any other, which `what` names.
Transport transport_of(std::string_view word, std::string_view what);

}  // namespace tapedeck::rtsp
