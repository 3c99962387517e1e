// The plugin at work: ports, threads and connections, and what is pulled.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <mutex>
#include <vector>

#include "io_thread.hpp"
#include "pulls.hpp"
#include "session.hpp"
#include "settings.hpp"
#include "tls.hpp"

namespace tapedeck::rtmp {

/// Takes connections on one port. Its members run on one io thread once it listens.
class Listener;

/// [control] but for `take`.
class Server {
public:
    /// Opens the ports. Throws Error naming address, port and setting when one cannot be had.
    explicit Server(Context context);
    ~Server();

    /// Opens /rest-api/pull, once for a host.
    void serve_rest();
    /// Reads RELOAD settings and the certificate anew. Connections keep what they began with; on failure all stays.
    void reload();
    /// Ends all connections. The host is not called afterwards.
    void stop();

    /// A fresh connection, on the first io thread.
    void take(boost::asio::ip::tcp::socket socket, IoThread& thread, bool with_tls);
    /// [any] The thread for the next connection.
    IoThread& next_thread();

private:
    struct Current {
        std::shared_ptr<const Settings> settings;
        std::shared_ptr<TlsContext> tls;
    };
    Current read_settings() const;
    Current current() const;
    void listen(std::uint16_t port, const td_key& key, bool with_tls);

    Context context_;
    Shared shared_;
    mutable std::mutex mutex_;  // of current_
    Current current_;
    std::vector<std::unique_ptr<IoThread>> threads_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::unique_ptr<Pulls> pulls_;
    std::atomic<std::size_t> turn_ = 0;
    std::uint64_t turned_away_ = 0;
    std::chrono::steady_clock::time_point told_{};
};

}  // namespace tapedeck::rtmp
