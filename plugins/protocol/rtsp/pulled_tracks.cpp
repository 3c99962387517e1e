#include "pulled_tracks.hpp"

#include <optional>

#include "address/query.hpp"

namespace tapedeck::rtsp {

namespace {

TransportHeader wanted_transport(std::size_t track, const std::optional<UdpPair>& pair) {
    TransportHeader header;
    header.is_tcp = !pair;
    const auto first = static_cast<std::uint16_t>(track * 2);
    if (pair)
        header.client_port = {pair->port, static_cast<std::uint16_t>(pair->port + 1)};
    else
        header.interleaved = {first, static_cast<std::uint16_t>(first + 1)};
    return header;
}

}  // namespace

/// Over UDP lost packets are waited for; over TCP none can come late.
PulledTracks::PulledTracks(Context context, const Settings& settings, int descriptor, std::vector<Medium> media,
                           bool is_udp, bool returns)
    : context_(context),
      settings_(settings),
      descriptor_(descriptor),
      is_udp_(is_udp),
      reception_(context, std::move(media), is_udp ? settings.jitter_us : 0, returns) {}

void PulledTracks::set_up_next(Dialogue& dialogue, Loop& loop, const std::weak_ptr<Member>& member) {
    std::optional<UdpPair> pair;
    if (is_udp_) pair = UdpPair::bind(local_address(descriptor_), settings_.udp_port_from, settings_.udp_port_to);
    dialogue.setup(reception_.media()[next_].control, wanted_transport(next_, pair));
    if (!pair) return;
    if (!udp_) udp_ = std::make_unique<UdpTracks>(context_, loop, member);
    udp_->add(next_, std::move(*pair));
}

bool PulledTracks::is_set_up(const TransportHeader& transport) {
    if (transport.is_tcp == is_udp_)
        throw Error("it answers SETUP with a transport that it was not asked for: " + printable(transport.text()));
    const auto first = static_cast<std::uint16_t>(next_ * 2);
    const auto used =
        transport.interleaved.value_or(TransportHeader::Pair(first, static_cast<std::uint16_t>(first + 1)));
    channels_.emplace_back(static_cast<std::uint8_t>(used.first & 0xff), static_cast<std::uint8_t>(used.second & 0xff));
    if (is_udp_) find_peer(transport);
    return ++next_ < reception_.media().size();
}

void PulledTracks::find_peer(const TransportHeader& transport) {
    auto rtp = remote_address(descriptor_);
    if (!transport.source.empty()) {
        try {
            rtp = Address::parse(transport.source, 0);
        } catch (const Error&) {  // a name, or nonsense: the camera itself
        }
    }
    auto rtcp = rtp;
    const auto ports = transport.server_port.value_or(TransportHeader::Pair(0, 0));
    rtp.port(ports.first);
    rtcp.port(ports.second);
    udp_->peer(next_, rtp, rtcp);
    if (ports.first != 0) udp_->punch(next_);
}

void PulledTracks::interleaved(std::uint8_t channel, ByteSpan packet, const Buffer& buffer, std::int64_t now_us) {
    for (std::size_t track = 0; track < channels_.size(); ++track) {
        if (channels_[track].first == channel) return reception_.rtp(track, packet, buffer, now_us);
        if (channels_[track].second == channel) return reception_.rtcp(track, packet, now_us);
    }
}

void PulledTracks::read_udp(int descriptor, std::int64_t now_us) {
    if (!udp_) return;
    udp_->read(descriptor, [&](std::size_t track, bool is_rtcp, ByteSpan bytes, const Buffer& buffer) {
        is_rtcp ? reception_.rtcp(track, bytes, now_us) : reception_.rtp(track, bytes, buffer, now_us);
    });
}

std::string PulledTracks::report(std::int64_t now_us) {
    std::string framed;
    for (std::size_t track = 0; track < reception_.media().size(); ++track) {
        const auto bytes = reception_.report(track, now_us);
        if (bytes.empty()) continue;
        if (is_udp_) {
            udp_->send_rtcp(track, bytes);
            continue;
        }
        framed += {'$', static_cast<char>(channels_[track].second), static_cast<char>(bytes.size() >> 8),
                   static_cast<char>(bytes.size() & 0xff)};
        framed.append(bytes.begin(), bytes.end());
    }
    return framed;
}

}  // namespace tapedeck::rtsp
