#include "pull.hpp"

#include "address/query.hpp"
#include "tapedeck/uuid.hpp"

namespace tapedeck::rtsp {

Pull::Pull(Context context, std::shared_ptr<Loop> loop, Workers& workers, TlsClient tls, Settings settings,
           PullRequest request, Over over)
    : context_(context),
      loop_(std::move(loop)),
      tls_(std::move(tls)),
      settings_(settings),
      request_(std::move(request)),
      over_(std::move(over)),
      pauses_(settings_.longest_pause_us),
      inquiry_(workers, loop_),
      stream_(context, request_.stream, request_.record, settings_.record) {}

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
        self->stream_.drop_question();
        self->request_.url = request.url;
        self->request_.find = request.find;
        self->request_.transport = request.transport;
        self->pauses_.forget();
        self->told_.clear();
        self->show("PENDING", "connecting");
        self->retry_us_ = 0;
    });
}

void Pull::hurry() {
    loop_->post([self = shared_from_this()] {
        if (self->retry_us_) self->retry_us_ = 0;
    });
}

void Pull::show(const std::string& status, const std::string& info) {
    status_.show(status, info, attempt_);
}

/// What goes wrong ends this attempt and nothing else.
template <class Work>
void Pull::guarded(Work work) {
    try {
        work();
    } catch (const std::exception& e) {
        fail(e.what(), session_ && session_->is_password_wrong());
    }
}

// ---- one attempt

void Pull::attempt() {
    retry_us_.reset();
    redirects_ = 0;
    ++attempt_;
    transport_ = request_.transport.value_or(settings_.transport);
    if (status().status != "FAILED") show("PENDING", "connecting");
    if (request_.url) {
        origin_ = *request_.url;
        return find(origin_);
    }
    search(request_.find, [this](const Url& url) {
        origin_ = url;
        find(url);
    });
}

template <class Question, class Answer>
void Pull::search(Question question, Answer answer) {
    inquiry_.ask(
        shared_from_this(), question, [this, answer](const auto& found) { this->guarded([&] { answer(found); }); },
        [this](const std::string& why, bool is_denied) { fail(why, is_denied); });
}

void Pull::find(const Url& url) {
    hang_up();
    std::optional<Address> address;
    try {
        address = Address::parse(url.host, url.port);
    } catch (const Error&) {  // a name
    }
    if (address) return connect(url, *address);
    search(
        [url](const std::function<bool()>&) {
            try {
                return Address::resolve(url.host, url.port);
            } catch (const Error& e) {
                throw Error(std::string("Failed to connect to rtsp stream: ") + e.what());
            }
        },
        [this, url](const Address& found) { connect(url, found); });
}

void Pull::connect(const Url& url, const Address& address) {
    session_.emplace(PullSession::Camera{context_, name(), settings_, *loop_, weak_from_this(), *this, stream_}, tls_,
                     url, address, transport_);
    session_->begin();
}

void Pull::ready(int descriptor, std::uint32_t events, std::int64_t now_us) {
    guarded([&] {
        if (session_) session_->ready(descriptor, events, now_us);
        follow();
    });
}

void Pull::tick(std::int64_t now_us) {
    if (is_over_) return;
    guarded([&] {
        if (retry_us_ && now_us >= *retry_us_)
            attempt();
        else if (session_)
            session_->tick(now_us);
        follow();
    });
    const bool is_playing = session_ && session_->is_playing();
    if (stream_.is_open() && !is_playing && now_us - stream_.last_media_us() > settings_.away_us)
        close_stream("the camera has left");
}

/// Where the camera has sent us meanwhile.
void Pull::follow() {
    constexpr int most_redirects = 5;
    if (!session_ || !session_->moved_to()) return;
    if (++redirects_ > most_redirects) throw Error("it answers with one redirection after another");
    const auto target = redirected(session_->url(), *session_->moved_to(), origin_);
    if (session_->is_udp()) transport_ = Transport::udp;
    context_.info(name() + " is found at " + printable(target.text()));
    find(target);
}

// ---- what the session tells

void Pull::described(const std::vector<Medium>& media) {
    status_.codecs(media);
    if (stream_.is_open()) return;
    const auto media_session = make_uuid();
    status_.media_session(media_session);
    auto voice = std::make_shared<Voice>(loop_, std::static_pointer_cast<StreamOwner>(shared_from_this()));
    stream_.ask(std::move(voice), media_session, session_->descriptor(), media);
}

void Pull::playing(bool is_udp) {
    pauses_.password_was_right();
    told_.clear();
    show("PLAYING", "");
    status_.udp(is_udp);
}

void Pull::problem(const std::string& problem) {
    show(problem.empty() ? "PLAYING" : "PLAYBACK_PROBLEM", problem);
}

// ---- what the host tells

void Pull::opened(const Voice& voice, Sink sink) {
    if (is_over_ || !stream_.is(voice)) return sink.close("its source has gone");
    stream_.open(sink);
    guarded([&] {
        if (session_) session_->set_up();
    });
}

void Pull::refused(const Voice& voice, const Error& why) {
    if (is_over_ || !stream_.is(voice)) return;
    stream_.drop_question();
    fail(why.status() == TD_EXISTS ? std::string("Stream name is already in use") : why.what());
}

void Pull::demanded(const Voice& voice, std::int64_t delay_us) {
    if (is_over_ || !stream_.is(voice)) return;
    stream_.demand(delay_us);
    if (session_ && session_->is_playing()) guarded([&] { session_->choose_reading(monotonic_us()); });
}

void Pull::key_wanted(const Voice& voice) {
    if (stream_.is(voice) && session_) session_->want_key();
}

void Pull::kicked(const Voice& voice, const std::string& why) {
    if (stream_.is(voice)) end(why);
}

// ---- ends

void Pull::leave() {
    if (session_) session_->leave();
    hang_up();
}

void Pull::hang_up() {
    session_.reset();
    inquiry_.drop();
}

void Pull::fail(std::string why, bool is_password) {
    if (is_over_) return;
    why = printable(why);
    leave();
    stream_.drop_question();
    const auto pause_us = pauses_.next_us(is_password);
    retry_us_ = monotonic_us() + pause_us;
    show("FAILED", why);
    const auto line = name() + ": " + why + "; tried again, in " + in_seconds(pause_us) +
                      (is_password ? ", or at once with SIGHUP or another login by /rtsp/startup" : "");
    told_ == why ? context_.debug(line) : context_.warning(line);
    told_ = std::move(why);
    if (stream_.is_open() && settings_.away_us == 0) close_stream("the camera has left");
}

void Pull::close_stream(const std::string& why) {
    stream_.close(why);
    status_.media_session("");
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
