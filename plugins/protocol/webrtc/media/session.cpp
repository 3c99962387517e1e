#include "webrtc/media/session.hpp"

#include <ifaddrs.h>
#include <net/if.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>
#include <utility>

namespace tapedeck::webrtc {

namespace {

std::uint64_t random_number() {
    std::random_device source;
    return std::uint64_t{source()} << 32 | source();
}

/// The addresses of this machine's interfaces, of the family of `any`; loopback only where there is nothing else.
void append_interfaces(const Endpoint& any, std::vector<Endpoint>& into) {
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return;
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(all, &::freeifaddrs);
    std::vector<Endpoint> loopback;
    const auto before = into.size();
    for (const auto* one = all; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_UP) == 0) continue;
        const auto family = one->ifa_addr->sa_family;
        if (family != (any.is_v4() ? AF_INET : AF_INET6)) continue;
        sockaddr_storage name{};
        std::memcpy(&name, one->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
        auto endpoint = Endpoint::of(name);
        endpoint.port = any.port;
        const bool is_link_local = family == AF_INET6 && endpoint.ip[0] == 0xfe && (endpoint.ip[1] & 0xc0) == 0x80;
        if ((one->ifa_flags & IFF_LOOPBACK) != 0)
            loopback.push_back(endpoint);
        else if (!is_link_local)
            into.push_back(endpoint);
    }
    if (into.size() == before) into.insert(into.end(), loopback.begin(), loopback.end());
}

std::vector<Endpoint> candidates_of(const MediaSettings& settings, const Transport& transport) {
    std::vector<Endpoint> all = settings.candidates;
    for (auto& one : all) one.port = transport.addresses().front().port;
    if (!all.empty()) return all;
    for (const auto& address : transport.addresses()) {
        if (address.is_any())
            append_interfaces(address, all);
        else
            all.push_back(address);
    }
    if (all.empty()) throw Error("there is no address to tell the client");
    return all;
}

}  // namespace

