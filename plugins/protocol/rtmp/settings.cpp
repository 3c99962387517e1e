#include "settings.hpp"

namespace tapedeck::rtmp {

Settings Settings::read(const Context& context) {
    Settings settings;
    settings.address = context.text(keys::address);
    settings.certificate = context.text(keys::certificate);
    settings.key = context.text(keys::key);
    settings.port = static_cast<std::uint16_t>(context.integer(keys::port));
    settings.tls_port = static_cast<std::uint16_t>(context.integer(keys::tls_port));
    settings.record = context.boolean(keys::record);
    settings.read_interval = context.duration(keys::read_interval);
    settings.handshake_timeout = context.duration(keys::handshake_timeout);
    settings.idle_timeout = context.duration(keys::idle_timeout);
    settings.replace_after = context.duration(keys::replace_after);
    settings.pull_timeout = context.duration(keys::pull_timeout);
    settings.pull_longest_pause = context.duration(keys::pull_longest_pause);
    settings.pull_give_up = context.duration(keys::pull_give_up);
    settings.pull_verify = context.boolean(keys::pull_verify);
    settings.pull_most = static_cast<std::size_t>(context.integer(keys::pull_most));
    settings.threads = static_cast<std::size_t>(context.integer(keys::threads));
    settings.max_connections = static_cast<std::size_t>(context.integer(keys::max_connections));
    settings.limits.message = static_cast<std::uint32_t>(context.integer(keys::max_message));
    settings.limits.chunk_streams = static_cast<std::uint32_t>(context.integer(keys::max_chunk_streams));
    settings.sdp = std::make_shared<const PublishSdp>(PublishSdp::load(context.text(keys::publish_sdp)));
    if (settings.certificate.empty() != settings.key.empty())
        throw Error("RTMPS needs both settings, 'protocol.rtmp.certificate' and 'protocol.rtmp.key'");
    return settings;
}

}  // namespace tapedeck::rtmp
