// What a controlling ICE agent sends, for the tests of the one that answers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "webrtc/transport/ice.hpp"

namespace tapedeck::webrtc {

struct CheckTraits {
    bool is_nominating = true;
    std::uint32_t priority = 100;
    std::string remote = "peer";
};

/// A binding request to the side with these credentials.
inline std::vector<std::uint8_t> check_of(const IceCredentials& to, const CheckTraits& traits = {}) {
    std::array<std::uint8_t, 300> room{};
    stun::Writer writer(room, stun::Kind::request, stun::binding, {9, 8, 7});
    writer.username(to.ufrag + ":" + traits.remote);
    writer.priority(traits.priority);
    writer.controlling(1);
    if (traits.is_nominating) writer.use_candidate();
    const auto whole = writer.finish(to.pwd);
    return {whole.begin(), whole.end()};
}

inline Pair pair_from(const std::string& ip, std::uint16_t port) {
    return {Endpoint::parse("192.0.2.1", 5000), Endpoint::parse(ip, port)};
}

}  // namespace tapedeck::webrtc