std::int64_t monotonic_us() {
    return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::int64_t unix_offset_us() {
    return std::chrono::duration_cast<Time>(std::chrono::system_clock::now().time_since_epoch()).count() -
           monotonic_us();
}

Session::Session(std::shared_ptr<Core> core, SessionRequest request, std::shared_ptr<SessionEvents> events)
    : core_(std::move(core)), request_(std::move(request)), events_(std::move(events)) {}

void Session::begin() {
    try {
        offer_ = sdp::parse(std::exchange(request_.offer, {}));
        choices_ = sdp::choose(offer_, core_->settings.codecs, request_.publishes);
        for (auto& choice : choices_) choice.is_data = choice.is_data && core_->settings.has_data;
        id_ = random_number() >> 2;  // RFC 8829 section 5.2.1: 62 bits do
        stream_name_ = "td" + std::to_string(id_);
        const auto first = static_cast<std::size_t>(
            std::find_if(choices_.begin(), choices_.end(), [](const sdp::Choice& c) { return !c.codecs.empty(); }) -
            choices_.begin());
        const auto& line = offer_.lines[first];
        ice_ = IceCredentials::make();
        remote_ufrag_ = line.ufrag;
        remote_fingerprint_ = Fingerprint::parse(line.fingerprint);
        role_ = line.setup == "passive" ? DtlsRole::client : DtlsRole::server;
    } catch (const Malformed& e) {
        core_->context.warning("an offer from " + request_.remote + " cannot be taken: " + e.what());
        stop(true, "Failed by error");
    } catch (const Error& e) {
        stop(true, e.status() == TD_UNSUPPORTED ? e.what() : "Failed by error");
    }
    if (!reason().empty()) return over({});

    std::uint32_t expects = 0;
    std::vector<std::uint32_t> codecs;
    for (std::size_t i = 0; i < choices_.size(); ++i) {
        for (const auto& chosen : choices_[i].codecs) codecs.push_back(chosen.id);
        if (!choices_[i].codecs.empty()) expects |= 1u << (offer_.lines[i].kind == "audio" ? TD_AUDIO : TD_VIDEO);
    }
    std::vector<td_attribute> attributes;
    attributes.reserve(request_.attributes.size());
    for (const auto& [key, value] : request_.attributes) attributes.push_back({text_of(key), text_of(value)});
    auto info = stream_info(request_.name, "webrtc");
    info.media_session = text_of(request_.media_session);
    info.session = text_of(request_.session);
    info.login = text_of(request_.login);
    info.application = text_of(request_.application);
    info.remote = text_of(request_.remote);
    info.attributes = attributes.data();
    info.attribute_count = attributes.size();
    if (request_.publishes) {
        info.expects = expects;
        info.record = request_.record;
        info.flags = (expects & 1u << TD_VIDEO) != 0 ? TD_STREAM_KEYS_ON_REQUEST : 0;
    } else {
        info.codecs = codecs.data();
        info.codec_count = codecs.size();
    }
    try {
        ask(info);
    } catch (const Error& e) {
        core_->context.error(std::string("a stream cannot be asked for: ") + e.what());
        stop(true, "Failed by error");
        over({});
    }
}

void Session::stop(bool failed, std::string_view reason) {
    {
        const std::lock_guard lock(mutex_);
        if (outcome_) return;
        outcome_ = Outcome{failed, std::string(reason)};
        if (!is_joined_) return;
    }
    core_->with_transport([&](Transport& transport) { transport.remove(ice_.ufrag); });
}

bool Session::join() {
    sdp::Local local;
    local.publishes = request_.publishes;
    local.id = id_;
    local.ice = ice_;
    local.role = role_;
    local.stream = stream_name_;
    const auto expect = [&](Transport& transport) {
        local.fingerprint = transport.fingerprint();
        local.candidates = candidates_of(core_->settings, transport);
        local.has_tcp = transport.has_tcp();
        const auto answer = sdp::write_answer(offer_, choices_, local);
        core_->events.post([events = events_, answer] { events->answered(answer); });
        PeerConfig config{ice_, remote_ufrag_, role_, remote_fingerprint_, core_->settings.timeouts};
        config.is_player = !request_.publishes;
        joined_ = transport.add(std::move(config), shared_from_this());
        is_joined_ = true;
    };
    try {
        const std::lock_guard lock(mutex_);
        if (outcome_) return false;
        core_->with_transport(expect);
    } catch (const Error& e) {
        core_->context.error(std::string("an offer cannot be answered: ") + e.what());
    }
    if (!is_joined_) {
        stop(true, "Failed by error");
        return false;
    }
    return true;
}

void Session::connected(Peer& peer) {
    peer_ = &peer;
    is_connected_ = true;
    core_->connecting.leave(request_.media_session);
    core_->events.post([events = events_] { events->started(); });
}

void Session::failed(std::string_view reason) {
    stop(true, reason);
    peer_ = nullptr;
    is_connected_ = false;
    leave(this->reason());
}

void Session::ended() {
    stop(false, "Stopped by user");  // it said goodbye by itself: the page has closed its connection
    peer_ = nullptr;
    is_connected_ = false;
    leave(reason());
}

void Session::with_peer(std::function<void(Peer&)> work) {
    if (!is_connected_) return;
    core_->with_transport([&](Transport& transport) { transport.with(ice_.ufrag, std::move(work)); });
}

void Session::wake() {
    if (is_joined_) core_->with_transport([&](const Transport& transport) { transport.wake(joined_); });
}

std::string Session::reason() const {
    const std::lock_guard lock(mutex_);
    return outcome_ ? outcome_->reason : std::string();
}

void Session::over(const std::string& record_name) {
    const std::lock_guard lock(mutex_);
    if (is_told_) return;
    const auto outcome = outcome_.value_or(Outcome{true, "Failed by error"});
    // Where the events have stopped, `abandon` tells it.
    is_told_ = core_->events.post([core = core_, id = request_.media_session, events = events_, outcome, record_name] {
        core->forget(id);
        events->ended(outcome.failed, outcome.reason, record_name);
    });
}

}  // namespace tapedeck::webrtc
