// The ICE-lite agent of one peer: RFC 8445 sections 2.5 and 7.3, RFC 7675.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "webrtc/transport/stun.hpp"

namespace tapedeck::webrtc {

/// a=ice-ufrag and a=ice-pwd of one side.
struct IceCredentials {
    std::string ufrag, pwd;

    /// With 96 random bits of ufrag, so that they also serve as a name, and 192 of pwd. Throws Error without entropy.
    static IceCredentials make();
};

/// Answers checks and keeps the address pairs they came over. It sends none itself, and has no candidates: it takes the
/// peer's addresses from checks signed with the local password, and from nothing else. Not thread-safe.
class IceLite {
public:
    /// An empty `remote_ufrag` is not compared.
    IceLite(IceCredentials local, std::string remote_ufrag)
        : local_(std::move(local)), remote_ufrag_(std::move(remote_ufrag)) {}

    struct Outcome {
        bool is_verified = false;    // signed with our password
        ByteSpan answer;             // in `room`; goes back over the same pair; empty: none
        std::optional<Pair> gained;  // a pair that was not known until now
        std::optional<Pair> lost;    // and one that had to make room for it
    };
    /// A binding request that came over `via`. An answer to what is not verified is an error (RFC 8489 section 9.1.3)
    /// and smaller than the request.
    Outcome check(const stun::Message& request, const Pair& via, Time now, std::span<std::uint8_t> room);

    bool knows(const Pair& pair) const { return last_check(pair).has_value(); }
    /// The pair is no more: its connection is closed. Another one is used if it is nominated and not silent either.
    void forget(const Pair& pair);
    /// Where to send: the pair nominated last; null until one is.
    ///
    /// A controlling side of RFC 5245 nominates every pair it checks: among those nominated again and again the one
    /// with the highest priority is taken, unless it has been silent for 5 s.
    const Pair* selected() const { return selected_ < pairs_.size() ? &pairs_[selected_].pair : nullptr; }
    /// When the last verified check came: the peer's consent to be sent to.
    std::optional<Time> last_check() const { return last_check_; }
    /// The same over this pair; nothing: it is not known.
    std::optional<Time> last_check(const Pair& pair) const;
    const IceCredentials& local() const { return local_; }
    std::vector<Pair> pairs() const;

private:
    struct Known {
        Pair pair;
        std::uint32_t priority;
        bool is_nominated;
        Time last_check;
    };
    bool is_ours(std::string_view username) const;
    void note(const stun::Message& request, const Pair& via, Time now, Outcome& outcome);

    static constexpr std::size_t none = SIZE_MAX;
    IceCredentials local_;
    std::string remote_ufrag_;
    std::vector<Known> pairs_;  // at most 8
    std::size_t selected_ = none;
    std::optional<Time> last_check_;
};

}  // namespace tapedeck::webrtc
