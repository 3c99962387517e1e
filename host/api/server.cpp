#include "api/server.hpp"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "api/keys.hpp"
#include "api/session.hpp"
#include "api/tls.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/thread_name.hpp"

namespace tapedeck::host::api {
namespace {

namespace net = boost::asio;
using tcp = net::ip::tcp;
using namespace std::chrono_literals;
using TlsContext = std::shared_ptr<net::ssl::context>;

constexpr auto pause_after_failed_accept = 500ms;  // also how often the log says so

/// Opens, binds and listens, and gives the port; the family is the address's own, `*` is IPv6 with IPv4 where there is
/// IPv6.
std::uint16_t listen(tcp::acceptor& acceptor, const std::string& address, std::uint16_t port, const char* setting) {
    const auto fail = [&](const boost::system::error_code& failure) {
        throw Error(fmt::format("{} = {}: cannot listen on {}:{}: {}; choose another port, or 0 for any free one",
                                setting, port, address, port, failure.message()));
    };
    boost::system::error_code failure;
    const bool all = address == "*";
    const auto parsed = all ? net::ip::address(net::ip::address_v6::any()) : net::ip::make_address(address, failure);
    if (failure) {
        throw Error(
            fmt::format("{} = {}: not an IPv4 or IPv6 address; `*` is all of them", http_address.name, address));
    }
    tcp::endpoint endpoint(parsed, port);
    acceptor.open(endpoint.protocol(), failure);
    if (failure && all) {
        endpoint = {net::ip::address_v4::any(), port};
        acceptor.open(endpoint.protocol(), failure);
    }
    if (failure) fail(failure);
    if (endpoint.address().is_v6()) acceptor.set_option(net::ip::v6_only(!all), failure);
    acceptor.set_option(tcp::acceptor::reuse_address(true), failure);
    acceptor.set_option(tcp::no_delay(true), failure);  // which its connections inherit
    acceptor.bind(endpoint, failure);
    if (failure) fail(failure);
    acceptor.listen(net::socket_base::max_listen_connections, failure);
    if (failure) fail(failure);
    return acceptor.local_endpoint().port();
}

/// Counts one connection for as long as it lives.
class Counted {
public:
    explicit Counted(metrics::Value& gauge) : gauge_(gauge) { gauge_ += 1; }
    ~Counted() { gauge_ -= 1; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

private:
    metrics::Value& gauge_;
};

TlsContext make_context(const ServerOptions& options) {
    if (options.certificate.empty() != options.key.empty()) {
        throw Error(fmt::format("{} is set without {}", (options.key.empty() ? tls_certificate : tls_key).name,
                                (options.key.empty() ? tls_key : tls_certificate).name));
    }
    if (!options.certificate.empty()) return tls_context({options.certificate, options.key});
    return tls_context(self_signed(options.conf_folder));
}

}  // namespace

class Server::Body {
public:
    Body(const ServerOptions& options, const Router& router, Workers& workers)
        : options_(std::make_shared<const ServerOptions>(options)),
          router_(router),
          workers_(workers),
          is_one_thread_(options.threads == 1),
          io_(is_one_thread_ ? 1 : BOOST_ASIO_CONCURRENCY_HINT_DEFAULT) {
        if (options.http) open(http_, options.http_port, api::http_port.name, false, Serves::Requests);
        if (options.https) {
            tls_ = make_context(options);
            open(https_, options.https_port, api::https_port.name, true, Serves::Requests);
        }
    }

    void start() {
        if (http_) accept_on(*http_);
        if (https_) accept_on(*https_);
        for (std::size_t i = 0; i < options()->threads; ++i) {
            threads_.emplace_back([this] { work(); });
        }
    }

    void open_websocket_ports() {
        const auto now = options();
        if (http_ && !ws_) open_websocket_port(ws_, now->ws_port, api::ws_port.name, false, now->ws_required);
        if (https_ && !wss_) open_websocket_port(wss_, now->wss_port, api::wss_port.name, true, now->wss_required);
        ws_port_ = ws_ ? ws_->port : 0;
        wss_port_ = wss_ ? wss_->port : 0;
    }

    void stop(std::chrono::milliseconds grace) {
        if (stopping_.exchange(true)) return;
        for (auto* listener : {&http_, &https_, &ws_, &wss_}) {
            if (!*listener) continue;
            auto& acceptor = (*listener)->acceptor;
            net::post(acceptor.get_executor(), [&acceptor] {
                boost::system::error_code ignored;
                acceptor.close(ignored);
            });
        }
        for_each_session([](Session& session) { session.close_when_idle(); });
        {
            std::unique_lock lock(mutex_);
            const auto none = [this] { return sessions_.empty(); };
            if (!threads_.empty() && !ended_.wait_for(lock, grace, none)) {
                lock.unlock();
                for_each_session([](Session& session) { session.close(); });
                lock.lock();
                ended_.wait_for(lock, 1s, none);
            }
        }
        io_.stop();
        for (auto& thread : threads_) thread.join();
    }

    void reload(const ServerOptions& options) {
        auto context = https_ ? make_context(options) : nullptr;
        const std::lock_guard lock(mutex_);
        tls_ = std::move(context);
        options_ = std::make_shared<const ServerOptions>(options);
    }

