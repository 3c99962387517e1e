#include "pull_session.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "address/query.hpp"

namespace tapedeck::rtsp {

namespace {

Connection connection_to(const Context& context, const TlsClient& tls, const Url& url, const Address& address) {
    Descriptor socket;
    try {
        socket = connect_to(address);
    } catch (const Error& e) {
        throw Error(std::string("Failed to connect to rtsp stream: ") + e.what());
    }
    auto* session = url.is_secure ? tls.session(socket.get(), url.host) : nullptr;
    return {context, std::move(socket), session};
}

}  // namespace

PullSession::PullSession(Camera camera, const TlsClient& tls, Url url, const Address& address, Transport transport)
    : camera_(std::move(camera)),
      url_(std::move(url)),
      transport_(transport),
      is_udp_(transport == Transport::udp),
      deadline_us_(monotonic_us() + camera_.settings.connect_timeout_us),
      connection_(connection_to(camera_.context, tls, url_, address)),
      dialogue_(url_) {}

PullSession::~PullSession() {
    camera_.loop.forget(connection_.descriptor());
}

void PullSession::begin() {
    camera_.loop.watch(connection_.descriptor(), EPOLLOUT, camera_.member.lock());
}

void PullSession::ready(int descriptor, std::uint32_t events, std::int64_t now_us) {
    if (descriptor != connection_.descriptor()) {
        if (!tracks_) return;
        tracks_->read_udp(descriptor, now_us);
        return give(now_us);
    }
    if (state_ == State::connecting) return talk();
    if ((events & EPOLLOUT) != 0) watch();
    if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read(now_us);
}

void PullSession::talk() {
    int fault = 0;
    socklen_t size = sizeof fault;
    ::getsockopt(connection_.descriptor(), SOL_SOCKET, SO_ERROR, &fault, &size);
    if (fault != 0) throw Error("Failed to connect to rtsp stream: " + url_.authority() + ": " + std::strerror(fault));
    state_ = State::talking;
    dialogue_.begin();
    send();
}

void PullSession::send() {
    connection_.send(dialogue_.take_output());
    watch();
}

void PullSession::watch() {
    const auto events = connection_.flush() ? EPOLLIN : EPOLLIN | EPOLLOUT;
    if (is_by_clock_) return;
    camera_.loop.watch(connection_.descriptor(), static_cast<std::uint32_t>(events), camera_.member.lock());
}

void PullSession::read(std::int64_t now_us) {
    looked_us_ = now_us;
    try {
        connection_.read(*this);
    } catch (const std::exception& e) {
        if (!fault_) fault_ = is_playing() ? std::string("the connection ended: ") + e.what() : e.what();
    }
    give(now_us);
    if (fault_) throw Error(*fault_);
    send();
}

bool PullSession::message(const Message& message) {
    if (message.is_request()) {
        dialogue_.request(message);
        return true;
    }
    try {
        heard(dialogue_.answer(message));
    } catch (const std::exception& e) {
        fault_ = e.what();
    }
    return !fault_ && !moved_to_;
}

void PullSession::packet(std::uint8_t channel, ByteSpan packet, const Buffer& buffer) {
    if (tracks_) tracks_->interleaved(channel, packet, buffer, looked_us_);
}

// ---- what the camera says

void PullSession::heard(Dialogue::Event event) {
    using Event = Dialogue::Event;
    if (event == Event::described) described();
    if (event == Event::is_set_up) tracks_->is_set_up(dialogue_.transport()) ? set_up_next() : dialogue_.play();
    if (event == Event::playing) playing();
    if (event == Event::moved) moved_to_ = dialogue_.target();
    if (event == Event::refused) {
        if (is_udp_ || transport_ != Transport::automatic)
            throw Error(std::string("it does not send over ") + (is_udp_ ? "UDP" : "TCP") +
                        "; setting 'protocol.rtsp.transport' asks for another way");
        is_udp_ = true;
        receive(tracks_->reception().media());
        set_up_next();
    }
    if (event == Event::failed) {
        is_password_wrong_ = dialogue_.status() == 401;
        throw Error(dialogue_.why());
    }
}

void PullSession::described() {
    std::vector<std::string> left_out;
    auto media = media_of(dialogue_.description(), left_out);
    std::string list;
    for (const auto& one : left_out) list += (list.empty() ? "" : "; ") + printable(one);
    if (media.empty()) throw Error("it offers nothing that can be received" + (list.empty() ? "" : ": " + list));
    if (!list.empty()) camera_.context.info(camera_.name + ": left out: " + list);
    receive(std::move(media));
    waits_for_stream_ = !camera_.stream.is_open();
    camera_.owner.described(tracks_->reception().media());
    if (!waits_for_stream_) set_up_next();
}

/// They are set up from the first one on.
void PullSession::receive(std::vector<Medium> media) {
    tracks_.emplace(camera_.context, camera_.settings, connection_.descriptor(), std::move(media), is_udp_,
                    camera_.stream.had_media());
}

void PullSession::set_up() {
    if (!std::exchange(waits_for_stream_, false)) return;
    set_up_next();
    send();
}

void PullSession::playing() {
    const auto now_us = monotonic_us();
    auto& reception = tracks_->reception();
    state_ = State::playing;
    playing_us_ = keep_alive_us_ = now_us;
    health_.emplace(camera_.settings, now_us);
    std::vector<std::optional<std::uint32_t>> begins;
    std::string codecs;
    for (const auto& one : reception.media()) {
        begins.push_back(dialogue_.rtptime(one.control));
        codecs += (codecs.empty() ? "" : " and ") + printable(one.codec);
    }
    reception.begin(begins, now_us);
    const auto* const way = url_.is_secure ? "TLS" : is_udp_ ? "UDP" : "TCP";
    camera_.context.info(camera_.name + " plays " + codecs + " over " + way +
                         (dialogue_.server().empty() ? "" : ", " + printable(dialogue_.server())));
    camera_.owner.playing(is_udp_);
}

void PullSession::give(std::int64_t now_us) {
    if (!tracks_ || !camera_.stream.is_open()) return;
    auto& reception = tracks_->reception();
    if (camera_.stream.came(reception.facts().last_packet_us)) camera_.owner.media_came();
    camera_.stream.give(reception, now_us);
}

void PullSession::look_after(std::int64_t now_us) {
    health_->check(camera_.stream.last_media_us(), now_us);
    const auto& reception = tracks_->reception();
    const auto& facts = reception.facts();
    if (const auto count = health_->new_jumps(facts, now_us); count > 0) {
        camera_.context.warning(camera_.name + ": its clock jumped by " + in_seconds(facts.last_jump_us) +
                                (count > 1 ? ", the last of " + std::to_string(count) + " jumps" : "") +
                                "; what is recorded goes on without a jump");
        camera_.owner.jumped(count);
    }
    auto problem = health_->problem(reception, now_us);
    if (problem == problem_) return;
    problem_ = std::move(problem);
    if (!problem_.empty()) camera_.context.warning(camera_.name + ": " + problem_);
    camera_.owner.problem(problem_);
}

void PullSession::keep_alive(std::int64_t now_us) {
    const auto session_us = std::int64_t{dialogue_.session_seconds()} * 1'000'000;
    if (now_us - keep_alive_us_ <= std::min<std::int64_t>(session_us / 2, 30'000'000)) return;
    keep_alive_us_ = now_us;
    dialogue_.keep_alive();
    send();
}

void PullSession::choose_reading(std::int64_t now_us) {
    constexpr std::int64_t settled_us = 10'000'000;
    const bool by_clock = !is_udp_ && !url_.is_secure && camera_.settings.read_interval_us > 0 &&
                          camera_.stream.demand_us() >= TD_RECORD_DELAY_US && now_us - playing_us_ > settled_us;
    if (by_clock == is_by_clock_) return;
    is_by_clock_ = by_clock;
    by_clock ? camera_.loop.forget(connection_.descriptor()) : watch();
}

void PullSession::tick(std::int64_t now_us) {
    if (!is_playing()) {
        if (now_us <= deadline_us_ || waits_for_stream_) return;
        throw Error(state_ == State::talking
                        ? url_.authority() + " did not answer in time; setting 'protocol.rtsp.connect_timeout'"
                        : "Failed to connect to rtsp stream: " + url_.authority() + ": timed out");
    }
    if (is_by_clock_ && now_us >= next_read_us_) {
        next_read_us_ = now_us + camera_.settings.read_interval_us;
        read(now_us);
    }
    give(now_us);
    if (const auto framed = tracks_->report(now_us); !framed.empty()) {
        connection_.send(framed);
        watch();
    }
    look_after(now_us);
    keep_alive(now_us);
    choose_reading(now_us);
}

void PullSession::leave() {
    try {
        if (tracks_) camera_.stream.finish(tracks_->reception(), monotonic_us());
    } catch (const std::exception& e) {
        camera_.context.warning(camera_.name + ": its last packets are lost: " + e.what());
    }
    try {
        if (!is_playing()) return;
        dialogue_.teardown();
        connection_.send(dialogue_.take_output());
    } catch (const std::exception& e) {  // it is gone
        camera_.context.debug(camera_.name + ": " + e.what());
    }
}

}  // namespace tapedeck::rtsp
