#include "mpegts/settings.hpp"

#include <algorithm>

namespace tapedeck::mpegts {
namespace {

constexpr int usual_ports = 1000;  // where only the first one was moved

}  // namespace

Settings Settings::read(const Context& context) {
    const auto port = [&](const Key& key) { return static_cast<std::uint16_t>(context.integer(key)); };
    Settings settings;
    try {
        settings.address = Address::parse(std::string(context.text(keys::address)), 0);
    } catch (const Error& e) {
        throw Error(std::string("setting 'protocol.mpegts.address': ") + e.what() + "; `0.0.0.0` takes all of IPv4");
    }
    settings.public_address = context.text(keys::public_address);
    settings.port_from = port(keys::media_port_from);
    settings.port_to = port(keys::media_port_to);
    settings.srt_port = port(keys::srt_port);
    if (settings.port_from != 0 && settings.port_to < settings.port_from) {
        if (context.is_set(keys::media_port_to)) {
            throw Error("setting 'protocol.mpegts.media_port_to' = " + std::to_string(settings.port_to) +
                        " is below 'protocol.mpegts.media_port_from' = " + std::to_string(settings.port_from));
        }
        settings.port_to = static_cast<std::uint16_t>(std::min(settings.port_from + usual_ports - 1, 65535));
    }
    settings.most = static_cast<std::size_t>(context.integer(keys::most));
    settings.timeout = context.duration(keys::timeout);
    settings.max_timestamp_diff = context.duration(keys::max_timestamp_diff);
    settings.reorder = context.duration(keys::reorder);
    settings.read_interval = context.duration(keys::read_interval);
    settings.srt_latency = std::chrono::duration_cast<std::chrono::milliseconds>(context.duration(keys::srt_latency));
    settings.srt_passphrase = context.text(keys::srt_passphrase);
    check_passphrase(settings.srt_passphrase, "setting 'protocol.mpegts.srt_passphrase'");
    settings.record = context.boolean(keys::record);
    return settings;
}

void check_passphrase(const std::string& passphrase, const std::string& what) {
    if (passphrase.empty() || (passphrase.size() >= 10 && passphrase.size() <= 79)) return;
    throw Error(TD_MALFORMED, what + " has " + std::to_string(passphrase.size()) + " bytes; SRT takes 10 to 79");
}

}  // namespace tapedeck::mpegts
