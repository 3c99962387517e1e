// The plugin's settings: their declarations and their values.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "mpegts/address.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::mpegts {

namespace keys {
inline constexpr auto address =
    Key::text("address", "0.0.0.0").about("Address that streams are taken on; `::` takes IPv4 and IPv6");
inline constexpr auto public_address =
    Key::text("public_address", "")
        .aka("ip")
        .reload()
        .about("Host in the addresses that encoders are told; empty: the one that the REST client asked");
inline constexpr auto media_port_from =
    Key::integer("media_port_from", "31001")
        .aka("media_port_from")
        .within(0, 65535)
        .reload()
        .about(
            "First port that encoders are told, one for each stream; those in use are passed over. 0: any free ones");
inline constexpr auto media_port_to =
    Key::integer("media_port_to", "32000")
        .aka("media_port_to")
        .within(0, 65535)
        .reload()
        .about(
            "Last one of them; where only the first is set above it, the 1000th from there. Cameras have ports of "
            "their own, `protocol.rtsp.udp_port_from` and on, which are the flat `port_from` and `port_to`");
inline constexpr auto most = Key::integer("most", "1000").within(1, 10'000).reload().about("Streams at a time");
inline constexpr auto timeout =
    Key::duration("timeout", "90s")
        .within(100'000, 86'400'000'000)
        .reload()
        .about("A stream without data for so long ends; `timeout` of a startup (ms) stands above it");
inline constexpr auto max_timestamp_diff =
    Key::duration("max_timestamp_diff", "1s")
        .within(10'000, 3'600'000'000)
        .reload()
        .about(
            "A jump of an encoder's clock by more is closed, and by more than a second always; `maxTimestampDiff` of "
            "a startup (s) stands above it");
inline constexpr auto reorder =
    Key::duration("reorder", "50ms")
        .per("ms")
        .within(0, 5'000'000)
        .reload()
        .about("How long a missing RTP packet is waited for; what comes behind it waits as well");
inline constexpr auto read_interval =
    Key::duration("read_interval", "20ms")
        .per("ms")
        .within(1'000, 200'000)
        .about("All streams are read this often, which costs less than reading as data comes");
inline constexpr auto srt_latency =
    Key::duration("srt_latency", "120ms")
        .per("ms")
        .within(20'000, 8'000'000)
        .reload()
        .about("Least time that SRT has to repeat what was lost; a sender may ask for more");
inline constexpr auto srt_port =
    Key::integer("srt_port", "0")
        .within(0, 65535)
        .about("Port of SRT where the stream id names the stream, without a startup; 0: none");
inline constexpr auto srt_passphrase =
    Key::text("srt_passphrase", "").secret().about("Passphrase of that port, 10 to 79 bytes; empty: no encryption");
inline constexpr auto record =
    Key::boolean("record", "false").reload().about("Record every stream that comes to `srt_port`");
}  // namespace keys

inline constexpr std::array all_keys{
    keys::address,  keys::public_address,     keys::media_port_from, keys::media_port_to, keys::most,
    keys::timeout,  keys::max_timestamp_diff, keys::reorder,         keys::read_interval, keys::srt_latency,
    keys::srt_port, keys::srt_passphrase,     keys::record};

/// Values of one moment.
struct Settings {
    Address address;  // its port is 0
    std::string public_address;
    std::uint16_t port_from = 0, port_to = 0, srt_port = 0;
    std::size_t most = 0;
    std::chrono::microseconds timeout{}, max_timestamp_diff{}, reorder{}, read_interval{};
    std::chrono::milliseconds srt_latency{};
    std::string srt_passphrase;
    bool record = false;

    /// Throws Error naming the setting.
    static Settings read(const Context& context);
};

/// Whether SRT takes it. Throws Error naming `what`.
void check_passphrase(const std::string& passphrase, const std::string& what);

}  // namespace tapedeck::mpegts
