#include "server.hpp"

#include <boost/asio/post.hpp>
#include <future>

#include "listener.hpp"

namespace tapedeck::rtmp {

Server::Server(Context context) : context_(context), shared_(context), current_(read_settings()) {
    if (context_.service<td_streams>(TD_STREAMS) == nullptr) throw Error(TD_UNSUPPORTED, "this host has no streams");
    const auto settings = current_.settings;
    for (std::size_t i = 0; i < settings->threads; ++i) threads_.push_back(std::make_unique<IoThread>(context_));
    listen(settings->port, keys::port, false);
    if (settings->offers_tls()) listen(settings->tls_port, keys::tls_port, true);
    for (const auto& thread : threads_) thread->start();
}

void Server::serve_rest() {
    pulls_ = std::make_unique<Pulls>(
        shared_, [this] { return current().settings; }, [this]() -> IoThread& { return next_thread(); });
}

Server::~Server() {
    stop();
}

Server::Current Server::read_settings() const {
    Current fresh;
    fresh.settings = std::make_shared<const Settings>(Settings::read(context_));
    if (fresh.settings->offers_tls())
        fresh.tls = std::make_shared<TlsContext>(fresh.settings->certificate, fresh.settings->key);
    return fresh;
}

Server::Current Server::current() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

void Server::reload() {
    auto fresh = read_settings();
    const std::lock_guard lock(mutex_);
    current_ = std::move(fresh);
}

void Server::listen(std::uint16_t port, const td_key& key, bool with_tls) {
    const auto& address = current_.settings->address;
    auto& listener =
        *listeners_.emplace_back(std::make_unique<Listener>(context_, threads_.front()->context(), address, port, key));
    context_.listening(with_tls ? "rtmps" : "rtmp", listener.port());
    context_.info((with_tls ? "RTMPS listens on " : "RTMP listens on ") + address + " port " +
                  std::to_string(listener.port()));
    const auto chosen = std::make_shared<IoThread*>();
    listener.start(
        [this, chosen]() -> boost::asio::io_context& {
            *chosen = &next_thread();
            return (*chosen)->context();
        },
        [this, chosen, with_tls](Listener::Socket socket) { take(std::move(socket), **chosen, with_tls); });
}

IoThread& Server::next_thread() {
    return *threads_[turn_++ % threads_.size()];
}

void Server::take(Listener::Socket socket, IoThread& thread, bool with_tls) {
    const auto now = current();
    const auto limit = now.settings->max_connections;
    if (shared_.connections >= static_cast<std::int64_t>(limit)) {
        ++turned_away_;
        if (std::chrono::steady_clock::now() - told_ < std::chrono::seconds(1)) return;
        told_ = std::chrono::steady_clock::now();
        context_.warning(std::to_string(std::exchange(turned_away_, 0)) + " connections turned away: " +
                         std::to_string(limit) + " are open; setting 'protocol.rtmp.max_connections'");
        return;
    }
    auto tls = with_tls ? now.tls : nullptr;
    if (with_tls && !tls) return;
    auto session = std::make_shared<Session>(shared_, thread, now.settings, std::move(socket), std::move(tls));
    boost::asio::post(thread.context(), [session = std::move(session)] { session->begin(); });
}

void Server::stop() {
    if (pulls_) pulls_->stop();
    if (!listeners_.empty()) {
        // Closed on their own thread, which still runs.
        std::promise<void> closed;
        boost::asio::post(threads_.front()->context(), [&] {
            for (const auto& listener : listeners_) listener->close();
            closed.set_value();
        });
        closed.get_future().wait();
        listeners_.clear();
    }
    for (const auto& thread : threads_) thread->stop("the server stops");
}

}  // namespace tapedeck::rtmp
