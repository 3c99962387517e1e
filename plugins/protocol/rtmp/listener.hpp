// One port that takes connections.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "tapedeck/context.hpp"

namespace tapedeck::rtmp {

/// Runs on the thread of `context`.
class Listener {
public:
    using Socket = boost::asio::ip::tcp::socket;
    /// Where the next connection will live, and what becomes of it.
    using NextContext = std::function<boost::asio::io_context&()>;
    using Take = std::function<void(Socket)>;

    /// Binds. Throws Error naming address, port and `key`.
    Listener(Context host, boost::asio::io_context& context, const std::string& address, std::uint16_t port,
             const td_key& key);

    std::uint16_t port() const { return port_; }
    /// [any], once.
    void start(NextContext next, Take take);
    /// On its thread.
    void close();

private:
    void accept();

    Context host_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer pause_;
    std::uint16_t port_ = 0;
    NextContext next_;
    Take take_;
};

}  // namespace tapedeck::rtmp
