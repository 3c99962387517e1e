#include "transport_header.hpp"

#include <charconv>

#include "message.hpp"

namespace tapedeck::rtsp {

namespace {

std::optional<TransportHeader::Pair> pair_of(std::string_view text) {
    const auto dash = text.find('-');
    const auto first = number(trimmed(text.substr(0, dash)), 65535);
    if (!first) return std::nullopt;
    const auto second =
        dash == std::string_view::npos ? std::optional(*first + 1) : number(trimmed(text.substr(dash + 1)), 65535);
    if (!second || *second > 65535) return std::nullopt;
    return TransportHeader::Pair(static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*second));
}

std::optional<TransportHeader> alternative(std::string_view text) {
    TransportHeader header;
    bool is_first = true;
    while (!text.empty()) {
        const auto end = std::min(text.find(';'), text.size());
        auto value = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (is_first) {
            header.is_tcp = same_name(value, "RTP/AVP/TCP");
            if (!header.is_tcp && !same_name(value, "RTP/AVP") && !same_name(value, "RTP/AVP/UDP")) return std::nullopt;
            is_first = false;
            continue;
        }
        const auto equals = std::min(value.find('='), value.size());
        const auto name = trimmed(value.substr(0, equals));
        value = trimmed(value.substr(std::min(equals + 1, value.size())));
        if (same_name(name, "multicast")) header.is_multicast = true;
        if (same_name(name, "mode")) header.is_record = same_name(value, "record") || same_name(value, "\"record\"");
        if (same_name(name, "interleaved")) header.interleaved = pair_of(value);
        if (same_name(name, "client_port")) header.client_port = pair_of(value);
        if (same_name(name, "server_port")) header.server_port = pair_of(value);
        if (same_name(name, "source")) header.source = value;
        std::uint32_t ssrc = 0;
        if (same_name(name, "ssrc") &&
            std::from_chars(value.data(), value.data() + value.size(), ssrc, 16).ec == std::errc())
            header.ssrc = ssrc;
    }
    if (is_first) return std::nullopt;
    return header;
}

std::string shown(const char* name, const std::optional<TransportHeader::Pair>& pair) {
    if (!pair) return {};
    return std::string(";") + name + "=" + std::to_string(pair->first) + "-" + std::to_string(pair->second);
}

}  // namespace

std::optional<TransportHeader> TransportHeader::parse(std::string_view header) {
    while (!header.empty()) {
        const auto end = std::min(header.find(','), header.size());
        if (auto one = alternative(header.substr(0, end))) return one;
        header.remove_prefix(std::min(end + 1, header.size()));
    }
    return std::nullopt;
}

std::string TransportHeader::text() const {
    return std::string(is_tcp ? "RTP/AVP/TCP" : "RTP/AVP") + ";unicast" + shown("interleaved", interleaved) +
           shown("client_port", client_port) + shown("server_port", server_port) + (is_record ? ";mode=record" : "");
}

}  // namespace tapedeck::rtsp
