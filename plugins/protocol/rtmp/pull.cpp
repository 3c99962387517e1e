#include "pull.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "request.hpp"
#include "tapedeck/uuid.hpp"

namespace tapedeck::rtmp {

namespace {

constexpr unsigned most_sent_on = 6;
constexpr std::size_t nonce_size = 8;  // characters

}  // namespace

Pull::Pull(Shared& shared, IoThread& thread, std::shared_ptr<const Settings> settings, std::shared_ptr<TlsContext> tls,
           PullRequest request)
    : shared_(shared),
      thread_(thread),
      settings_(std::move(settings)),
      tls_(std::move(tls)),
      request_(std::move(request)),
      address_(request_.address),
      resolver_(thread.context()),
      socket_(thread.context()),
      timer_(thread.context()),
      back_off_(settings_->pull_longest_pause),
      away_since_(Clock::now()) {
    status_.media_session = make_uuid();
}

Pull::Status Pull::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

void Pull::set(State state, const std::string& reason, Clock::time_point next_try) {
    const std::lock_guard lock(mutex_);
    status_.state = state;
    status_.reason = reason;
    status_.next_try = next_try;
    if (state != State::playing) status_.kinds = 0;
}

void Pull::start() {
    boost::asio::post(thread_.context(), [self = shared_from_this()] { self->attempt(); });
}

void Pull::end(std::string reason) {
    boost::asio::post(thread_.context(), [self = shared_from_this(), reason = std::move(reason)] {
        if (self->is_over()) return;
        self->give_up(reason);
        if (const auto session = std::exchange(self->session_, nullptr)) session->abort(reason);
    });
}

// ---- one attempt

void Pull::attempt() {
    if (is_over()) return;
    set(State::connecting);
    const auto turn = ++turn_;
    timer_.expires_after(settings_->pull_timeout);
    timer_.async_wait([self = shared_from_this(), turn](auto error) {
        if (!error && self->turn_ == turn)
            self->retry("it does not answer within setting 'protocol.rtmp.pull_timeout'");
    });
    resolver_.async_resolve(address_.host, std::to_string(address_.port),
                            [self = shared_from_this(), turn](auto error, const auto& addresses) {
                                if (self->turn_ != turn) return;
                                if (error)
                                    return self->retry("its host '" + printable(self->address_.host) +
                                                       "' is not known: " + error.message());
                                self->connect(addresses);
                            });
}

void Pull::connect(const Tcp::resolver::results_type& addresses) {
    boost::asio::async_connect(socket_, addresses, [self = shared_from_this(), turn = turn_](auto error, const auto&) {
        if (self->turn_ != turn) return;
        if (error) return self->retry("cannot connect: " + error.message());
        self->talk();
    });
}

void Pull::talk() {
    ++turn_;
    timer_.cancel();
    PlayTarget target{address_.application,
                      login_.empty() ? address_.url : address_.bare_url(),
                      address_.stream,
                      {address_.user, address_.password, make_uuid().substr(0, nonce_size)},
                      login_};
    session_ = std::make_shared<ClientSession>(shared_, thread_, settings_, std::move(socket_),
                                               address_.is_secure ? tls_ : nullptr, address_.host, std::move(target),
                                               request_.stream, weak_from_this());
    socket_ = Tcp::socket(thread_.context());
    const auto session = session_;  // which may end in there
    session->begin();
}

/// Later, unless it is enough.
void Pull::retry(const std::string& why) {
    ++turn_;
    resolver_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
    address_ = request_.address;
    login_.clear();
    sent_on_ = 0;
    const auto now = Clock::now();
    const auto limit = settings_->pull_give_up;
    if (limit.count() > 0 && now - away_since_ >= limit)
        return give_up("it was away for longer than setting 'protocol.rtmp.pull_give_up': " + why);
    if (std::exchange(told_, why) != why)  // one line for a source that stays away
        shared_.host.warning(printable(request_.stream) + ", pulled from " + request_.address.shown() + ": " + why +
                             "; it is tried again");
    const auto pause = back_off_.next();
    set(State::waiting, why, now + pause);
    timer_.expires_after(pause);
    timer_.async_wait([self = shared_from_this(), turn = turn_](auto error) {
        if (!error && self->turn_ == turn) self->attempt();
    });
}

void Pull::give_up(const std::string& why) {
    ++turn_;
    resolver_.cancel();
    timer_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
    set(State::over, why);
    shared_.host.info(printable(request_.stream) + " is no longer pulled from " + request_.address.shown() + ": " +
                      why);
}

// ---- what its connection tells

void Pull::describe(td_stream_info& info) {
    // The host knows the session of the last stream until its recording is finished, so each has its own.
    const std::lock_guard lock(mutex_);
    status_.media_session = make_uuid();
    if (request_.record) info.record = TD_RECORD_YES;
    info.media_session = text_of(status_.media_session);
    info.application = text_of(request_.address.application);
}

void Pull::playing(std::uint32_t kinds) {
    back_off_.reset();
    told_.clear();
    if (const std::lock_guard lock(mutex_); status_.state != State::over) {
        status_.state = State::playing;
        status_.kinds = kinds;
    }
}

void Pull::left(const std::string& why, bool is_final) {
    session_.reset();
    const auto now = status();
    if (now.state == State::over) return;
    if (now.state == State::playing) away_since_ = Clock::now();
    is_final ? give_up(why) : retry(why);
}

void Pull::sent_on(const Onward& where) {
    session_.reset();
    if (is_over()) return;
    if (++sent_on_ > most_sent_on) return retry("it sends on from one connection to the next");
    login_ = where.login;
    if (!where.address.empty()) {
        try {
            address_ = address_.moved(where.address);
            if (address_.is_secure && !tls_) tls_ = TlsContext::of_client(settings_->pull_verify);
        } catch (const std::exception& e) {
            return retry(std::string("it sends on to an address that is none: ") + e.what());
        }
        shared_.host.info(printable(request_.stream) + ", pulled from " + request_.address.shown() +
                          ", is sent on to " + address_.shown());
    }
    attempt();
}

}  // namespace tapedeck::rtmp
