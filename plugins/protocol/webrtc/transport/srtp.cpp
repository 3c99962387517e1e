#include "webrtc/transport/srtp.hpp"

#include <arpa/inet.h>
#include <openssl/srtp.h>
#include <srtp2/srtp.h>

#include <algorithm>

#include "tapedeck/context.hpp"

namespace tapedeck::webrtc {

namespace {

constexpr std::size_t most_sources = 64;
constexpr unsigned long replay_window = 1024;  // packets; a retransmission comes within a second

/// Once in the process and for its life.
void initialise() {
    static const auto status = srtp_init();
    if (status != srtp_err_status_ok) throw Error("libsrtp cannot start: error " + std::to_string(status));
}

srtp_profile_t profile_of(unsigned long id) {
    if (id == SRTP_AEAD_AES_128_GCM) return srtp_profile_aead_aes_128_gcm;
    if (id == SRTP_AEAD_AES_256_GCM) return srtp_profile_aead_aes_256_gcm;
    return srtp_profile_aes128_cm_sha1_80;
}

}  // namespace

void SrtpSession::Free::operator()(srtp_ctx_t_* session) const {
    srtp_dealloc(session);
}

SrtpSession::Session SrtpSession::make(const SrtpKeys& keys, bool is_inbound) {
    auto key = is_inbound ? keys.remote : keys.local;
    srtp_policy_t policy{};
    if (srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile_of(keys.profile)) != srtp_err_status_ok ||
        srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile_of(keys.profile)) != srtp_err_status_ok)
        throw Error("libsrtp does not know SRTP profile " + std::to_string(keys.profile));
    policy.ssrc.type = is_inbound ? ssrc_any_inbound : ssrc_any_outbound;
    policy.key = key.data();
    policy.window_size = replay_window;
    policy.allow_repeat_tx = 1;
    srtp_t session = nullptr;
    if (const auto status = srtp_create(&session, &policy); status != srtp_err_status_ok)
        throw Error("libsrtp makes no session of SRTP profile " + std::to_string(keys.profile) + ": error " +
                    std::to_string(status));
    return Session(session);
}

SrtpSession::SrtpSession(const SrtpKeys& keys) {
    initialise();
    in_ = make(keys, true);
    out_ = make(keys, false);
}

std::optional<std::span<std::uint8_t>> SrtpSession::unprotect(Type type, std::span<std::uint8_t> packet) {
    const bool is_rtp = type == Type::rtp;
    const std::size_t ssrc_at = is_rtp ? 8 : 4;
    if (packet.size() < ssrc_at + 4 || packet.size() > 1u << 16) {
        ++counters_.malformed;
        return {};
    }
    const auto ssrc = ByteReader(packet.subspan(ssrc_at, 4)).u32();
    auto size = static_cast<int>(packet.size());
    const auto status =
        is_rtp ? srtp_unprotect(in_.get(), packet.data(), &size) : srtp_unprotect_rtcp(in_.get(), packet.data(), &size);
    switch (status) {
        case srtp_err_status_ok:
            ++counters_.received;
            note(ssrc);
            return packet.first(static_cast<std::size_t>(size));
        case srtp_err_status_replay_fail:
        case srtp_err_status_replay_old:
            ++counters_.replayed;
            return {};
        case srtp_err_status_auth_fail:
            ++counters_.forged;
            return {};
        default:
            ++counters_.malformed;
            return {};
    }
}

/// libsrtp keeps the state of every SSRC that was genuine: who was silent longest makes room.
void SrtpSession::note(std::uint32_t ssrc) {
    const auto found =
        std::find_if(sources_.begin(), sources_.end(), [&](const auto& one) { return one.ssrc == ssrc; });
    if (found != sources_.end()) {
        found->heard = counters_.received;
        return;
    }
    if (sources_.size() >= most_sources) {
        const auto oldest = std::min_element(sources_.begin(), sources_.end(),
                                             [](const auto& a, const auto& b) { return a.heard < b.heard; });
        srtp_remove_stream(in_.get(), htonl(oldest->ssrc));
        sources_.erase(oldest);
    }
    sources_.push_back({ssrc, counters_.received});
}

std::optional<std::size_t> SrtpSession::protect(Type type, std::span<std::uint8_t> packet, std::size_t size) {
    if (size < (type == Type::rtp ? 12u : 8u) || packet.size() < size + trailer) return {};
    auto length = static_cast<int>(size);
    const auto status = type == Type::rtp ? srtp_protect(out_.get(), packet.data(), &length)
                                          : srtp_protect_rtcp(out_.get(), packet.data(), &length);
    if (status != srtp_err_status_ok) return {};
    return static_cast<std::size_t>(length);
}

}  // namespace tapedeck::webrtc
