// How often one source may have something done for it.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>
#include <string_view>
#include <vector>

#include "webrtc/transport/endpoint.hpp"

namespace tapedeck::webrtc {

/// A token bucket for each source address (IPv6: each /64) in a table of fixed size: sources whose hashes meet share
/// one bucket. The hash has a random seed, so that nobody can aim at another's bucket. Not thread-safe.
class RateLimit {
public:
    /// `burst` at once, and `per_second` in the long run.
    RateLimit(double per_second, double burst)
        : rate_(per_second / 1e6), burst_(burst), seed_(std::random_device()()), buckets_(1024, Bucket{burst, {}}) {}

    /// Takes one token of this source, or says that there is none.
    bool take(const Endpoint& source, Time now) {
        auto& bucket = of(source);
        const auto gained = static_cast<double>((now - bucket.at).count()) * rate_;
        bucket.tokens = std::min(burst_, bucket.tokens + std::max(0.0, gained));
        bucket.at = now;
        if (bucket.tokens < 1) return false;
        bucket.tokens -= 1;
        return true;
    }

private:
    struct Bucket {
        double tokens;
        Time at;
    };
    Bucket& of(const Endpoint& source) {
        std::array<char, 20> key{};
        std::memcpy(key.data(), source.source().data(), 16);
        std::memcpy(key.data() + 16, &seed_, 4);
        return buckets_[std::hash<std::string_view>()({key.data(), key.size()}) % buckets_.size()];
    }

    double rate_, burst_;
    std::uint32_t seed_;
    std::vector<Bucket> buckets_;
};

}  // namespace tapedeck::webrtc
