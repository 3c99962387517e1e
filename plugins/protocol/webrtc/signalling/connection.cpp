#include "webrtc/signalling/connection.hpp"

#include <utility>
#include <variant>

#include "tapedeck/stream.hpp"
#include "tapedeck/uuid.hpp"

namespace tapedeck::webrtc {

namespace reason = websdk::reason;

namespace {

constexpr std::size_t most_streams = 1000;  // of one client at a time
constexpr std::string_view room_application = "roomApp";

std::int64_t now_ms() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

}  // namespace

/// What a session says to its connection.
class Connection::Events final : public SessionEvents {
public:
    Events(std::shared_ptr<Connection> connection, std::string media_session)
        : connection_(std::move(connection)), media_session_(std::move(media_session)) {}

    void answered(const std::string& sdp) override {
        connection_->post([id = media_session_, sdp](Connection& c) { c.answered(id, sdp); });
    }
    void started() override {
        connection_->post([id = media_session_](Connection& c) { c.started(id); });
    }
    void ended(bool failed, const std::string& why, const std::string& record_name) override {
        connection_->post([=, id = media_session_](Connection& c) { c.stream_ended(id, failed, why, record_name); });
    }

private:
    std::shared_ptr<Connection> connection_;
    std::string media_session_;
};

/// Waits for the host's answer.
struct Connection::Asker {
    std::shared_ptr<Connection> connection;