    std::uint16_t http_port() const { return http_ ? http_->port : 0; }
    std::uint16_t https_port() const { return https_ ? https_->port : 0; }
    std::uint16_t ws_port() const { return ws_port_; }
    std::uint16_t wss_port() const { return wss_port_; }

private:
    struct Listener {
        tcp::acceptor acceptor;
        bool secure;
        Serves serves;
        std::uint16_t port;
    };

    void open(std::optional<Listener>& listener, std::uint16_t port, const char* setting, bool secure, Serves serves) {
        tcp::acceptor acceptor(make_executor());
        port = listen(acceptor, options()->address, port, setting);
        listener.emplace(Listener{std::move(acceptor), secure, serves, port});
    }

    void open_websocket_port(std::optional<Listener>& listener, std::uint16_t port, const char* setting, bool secure,
                             bool required) {
        try {
            open(listener, port, setting, secure, Serves::WebSockets);
            accept_on(*listener);
        } catch (const Error& failure) {
            if (required) throw;
            log::warning("{}", failure.what());
        }
    }

    /// Runs one thing at a time, which a thread alone does by itself.
    net::any_io_executor make_executor() {
        if (is_one_thread_) return io_.get_executor();
        return net::make_strand(io_);
    }

    void accept_on(Listener& listener) {
        net::co_spawn(listener.acceptor.get_executor(), accept(listener), net::detached);
    }

    std::shared_ptr<const ServerOptions> options() const {
        const std::lock_guard lock(mutex_);
        return options_;
    }

    void work() {
        name_thread("http");
        while (true) {
            try {
                io_.run();
                return;
            } catch (const std::exception& failure) {
                log::error("http: {}", failure.what());
            }
        }
    }

    net::awaitable<void> accept(Listener& listener) {
        auto& acceptor = listener.acceptor;
        net::steady_timer pause(acceptor.get_executor());
        while (!stopping_) {
            auto [failure, socket] = co_await acceptor.async_accept(make_executor(), net::as_tuple(net::use_awaitable));
            if (stopping_) co_return;
            if (failure) {  // most likely no descriptors are left; those in use go on
                log::warning("http: a connection could not be accepted: {}", failure.message());
                pause.expires_after(pause_after_failed_accept);
                co_await pause.async_wait(net::as_tuple(net::use_awaitable));
                continue;
            }
            serve(std::move(socket), listener.secure, listener.serves);
        }
    }

    void serve(tcp::socket socket, bool secure, Serves serves) {
        std::shared_ptr<Session> session;
        {
            const std::lock_guard lock(mutex_);
            if (sessions_.size() >= options_->connections) {
                metrics::counter("tapedeck_http_refused_connections_total", "",
                                 "Connections beyond http.max_connections") += 1;
                return;
            }
            auto wire = secure ? make_tls_wire(std::move(socket), tls_) : make_plain_wire(std::move(socket));
            session = std::make_shared<Session>(std::move(wire), options_, router_, workers_, stopping_, serves);
            sessions_.insert(session);
        }
        net::co_spawn(
            session->executor(), [this, session] { return run(session); }, net::detached);
    }

    net::awaitable<void> run(std::shared_ptr<Session> session) {
        const Counted counted(connections_);
        co_await session->run();
        const std::lock_guard lock(mutex_);
        sessions_.erase(session);
        if (sessions_.empty()) ended_.notify_all();
    }

    template <class Act>
    void for_each_session(Act act) {
        const std::lock_guard lock(mutex_);
        for (const auto& session : sessions_) net::post(session->executor(), [session, act] { act(*session); });
    }

    mutable std::mutex mutex_;
    std::shared_ptr<const ServerOptions> options_;
    TlsContext tls_;
    const Router& router_;
    Workers& workers_;
    std::atomic<bool> stopping_ = false;
    std::condition_variable ended_;
    metrics::Value& connections_ = metrics::gauge("tapedeck_http_connections", "", "Open HTTP connections");
    const bool is_one_thread_;
    net::io_context io_;
    std::optional<Listener> http_, https_, ws_, wss_;
    std::atomic<std::uint16_t> ws_port_ = 0, wss_port_ = 0;  // opened while requests are answered already
    std::set<std::shared_ptr<Session>> sessions_;            // shared with the coroutine that runs it
    std::vector<std::thread> threads_;
};

Server::Server(const ServerOptions& options, const Router& router, Workers& workers)
    : body_(std::make_unique<Body>(options, router, workers)) {}

Server::~Server() {
    stop();
}

void Server::start() {
    body_->start();
}
void Server::open_websocket_ports() {
    body_->open_websocket_ports();
}
void Server::stop(std::chrono::milliseconds grace) {
    body_->stop(grace);
}
void Server::reload(const ServerOptions& options) {
    body_->reload(options);
}
std::uint16_t Server::http_port() const {
    return body_->http_port();
}
std::uint16_t Server::https_port() const {
    return body_->https_port();
}
std::uint16_t Server::ws_port() const {
    return body_->ws_port();
}
std::uint16_t Server::wss_port() const {
    return body_->wss_port();
}

}  // namespace tapedeck::host::api
