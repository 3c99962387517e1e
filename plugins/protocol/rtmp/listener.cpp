#include "listener.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>

namespace tapedeck::rtmp {

namespace net = boost::asio;

namespace {

/// Opens, binds and listens; the text says what cannot be done.
std::uint16_t bind(net::ip::tcp::acceptor& acceptor, const net::ip::tcp::endpoint& endpoint) {
    acceptor.open(endpoint.protocol());
    acceptor.set_option(net::socket_base::reuse_address(true));
    if (endpoint.address().is_v6()) acceptor.set_option(net::ip::v6_only(false));
    acceptor.bind(endpoint);
    acceptor.listen();
    return acceptor.local_endpoint().port();
}

}  // namespace

Listener::Listener(Context host, net::io_context& context, const std::string& address, std::uint16_t port,
                   const td_key& key)
    : host_(host), acceptor_(context), pause_(context) {
    boost::system::error_code error;
    const auto parsed = net::ip::make_address(address, error);
    if (error)
        throw Error("setting 'protocol.rtmp.address': '" + address + "' is no IP address; 0.0.0.0 or :: takes all");
    try {
        port_ = bind(acceptor_, {parsed, port});
    } catch (const boost::system::system_error& e) {
        throw Error("cannot listen on " + address + " port " + std::to_string(port) + ": " + e.code().message() +
                    "; choose another with setting 'protocol.rtmp." + key.name + "'");
    }
}

void Listener::start(NextContext next, Take take) {
    next_ = std::move(next);
    take_ = std::move(take);
    net::post(acceptor_.get_executor(), [this] { accept(); });
}

void Listener::close() {
    boost::system::error_code error;
    acceptor_.close(error);
    pause_.cancel();
}

void Listener::accept() {
    acceptor_.async_accept(next_(), [this](boost::system::error_code error, Socket socket) {
        if (error == net::error::operation_aborted) return;
        if (!error) {
            take_(std::move(socket));
            return accept();
        }
        // Out of descriptors, mostly: the connection stays in the queue until there is one.
        host_.warning("cannot take a connection on port " + std::to_string(port_) + ": " + error.message());
        pause_.expires_after(std::chrono::seconds(1));
        pause_.async_wait([this](boost::system::error_code cancelled) {
            if (!cancelled && acceptor_.is_open()) accept();
        });
    });
}

}  // namespace tapedeck::rtmp
