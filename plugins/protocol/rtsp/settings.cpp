#include "settings.hpp"

namespace tapedeck::rtsp {

Transport transport_of(std::string_view word, std::string_view what) {
    if (word == "auto") return Transport::automatic;
    if (word == "tcp") return Transport::tcp;
    if (word == "udp") return Transport::udp;
    throw Error(TD_MALFORMED, std::string(what) + ": '" + std::string(word) + "' is none of auto, tcp and udp");
}

Settings Settings::read(const Context& context) {
    Settings settings;
    settings.record = context.boolean(keys::record);
    settings.transport = transport_of(context.text(keys::transport), "setting 'protocol.rtsp.transport'");
    settings.connect_timeout_us = context.duration(keys::connect_timeout).count();
    settings.timeout_us = context.duration(keys::timeout).count();
    settings.longest_pause_us = context.duration(keys::longest_pause).count();
    settings.away_us = context.duration(keys::away).count();
    settings.key_timeout_us = context.duration(keys::key_timeout).count();
    settings.jitter_us = context.duration(keys::jitter).count();
    settings.read_interval_us = context.duration(keys::read_interval).count();
    settings.udp_port_from = static_cast<std::uint16_t>(context.integer(keys::udp_port_from));
    settings.udp_port_to = static_cast<std::uint16_t>(context.integer(keys::udp_port_to));
    if (settings.udp_port_from != 0 && settings.udp_port_to < settings.udp_port_from + 1)
        throw Error("settings 'protocol.rtsp.udp_port_from' and 'udp_port_to': from " +
                    std::to_string(settings.udp_port_from) + " to " + std::to_string(settings.udp_port_to) +
                    " are no two ports");
    return settings;
}

}  // namespace tapedeck::rtsp
