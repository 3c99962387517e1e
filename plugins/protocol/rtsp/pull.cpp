#include "pull.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cstring>

#include "address/query.hpp"
#include "tapedeck/uuid.hpp"

namespace tapedeck::rtsp {

namespace {

// Many cameras lock a login that fails five times within half an hour or so.
constexpr std::int64_t password_pauses = 30, longest_password_pause_us = 3'600'000'000;
constexpr int most_redirects = 5;

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

Pull::Pull(Context context, std::shared_ptr<Loop> loop, Workers& workers, TlsClient tls, Settings settings,
           PullRequest request, Over over)
    : context_(context),
      loop_(std::move(loop)),
      workers_(workers),
      tls_(std::move(tls)),
      settings_(settings),
      request_(std::move(request)),
      over_(std::move(over)),
      back_off_(std::chrono::microseconds(settings_.longest_pause_us)) {}

std::string Pull::name() const {
    return printable(request_.uri);
}

void Pull::start() {
    loop_->post([self = shared_from_this()] {
        self->loop_->add(self);
        self->guarded([&] { self->attempt(); });
    });
}

void Pull::stop(const std::string& reason) {
    loop_->post([self = shared_from_this(), reason] { self->end(reason); });
}

void Pull::change(const PullRequest& request) {
    loop_->post([self = shared_from_this(), request] {
        if (self->is_over_) return;
        self->leave();
        if (!self->sink_) self->voice_.reset();
        self->request_.url = request.url;
        self->request_.find = request.find;
        self->request_.transport = request.transport;
        self->back_off_.reset();
        self->refusals_ = 1;
        self->told_.clear();
        self->show("PENDING", "connecting");
        self->state_ = State::waiting;
        self->retry_us_ = 0;
    });
}

void Pull::hurry() {
    loop_->post([self = shared_from_this()] { self->retry_us_ = 0; });
}

PullStatus Pull::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

void Pull::show(const std::string& status, const std::string& info) {
    const std::lock_guard lock(mutex_);
    status_.status = status;
    status_.info = info;
    status_.attempts = attempt_;
}

/// What goes wrong ends this attempt and nothing else.
template <class Work>
void Pull::guarded(Work work) {
    try {
        work();
    } catch (const std::exception& e) {
        fail(e.what());
    }
}

// ---- one attempt

void Pull::attempt() {
    redirects_ = 0;
    ++attempt_;
    is_udp_ = request_.transport.value_or(settings_.transport) == Transport::udp;
    state_ = State::searching;
    if (status().status != "FAILED") show("PENDING", "connecting");
    if (request_.url) {
        origin_ = *request_.url;
        return connect(origin_);
    }
    search(request_.find, [this](const Url& url) {
        origin_ = url;
        connect(url);
    });
}

/// One at a time, and the attempt lasts until it is answered: workers may be busy with others for long.
template <class Question, class Answer>
void Pull::search(Question question, Answer answer) {
    workers_.post([self = shared_from_this(), number = ++search_, question, answer] {
        const auto is_wanted = [&] { return number == self->search_ && !self->workers_.stops(); };
        if (!is_wanted()) return;
        decltype(std::optional(question(is_wanted))) found;
        std::string why;
        bool is_denied = false;
        try {
            found = question(is_wanted);
        } catch (const Error& e) {
            why = e.what();
            is_denied = e.status() == TD_DENIED;
        } catch (const std::exception& e) {
            why = e.what();
        }
        self->loop_->post([self, number, found, why, is_denied, answer] {
            if (number != self->search_) return;
            self->guarded([&] { found ? answer(*found) : self->fail(why, is_denied); });
        });
    });
}

void Pull::connect(const Url& url) {
    hang_up();
    url_ = url;
    state_ = State::searching;
    try {
        return found(Address::parse(url.host, url.port));
    } catch (const Error&) {  // a name
    }
    search(
        [url](const std::function<bool()>&) {
            try {
                return Address::resolve(url.host, url.port);
            } catch (const Error& e) {
                throw Error(std::string("Failed to connect to rtsp stream: ") + e.what());
            }
        },
        [this](const Address& address) { found(address); });
}

void Pull::found(const Address& address) {
    deadline_us_ = monotonic_us() + settings_.connect_timeout_us;
    Descriptor socket;
    try {
        socket = connect_to(address);
    } catch (const Error& e) {
        return fail(std::string("Failed to connect to rtsp stream: ") + e.what());
    }
    auto* tls = url_.is_secure ? tls_.session(socket.get(), url_.host) : nullptr;
    connection_.emplace(context_, std::move(socket), tls);
    state_ = State::connecting;
    loop_->watch(connection_->descriptor(), EPOLLOUT, shared_from_this());
}

void Pull::ready(int descriptor, std::uint32_t events, std::int64_t now_us) {
    guarded([&] {
        if (udp_ && (!connection_ || descriptor != connection_->descriptor())) {
            udp_->read(descriptor, [&](std::size_t track, bool is_rtcp, ByteSpan bytes, const Buffer& buffer) {
                if (!reception_) return;
                is_rtcp ? reception_->rtcp(track, bytes, now_us) : reception_->rtp(track, bytes, buffer, now_us);
            });
            return give(now_us);
        }
        if (!connection_ || descriptor != connection_->descriptor()) return;
        if (state_ == State::connecting) return talk();
        if ((events & EPOLLOUT) != 0) watch();
        if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read(now_us);
    });
}

void Pull::talk() {
    int fault = 0;
    socklen_t size = sizeof fault;
    ::getsockopt(connection_->descriptor(), SOL_SOCKET, SO_ERROR, &fault, &size);
    if (fault != 0) return fail("Failed to connect to rtsp stream: " + url_.authority() + ": " + std::strerror(fault));
    state_ = State::talking;
    dialogue_.emplace(url_);
    dialogue_->begin();
    send();
}

void Pull::send() {
    connection_->send(dialogue_->take_output());
    watch();
}

void Pull::watch() {
    const auto events = connection_->flush() ? EPOLLIN : EPOLLIN | EPOLLOUT;
    if (!is_by_clock_) loop_->watch(connection_->descriptor(), static_cast<std::uint32_t>(events), shared_from_this());
}

void Pull::read(std::int64_t now_us) {
    looked_us_ = now_us;
    try {
        connection_->read(*this);
    } catch (const std::exception& e) {
        if (!fault_) fault_ = state_ == State::playing ? std::string("the connection ended: ") + e.what() : e.what();
    }
    if (reception_) give(now_us);
    if (fault_) return fail(*fault_, is_password_wrong_);
    if (dialogue_) send();
}

bool Pull::message(const Message& message) {
    if (message.is_request()) {
        dialogue_->request(message);
        return true;
    }
    const auto event = dialogue_->answer(message);
    if (event == Dialogue::Event::moved) {
        // The connection is still being read.
        loop_->post([self = shared_from_this(), number = attempt_] {
            if (!self->is_over_ && number == self->attempt_ && self->dialogue_) self->guarded([&] { self->moved(); });
        });
        return false;
    }
    try {
        heard(event);
    } catch (const std::exception& e) {
        fault_ = e.what();
    }
    return !fault_;
}

void Pull::packet(std::uint8_t channel, ByteSpan packet, const Buffer& buffer) {
    if (!reception_) return;
    for (std::size_t track = 0; track < channels_.size(); ++track) {
        if (channels_[track].first == channel) return reception_->rtp(track, packet, buffer, looked_us_);
        if (channels_[track].second == channel) return reception_->rtcp(track, packet, looked_us_);
    }
}

// ---- what the camera says

void Pull::heard(Dialogue::Event event) {
    using Event = Dialogue::Event;
    if (event == Event::described) described();
    if (event == Event::is_set_up) is_set_up();
    if (event == Event::playing) playing();
    if (event == Event::refused) {
        if (is_udp_ || request_.transport.value_or(settings_.transport) != Transport::automatic)
            throw Error(std::string("it does not send over ") + (is_udp_ ? "UDP" : "TCP") +
                        "; setting 'protocol.rtsp.transport' asks for another way");
        is_udp_ = true;
        receive(reception_->media());
        set_up_next();
    }
    if (event == Event::failed) {
        is_password_wrong_ = dialogue_->status() == 401;
        throw Error(dialogue_->why());
    }
}

void Pull::described() {
    std::vector<std::string> left_out;
    auto media = media_of(dialogue_->description(), left_out);
    std::string list;
    for (const auto& one : left_out) list += (list.empty() ? "" : "; ") + printable(one);
    if (media.empty()) throw Error("it offers nothing that can be received" + (list.empty() ? "" : ": " + list));
    if (!list.empty() && told_ != list) context_.info(name() + ": left out: " + list);
    {
        const std::lock_guard lock(mutex_);
        status_.video_codec.clear();
        status_.audio_codec.clear();
        for (const auto& one : media)
            (one.kind == TD_VIDEO ? status_.video_codec : status_.audio_codec) = printable(one.codec);
    }
    receive(std::move(media));
    if (sink_) return set_up_next();
    ask_to_publish();
}

/// Over UDP lost packets are waited for; over TCP none can come late. The tracks are set up from the first one on.
void Pull::receive(std::vector<Medium> media) {
    reception_.emplace(context_, std::move(media), is_udp_ ? settings_.jitter_us : 0, had_media_);
    next_track_ = 0;
    channels_.clear();
}

void Pull::ask_to_publish() {
    waits_for_stream_ = true;
    is_cancelled_ = false;
    const auto media_session = make_uuid();
    {
        const std::lock_guard lock(mutex_);
        status_.media_session = media_session;
    }
    auto info = stream_info(request_.stream, "rtsp");
    info.media_session = text_of(media_session);
    const auto remote = remote_address(connection_->descriptor()).text();
    const auto session = "/" + remote + "/" + local_address(connection_->descriptor()).text();
    info.session = text_of(session);
    info.remote = text_of(remote);
    info.record = request_.record;
    if (info.record == TD_RECORD_BY_RULES && settings_.record) info.record = TD_RECORD_YES;
    for (const auto& one : reception_->media()) info.expects |= 1u << one.kind;
    voice_ = std::make_shared<Voice>(loop_, std::static_pointer_cast<StreamOwner>(shared_from_this()));
    publish(context_, info, voice_);
}

void Pull::opened(const Voice& voice, Sink sink) {
    if (is_over_ || &voice != voice_.get()) return sink.close("its source has gone");
    sink_ = sink;
    had_media_ = false;
    last_media_us_ = monotonic_us();
    if (std::exchange(waits_for_stream_, false) && dialogue_ && reception_)
        guarded([&] {
            set_up_next();
            send();
        });
}

void Pull::refused(const Voice& voice, const Error& why) {
    if (is_over_ || &voice != voice_.get()) return;
    voice_.reset();
    waits_for_stream_ = false;
    fail(why.status() == TD_EXISTS ? std::string("Stream name is already in use") : why.what());
}

void Pull::set_up_next() {
    const auto& medium = reception_->media()[next_track_];
    std::optional<UdpPair> pair;
    if (is_udp_)
        pair = UdpPair::bind(local_address(connection_->descriptor()), settings_.udp_port_from, settings_.udp_port_to);
    dialogue_->setup(medium.control, wanted_transport(next_track_, pair));
    if (!pair) return;
    if (!udp_) udp_ = std::make_unique<UdpTracks>(context_, *loop_, weak_from_this());
    udp_->add(next_track_, std::move(*pair));
}

void Pull::is_set_up() {
    const auto& transport = dialogue_->transport();
    if (transport.is_tcp == is_udp_)
        throw Error("it answers SETUP with a transport that it was not asked for: " + printable(transport.text()));
    const auto first = static_cast<std::uint16_t>(next_track_ * 2);
    const auto used =
        transport.interleaved.value_or(TransportHeader::Pair(first, static_cast<std::uint16_t>(first + 1)));
    channels_.emplace_back(static_cast<std::uint8_t>(used.first & 0xff), static_cast<std::uint8_t>(used.second & 0xff));
    if (is_udp_) {
        auto rtp = remote_address(connection_->descriptor());
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
        udp_->peer(next_track_, rtp, rtcp);
        if (ports.first != 0) udp_->punch(next_track_);
    }
    if (++next_track_ < reception_->media().size()) return set_up_next();
    dialogue_->play();
}

void Pull::playing() {
    const auto now_us = monotonic_us();
    state_ = State::playing;
    playing_us_ = keep_alive_us_ = now_us;
    jumps_told_ = refusals_ = 0;
    std::vector<std::optional<std::uint32_t>> begins;
    for (const auto& one : reception_->media()) begins.push_back(dialogue_->rtptime(one.control));
    reception_->begin(begins, now_us);
    std::string codecs;
    for (const auto& one : reception_->media()) codecs += (codecs.empty() ? "" : " and ") + printable(one.codec);
    context_.info(name() + " plays " + codecs + " over " +
                  (url_.is_secure ? "TLS"
                   : is_udp_      ? "UDP"
                                  : "TCP") +
                  (dialogue_->server().empty() ? "" : ", " + printable(dialogue_->server())));
    told_.clear();
    show("PLAYING", "");
    const std::lock_guard lock(mutex_);
    status_.is_udp = is_udp_;
}

void Pull::moved() {
    if (++redirects_ > most_redirects) return fail("it answers with one redirection after another");
    auto target = Url::parse(resolve(url_.text(), dialogue_->target()));
    // Nobody else gets the password.
    if (target.user.empty() && target.is_secure == origin_.is_secure && same_name(target.host, origin_.host) &&
        target.port == origin_.port) {
        target.user = origin_.user;
        target.password = origin_.password;
    }
    context_.info(name() + " is found at " + printable(target.text()));
    connect(target);
}

// ---- while it plays

void Pull::give(std::int64_t now_us) {
    if (!reception_ || !sink_) return;
    if (reception_->facts().last_packet_us > last_media_us_) {
        last_media_us_ = reception_->facts().last_packet_us;
        had_media_ = true;
        back_off_.reset();
    }
    if (is_cancelled_) return;
    try {
        reception_->give(sink_, now_us);
    } catch (const Error& e) {
        if (e.status() != TD_CANCELLED) throw;
        is_cancelled_ = true;  // `kicked` tells why
    }
}

void Pull::report(std::int64_t now_us) {
    for (std::size_t track = 0; track < reception_->media().size(); ++track) {
        const auto bytes = reception_->report(track, now_us);
        if (bytes.empty()) continue;
        if (is_udp_) {
            udp_->send_rtcp(track, bytes);
            continue;
        }
        std::string framed{'$', static_cast<char>(channels_[track].second), static_cast<char>(bytes.size() >> 8),
                           static_cast<char>(bytes.size() & 0xff)};
        framed.append(bytes.begin(), bytes.end());
        connection_->send(framed);
        watch();
    }
}

/// What is missing while the connection stands.
void Pull::look_after(std::int64_t now_us) {
    const auto& facts = reception_->facts();
    const auto seconds = [](std::int64_t us) { return std::to_string((us + 500'000) / 1'000'000) + " s"; };
    if (now_us - std::max(last_media_us_, playing_us_) > settings_.timeout_us)
        return fail("nothing came for " + seconds(settings_.timeout_us));
    if (facts.jumps > jumps_told_ && now_us - jump_told_us_ > 1'000'000) {
        const auto count = facts.jumps - std::exchange(jumps_told_, facts.jumps);
        jump_told_us_ = now_us;
        context_.warning(name() + ": its clock jumped by " + seconds(facts.last_jump_us) +
                         (count > 1 ? ", the last of " + std::to_string(count) + " jumps" : "") +
                         "; what is recorded goes on without a jump");
        const std::lock_guard lock(mutex_);
        status_.jumps += count;
    }
    std::string problem;
    const auto& media = reception_->media();
    const bool has_video = std::any_of(media.begin(), media.end(), [](const Medium& m) { return m.kind == TD_VIDEO; });
    if (has_video && now_us - std::max(facts.last_picture_us, playing_us_) > settings_.timeout_us)
        problem = "no picture came for " + seconds(settings_.timeout_us);
    else if (has_video && now_us - std::max(facts.last_key_us, playing_us_) > settings_.key_timeout_us)
        problem = "no key frame came for " + seconds(settings_.key_timeout_us);
    if (problem != status().info) {
        if (!problem.empty()) context_.warning(name() + ": " + problem);
        show(problem.empty() ? "PLAYING" : "PLAYBACK_PROBLEM", problem);
    }
    const auto session_us = std::int64_t{dialogue_->session_seconds()} * 1'000'000;
    if (now_us - keep_alive_us_ > std::min<std::int64_t>(session_us / 2, 30'000'000)) {
        keep_alive_us_ = now_us;
        dialogue_->keep_alive();
        send();
    }
}

/// By the clock once its sender reports have come, where nobody wants less delay than a recording.
void Pull::choose_reading(std::int64_t now_us) {
    constexpr std::int64_t settled_us = 10'000'000;
    const bool by_clock = !is_udp_ && !url_.is_secure && settings_.read_interval_us > 0 &&
                          demand_us_ >= TD_RECORD_DELAY_US && now_us - playing_us_ > settled_us;
    if (by_clock == is_by_clock_) return;
    is_by_clock_ = by_clock;
    if (by_clock)
        loop_->forget(connection_->descriptor());
    else
        watch();
}

void Pull::tick(std::int64_t now_us) {
    if (is_over_) return;
    guarded([&] {
        switch (state_) {
            case State::waiting:
                if (now_us >= retry_us_) attempt();
                break;
            case State::playing: {
                if (is_by_clock_ && now_us >= next_read_us_) {
                    next_read_us_ = now_us + settings_.read_interval_us;
                    read(now_us);
                    if (state_ != State::playing) break;
                }
                give(now_us);
                report(now_us);
                look_after(now_us);
                if (state_ == State::playing) choose_reading(now_us);
                break;
            }
            case State::searching:
                break;
            default:
                if (now_us > deadline_us_ && !waits_for_stream_)
                    fail(state_ == State::talking
                             ? url_.authority() + " did not answer in time; setting 'protocol.rtsp.connect_timeout'"
                             : "Failed to connect to rtsp stream: " + (url_.host.empty() ? name() : url_.authority()) +
                                   ": timed out");
        }
    });
    if (sink_ && state_ != State::playing && now_us - last_media_us_ > settings_.away_us)
        close_stream("the camera has left");
}

void Pull::demanded(const Voice& voice, std::int64_t delay_us) {
    if (is_over_ || &voice != voice_.get()) return;
    demand_us_ = delay_us;
    if (state_ == State::playing) guarded([&] { choose_reading(monotonic_us()); });
}

void Pull::key_wanted(const Voice& voice) {
    if (&voice == voice_.get() && reception_) reception_->want_key();
}

void Pull::kicked(const Voice& voice, const std::string& why) {
    if (&voice == voice_.get()) end(why);
}

// ---- ends

/// What came is given, the camera hears that it may forget us, and the connection ends.
void Pull::leave() {
    try {
        if (reception_ && sink_ && !is_cancelled_) reception_->finish(sink_, monotonic_us());
    } catch (const std::exception& e) {
        if (!is_cancelled_) context_.warning(name() + ": its last packets are lost: " + e.what());
    }
    try {
        if (dialogue_ && connection_ && state_ == State::playing) {
            dialogue_->teardown();
            connection_->send(dialogue_->take_output());
        }
    } catch (const std::exception& e) {  // it is gone
        context_.debug(name() + ": " + e.what());
    }
    hang_up();
}

void Pull::hang_up() {
    udp_.reset();
    if (connection_) loop_->forget(connection_->descriptor());
    connection_.reset();
    dialogue_.reset();
    reception_.reset();
    fault_.reset();
    ++search_;
    is_by_clock_ = is_password_wrong_ = waits_for_stream_ = false;
}

/// Until the next attempt. A password that was right before may be refused once by a camera that starts.
std::int64_t Pull::pause_us(bool is_password) {
    if (!is_password) return back_off_.next().count();
    const auto refusals = refusals_++;
    if (refusals == 0) return settings_.longest_pause_us;
    const auto first_us = settings_.longest_pause_us * password_pauses;
    return std::min(first_us << std::min(refusals - 1, 12), std::max(first_us, longest_password_pause_us));
}

void Pull::fail(std::string why, bool is_password) {
    if (is_over_) return;
    why = printable(why);
    leave();
    if (!sink_) voice_.reset();
    state_ = State::waiting;
    const auto pause = pause_us(is_password);
    retry_us_ = monotonic_us() + pause;
    show("FAILED", why);
    const auto line = name() + ": " + why + "; tried again, in " + std::to_string((pause + 500'000) / 1'000'000) +
                      " s" + (is_password ? ", or at once with SIGHUP or another login by /rtsp/startup" : "");
    told_ == why ? context_.debug(line) : context_.warning(line);
    told_ = std::move(why);
    if (sink_ && settings_.away_us == 0) close_stream("the camera has left");
}

void Pull::close_stream(const std::string& why) {
    if (sink_) std::exchange(sink_, Sink()).close(why);
    voice_.reset();
    had_media_ = false;
    demand_us_ = TD_RECORD_DELAY_US;
    const std::lock_guard lock(mutex_);
    status_.media_session.clear();
}

void Pull::end(const std::string& reason) {
    if (is_over_) return;
    const auto self = shared_from_this();
    is_over_ = true;
    leave();
    close_stream(reason);
    show("STOPPED", reason);
    loop_->remove(*this);
    over_(*this);
}

}  // namespace tapedeck::rtsp
