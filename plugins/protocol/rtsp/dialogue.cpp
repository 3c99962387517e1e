#include "dialogue.hpp"

#include "address/query.hpp"

namespace tapedeck::rtsp {

namespace {

constexpr int most_challenges = 2;  // the first one, and one with a fresh nonce
constexpr std::string_view agent = "Tapedeck/" TAPEDECK_VERSION;

bool lists(std::string_view methods, std::string_view wanted) {
    while (!methods.empty()) {
        const auto end = std::min(methods.find(','), methods.size());
        if (same_name(trimmed(methods.substr(0, end)), wanted)) return true;
        methods.remove_prefix(std::min(end + 1, methods.size()));
    }
    return false;
}

}  // namespace

Dialogue::Dialogue(const Url& url) : url_(url), authenticator_(url.user, url.password) {}

void Dialogue::ask(std::string method, std::string uri, std::vector<std::pair<std::string, std::string>> headers) {
    asked_ = {std::move(method), std::move(uri), std::move(headers), 0};
    challenges_ = 0;
    send();
}

void Dialogue::send() {
    asked_.number = ++count_;
    waits_ = true;
    Message request;
    request.method = asked_.method;
    request.uri = asked_.uri;
    request.set("CSeq", std::to_string(asked_.number));
    request.set("User-Agent", agent);
    if (const auto login = authenticator_.header(asked_.method, asked_.uri); !login.empty())
        request.set("Authorization", login);
    if (!session_.empty()) request.set("Session", session_);
    for (const auto& [name, value] : asked_.headers) request.set(name, value);
    output_ += write(request);
}

void Dialogue::begin() {
    ask("OPTIONS", url_.text(), {});
}

void Dialogue::setup(const std::string& control, const TransportHeader& transport) {
    ask("SETUP", resolve(base_, control), {{"Transport", transport.text()}});
}

void Dialogue::play() {
    ask("PLAY", aggregate_, {{"Range", "npt=0.000-"}});
}

void Dialogue::keep_alive() {
    if (waits_) return;
    ask(has_get_parameter_ ? "GET_PARAMETER" : "OPTIONS", aggregate_, {});
}

void Dialogue::teardown() {
    if (!session_.empty()) ask("TEARDOWN", aggregate_, {});
}

void Dialogue::request(const Message& request) {
    const bool is_known =
        request.method == "OPTIONS" || request.method == "GET_PARAMETER" || request.method == "SET_PARAMETER";
    Message response;
    response.status = is_known ? 200 : 501;
    response.reason = is_known ? "OK" : "Not Implemented";
    response.set("CSeq", request.header("CSeq"));
    output_ += write(response);
}

Dialogue::Event Dialogue::fail(std::string why) {
    why_ = std::move(why);
    return Event::failed;
}

Dialogue::Event Dialogue::refusal(const Message& response) {
    status_ = response.status;
    const auto said = std::to_string(status_) + " " + printable(response.reason);
    if (status_ == 401) {
        const auto headers = response.headers_of("WWW-Authenticate");
        const auto challenge = strongest(headers);
        if (challenge && challenges_++ < most_challenges && authenticator_.challenged(*challenge)) {
            send();
            return Event::none;
        }
        if (!challenge)
            return fail("it wants a login of a kind that is not known here: " +
                        (headers.empty() ? "no challenge" : printable(headers.front())));
        return fail(url_.user.empty() ? "it wants a login and a password" : "wrong login or password");
    }
    if (status_ >= 300 && status_ < 400 && status_ != 304) {
        target_ = trimmed(response.header("Location"));
        return target_.empty() ? fail(said + " without a Location") : Event::moved;
    }
    if (asked_.method == "OPTIONS" && !is_playing_) {  // not everybody knows it
        ask("DESCRIBE", url_.text(), {{"Accept", "application/sdp"}});
        return Event::none;
    }
    if (asked_.method == "GET_PARAMETER" && status_ != 454) {
        has_get_parameter_ = false;
        return Event::none;
    }
    if (asked_.method == "OPTIONS" && status_ != 454) return Event::none;
    if (asked_.method == "SETUP" && status_ == 461) return Event::refused;
    if (status_ == 404) return fail("Rtsp stream not found: " + said);
    return fail("it answers " + asked_.method + " with " + said);
}

Dialogue::Event Dialogue::described(const Message& response) {
    for (const auto* name : {"Content-Base", "Content-Location"}) {
        base_ = response.header(name);
        if (base_.find("://") != std::string::npos) break;
        base_.clear();
    }
    if (base_.empty()) base_ = url_.text();
    try {
        description_ = sdp::parse(response.body);
    } catch (const Malformed& e) {
        return fail(std::string("its description cannot be read: ") + e.what());
    }
    aggregate_ = resolve(base_, description_.control);
    if (description_.control.find("://") != std::string::npos) base_ = aggregate_;
    return Event::described;
}

std::optional<std::uint32_t> Dialogue::rtptime(const std::string& control) const {
    const auto address = resolve(base_, control);
    for (const auto& info : rtp_info_)
        if (info.is_of(address, control)) return info.rtptime;
    return std::nullopt;
}

Dialogue::Event Dialogue::answer(const Message& response) {
    const auto sequence = response.header("CSeq");  // a few forget it
    if (!waits_ || (!sequence.empty() && number(sequence, 0xffffffff) != asked_.number)) return Event::none;
    waits_ = false;
    if (response.status < 200) {
        waits_ = true;
        return Event::none;
    }
    if (server_.empty()) server_ = response.header("Server");
    if (response.status != 401) authenticator_.accepted();
    if (response.status >= 300) return refusal(response);
    if (const auto session = response.header("Session"); !session.empty()) {
        const auto end = session.find(';');
        session_ = trimmed(session.substr(0, end));
        const auto timeout = session.find("timeout=");
        if (timeout != std::string_view::npos) {
            auto digits = session.substr(timeout + 8);
            digits = digits.substr(0, digits.find_first_not_of("0123456789"));
            if (const auto seconds = number(digits, 86'400); seconds && *seconds >= 2) session_seconds_ = *seconds;
        }
    }
    if (asked_.method == "OPTIONS") {
        has_get_parameter_ = lists(response.header("Public"), "GET_PARAMETER");
        if (!is_playing_) ask("DESCRIBE", url_.text(), {{"Accept", "application/sdp"}});
        return Event::none;
    }
    if (asked_.method == "DESCRIBE") return described(response);
    if (asked_.method == "SETUP") {
        const auto transport = TransportHeader::parse(response.header("Transport"));
        if (!transport) return fail("its answer to SETUP names no transport");
        transport_ = *transport;
        return Event::is_set_up;
    }
    if (asked_.method == "PLAY") {
        is_playing_ = true;
        rtp_info_ = RtpInfo::parse(response.header("RTP-Info"));
        return Event::playing;
    }
    return Event::none;
}

}  // namespace tapedeck::rtsp