    static void done(void* self, const td_error* error) noexcept {
        const std::unique_ptr<Asker> asker(static_cast<Asker*>(self));
        std::optional<std::string> refusal;
        if (error != nullptr) refusal = error->text;
        asker->connection->post([refusal = std::move(refusal)](Connection& c) { c.admitted(refusal); });
    }
};

Connection::Connection(Context context, Sessions& sessions, std::shared_ptr<Directory> directory, std::string remote,
                       WebSocket socket)
    : context_(context),
      sessions_(sessions),
      directory_(std::move(directory)),
      session_(make_uuid()),
      remote_(std::move(remote)),
      socket_(std::move(socket)),
      serial_(context) {}

/// Keeps this alive meanwhile, as the task may be what gives up the last share.
template <class Work>
void Connection::post(Work work) {
    const auto self = shared_from_this();
    self->serial_.post([self, work = std::move(work)] { work(*self); });
}

void Connection::message(std::string_view frame) {
    try {
        post([message = websdk::parse(frame)](Connection& c) {
            if (c.state_ == State::ended) return;
            if (c.state_ == State::established) c.unanswered_ = 0;
            std::visit([&](const auto& known) { c.take(known); }, message);
        });
    } catch (const Malformed& failure) {
        context_.debug(remote_ + ": " + failure.what());
    }
}

void Connection::tick(Time now, const KeepAlive& keep_alive) {
    post([=](Connection& c) {
        if (c.state_ == State::ended) return;
        if (!c.asked_) c.asked_ = now;
        if (now - *c.asked_ < keep_alive.interval) return;
        c.asked_ = now;
        if (c.unanswered_ >= keep_alive.most_unanswered) {
            c.context_.info(c.remote_ + (c.state_ == State::established ? " answers no ping any more; it is given up"
                                                                        : " does not connect; it is given up"));
            return c.finish(reason::disconnected, TD_WEBSOCKET_POLICY);
        }
        ++c.unanswered_;
        c.send(websdk::ping());
    });
}

void Connection::end(std::string_view why) {
    post([why = std::string(why)](Connection& c) { c.finish(why, TD_WEBSOCKET_NORMAL); });
}

void Connection::relay(const std::string& media_session, const websdk::StreamEvent& event) {
    post([=](const Connection& c) {
        if (c.streams_.contains(media_session)) c.send(websdk::stream_event(media_session, event));
    });
}

void Connection::take(const websdk::Ping&) {
    send(websdk::pong());
}

void Connection::take(const websdk::Connect& message) {
    if (state_ != State::waiting) return;
    state_ = State::admitting;
    connect_ = message;
    const auto* streams = context_.service<td_streams>(TD_STREAMS);
    if (streams == nullptr) return admitted("this host has no streams");
    std::vector<td_attribute> attributes;
    for (const auto& [key, value] : connect_.attributes) attributes.push_back({text_of(key), text_of(value)});
    auto info = stream_info("", "webrtc");
    info.session = text_of(session_);
    info.login = text_of(connect_.login);
    info.application = text_of(connect_.application);
    info.remote = text_of(remote_);
    info.attributes = attributes.data();
    info.attribute_count = attributes.size();
    auto asker = std::make_unique<Asker>(Asker{shared_from_this()});
    streams->admit(context_.get(), TD_CONNECT, &info, &Asker::done, asker.release());
}

void Connection::admitted(const std::optional<std::string>& refusal) {
    if (state_ != State::admitting) return;
    if (refusal) {
        context_.info(remote_ + " may not connect to " + websdk::for_log(connect_.application) + ": " + *refusal);
        send(websdk::connection_failed(*refusal));
        return finish(reason::restricted, TD_WEBSOCKET_POLICY);
    }
    state_ = State::established;
    unanswered_ = 0;
    directory_->establish({session_, connect_.application, connect_.login, connect_.client_version, connect_.custom,
                           connect_.media_providers, now_ms()});
    const auto& own = connect_.auth_token;
    send(websdk::user_data(connect_, session_, own.empty() ? make_uuid() : own));
    connect_.sent.clear();
}

void Connection::take(const websdk::StreamRequest& message) {
    if (state_ != State::established || message.media_session.empty()) return;
    const auto& id = message.media_session;
    const Stream stream{message.name, message.publishes, message.has_video, message.has_audio, message.record};
    if (!message.is_whole() || streams_.size() >= most_streams) return tell(id, stream, "FAILED", reason::error);
    if (!directory_->claim({shared_from_this(), id}, message.name, message.publishes))
        return tell(id, stream, "FAILED", reason::session_in_use);
    streams_.emplace(id, stream);

    SessionRequest request;
    request.publishes = message.publishes;
    request.media_session = id;
    request.name = message.name;
    request.session = session_;
    request.login = connect_.login;
    request.application = connect_.application;
    request.remote = remote_;
    request.offer = message.offer;
    if (message.publishes) request.record = message.record ? TD_RECORD_YES : TD_RECORD_NO;
    // The stream's own come first, so they win.
    request.attributes = message.attributes;
    request.attributes.insert(request.attributes.end(), connect_.attributes.begin(), connect_.attributes.end());
    sessions_.open(std::move(request), std::make_shared<Events>(shared_from_this(), id));
}

void Connection::take(const websdk::StreamStop& message) {
    const auto found = streams_.find(message.media_session);
    if (found == streams_.end() || std::exchange(found->second.is_stopping, true)) return;
    sessions_.close(message.media_session, std::string(reason::by_user));
}

void Connection::take(const websdk::AvailabilityRequest& message) {
    if (state_ != State::established) return;
    const bool is_there = is_published(context_, message.name);
    send(websdk::availability(message.media_session, is_there, is_there ? std::string_view() : reason::not_found));
}

void Connection::take(const websdk::StreamEvent& message) {
    const auto found = streams_.find(message.media_session);
    if (found == streams_.end() || !found->second.publishes || !message.is_for_players()) return;
    for (const auto& player : directory_->players(found->second.name))
        player.connection->relay(player.media_session, message);
}

/// Nobody here does anything with the data, but each client waits for an answer.
void Connection::take(const websdk::DataRequest& message) {
    if (state_ != State::established || message.operation.empty()) return;
    const bool is_for_room = connect_.application == room_application;
    send(websdk::data_status(message.operation, !is_for_room, is_for_room ? "this server has no rooms" : ""));
}

void Connection::answered(const std::string& media_session, const std::string& sdp) {
    const auto found = streams_.find(media_session);
    if (found == streams_.end() || found->second.is_stopping) return;
    send(websdk::remote_sdp(media_session, sdp));
}

void Connection::started(const std::string& media_session) {
    const auto found = streams_.find(media_session);
    if (found == streams_.end() || found->second.is_stopping) return;
    tell(media_session, found->second, found->second.publishes ? "PUBLISHING" : "PLAYING");
}

/// A client that stops closes its side at once, which may look like a failure before the stop is through.
void Connection::stream_ended(const std::string& media_session, bool failed, const std::string& why,
                              const std::string& record_name) {
    directory_->release(media_session);
    const auto found = streams_.extract(media_session);
    if (!found) return;
    const Stream& stream = found.mapped();
    if (failed && !stream.is_stopping) return tell(media_session, stream, "FAILED", why, record_name);
    tell(media_session, stream, stream.publishes ? "UNPUBLISHED" : "STOPPED", failed ? reason::by_user : why,
         record_name);
}

void Connection::tell(const std::string& media_session, const Stream& stream, std::string_view status,
                      std::string_view info, std::string_view record_name) {
    send(websdk::status({media_session, stream.name, status, stream.publishes, stream.has_video, stream.has_audio,
                         stream.record, info, record_name}));
}

void Connection::send(std::string_view frame) const {
    if (socket_) socket_->send(frame);
}

/// What `sessions_` still says is heard, so that the media sessions are released, and told to nobody.
void Connection::finish(std::string_view why, std::int32_t code) {
    if (std::exchange(state_, State::ended) == State::ended) return;
    directory_->remove(session_);
    for (const auto& [media_session, stream] : streams_)
        if (!stream.is_stopping) sessions_.close(media_session, std::string(why));
    socket_->hang_up(code, why);
    socket_.reset();
}

}  // namespace tapedeck::webrtc
