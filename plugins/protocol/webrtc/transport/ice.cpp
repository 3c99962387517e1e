#include "webrtc/transport/ice.hpp"

#include <openssl/rand.h>

#include <algorithm>

#include "tapedeck/context.hpp"

namespace tapedeck::webrtc {

namespace {

constexpr std::size_t most_pairs = 8;
constexpr Time silence = std::chrono::seconds(5);

/// `size` of ice-char (RFC 8839 section 5.4), 6 random bits each.
std::string random_text(std::size_t size) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text(size, '\0');
    if (RAND_bytes(static_cast<unsigned char*>(static_cast<void*>(text.data())), static_cast<int>(size)) != 1)
        throw Error("OpenSSL has no random numbers");
    for (auto& c : text) c = alphabet[static_cast<unsigned char>(c) % 64];
    return text;
}

ByteSpan refusal(const stun::Message& request, int code, std::string_view password, std::span<std::uint8_t> room) {
    stun::Writer writer(room, stun::Kind::error, stun::binding, request.transaction);
    writer.error(code);
    if (code == 420) writer.unknown(request.unknown);
    return writer.finish(password);
}

}  // namespace

IceCredentials IceCredentials::make() {
    return {random_text(16), random_text(32)};
}

bool IceLite::is_ours(std::string_view username) const {
    const auto colon = username.find(':');
    return username.substr(0, colon) == local_.ufrag && colon != std::string_view::npos &&
           (remote_ufrag_.empty() || username.substr(colon + 1) == remote_ufrag_);
}

IceLite::Outcome IceLite::check(const stun::Message& request, const Pair& via, Time now, std::span<std::uint8_t> room) {
    Outcome outcome;
    if (request.kind != stun::Kind::request || request.method != stun::binding || !request.has_fingerprint)
        return outcome;
    if (!is_ours(request.username) || !stun::is_signed(request, local_.pwd)) {
        outcome.answer = refusal(request, request.integrity_at == 0 ? 400 : 401, {}, room);
        if (outcome.answer.size() > request.bytes.size()) outcome.answer = {};
        return outcome;
    }
    outcome.is_verified = true;
    if (request.unknown != 0) {
        outcome.answer = refusal(request, 420, local_.pwd, room);
        return outcome;
    }
    if (request.controlled) {  // a lite agent is always the controlled one (section 6.1.1)
        outcome.answer = refusal(request, 487, local_.pwd, room);
        return outcome;
    }
    note(request, via, now, outcome);
    stun::Writer writer(room, stun::Kind::success, stun::binding, request.transaction);
    writer.mapped(via.remote);
    outcome.answer = writer.finish(local_.pwd);
    return outcome;
}

void IceLite::note(const stun::Message& request, const Pair& via, Time now, Outcome& outcome) {
    last_check_ = now;
    auto found = std::find_if(pairs_.begin(), pairs_.end(), [&](const Known& known) { return known.pair == via; });
    if (found == pairs_.end()) {
        outcome.gained = via;
        const Known fresh{via, request.priority.value_or(0), false, now};
        if (pairs_.size() < most_pairs) {
            found = pairs_.insert(pairs_.end(), fresh);
        } else {
            found = pairs_.begin() + (selected_ == 0 ? 1 : 0);
            for (auto it = found; it != pairs_.end(); ++it)
                if (it->last_check < found->last_check && it - pairs_.begin() != static_cast<std::ptrdiff_t>(selected_))
                    found = it;
            outcome.lost = found->pair;
            *found = fresh;
        }
    }
    found->last_check = now;
    found->priority = request.priority.value_or(0);
    const bool was_nominated = std::exchange(found->is_nominated, request.use_candidate);
    if (!request.use_candidate) return;
    if (selected_ == none || !was_nominated || found->priority > pairs_[selected_].priority ||
        now - pairs_[selected_].last_check > silence)
        selected_ = static_cast<std::size_t>(found - pairs_.begin());
}

std::optional<Time> IceLite::last_check(const Pair& pair) const {
    const auto found =
        std::find_if(pairs_.begin(), pairs_.end(), [&](const Known& known) { return known.pair == pair; });
    return found == pairs_.end() ? std::nullopt : std::optional(found->last_check);
}

void IceLite::forget(const Pair& pair) {
    const auto found =
        std::find_if(pairs_.begin(), pairs_.end(), [&](const Known& known) { return known.pair == pair; });
    if (found == pairs_.end()) return;
    const auto at = static_cast<std::size_t>(found - pairs_.begin());
    pairs_.erase(found);
    if (selected_ != at) {
        if (selected_ != none && selected_ > at) --selected_;
        return;
    }
    selected_ = none;
    for (std::size_t i = 0; i < pairs_.size(); ++i)
        if (pairs_[i].is_nominated && *last_check_ - pairs_[i].last_check <= silence &&
            (selected_ == none || pairs_[i].last_check > pairs_[selected_].last_check))
            selected_ = i;
}

std::vector<Pair> IceLite::pairs() const {
    std::vector<Pair> all;
    all.reserve(pairs_.size());
    for (const auto& known : pairs_) all.push_back(known.pair);
    return all;
}

}  // namespace tapedeck::webrtc
