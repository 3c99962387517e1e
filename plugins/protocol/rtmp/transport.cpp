#include "transport.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tapedeck::rtmp {

namespace net = boost::asio;

namespace {

std::string text(const net::ip::tcp::endpoint& endpoint) {
    const auto address = endpoint.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        const auto v4 = net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6());
        return v4.to_string() + ":" + std::to_string(endpoint.port());
    }
    const auto host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
    return host + ":" + std::to_string(endpoint.port());
}

}  // namespace

Transport::Transport(Socket socket, std::shared_ptr<TlsContext> tls, const std::string& server)
    : socket_(std::move(socket)), protocol_(net::ip::tcp::v4()), descriptor_(socket_.native_handle()) {
    boost::system::error_code error;
    const auto local = socket_.local_endpoint(error);
    if (!error) protocol_ = local.protocol(), local_ = text(local);
    const auto remote = socket_.remote_endpoint(error);
    remote_ = error ? "unknown address" : text(remote);
    socket_.native_non_blocking(true, error);
    socket_.set_option(net::ip::tcp::no_delay(true), error);
    socket_.set_option(net::socket_base::keep_alive(true), error);
    if (tls) tls_ = std::make_unique<TlsSession>(std::move(tls), descriptor_, server);
}

Transport::~Transport() {
    close();
}

std::size_t Transport::available() const {
    int bytes = 0;
    if (tls_ || descriptor_ < 0 || ::ioctl(descriptor_, FIONREAD, &bytes) != 0) return 0;
    return static_cast<std::size_t>(bytes);
}

ReadResult Transport::read(std::span<std::uint8_t> into) {
    if (descriptor_ < 0) return {0, true, true, "closed"};
    if (tls_) {
        auto result = tls_->read(into);
        return {result.size, result.size < into.size(), result.outcome == TlsSession::Outcome::ended,
                std::move(result.why)};
    }
    const auto got = ::recv(descriptor_, into.data(), into.size(), 0);
    if (got > 0) return {static_cast<std::size_t>(got), static_cast<std::size_t>(got) < into.size(), false, {}};
    if (got == 0) return {0, true, true, "the peer closed the connection"};
    if (errno == EAGAIN || errno == EINTR) return {0, true, false, {}};
    return {0, true, true, std::strerror(errno)};
}

std::size_t Transport::write(ByteSpan bytes) {
    if (descriptor_ < 0) return bytes.size();
    if (tls_) {
        const auto result = tls_->write(bytes);
        return result.outcome == TlsSession::Outcome::ended ? bytes.size() : result.size;
    }
    const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    return errno == EAGAIN || errno == EINTR ? 0 : bytes.size();
}

void Transport::attach() {
    if (!is_detached_ || descriptor_ < 0) return;
    socket_.assign(protocol_, descriptor_);
    is_detached_ = false;
}

void Transport::detach() {
    if (is_detached_ || descriptor_ < 0) return;
    boost::system::error_code error;
    descriptor_ = socket_.release(error);
    is_detached_ = true;
}

void Transport::wait_readable(std::function<void(bool)> handler) {
    socket_.async_wait(Socket::wait_read, [handler = std::move(handler)](auto error) { handler(!error); });
}

void Transport::wait_writable(std::function<void(bool)> handler) {
    socket_.async_wait(Socket::wait_write, [handler = std::move(handler)](auto error) { handler(!error); });
}

void Transport::finish_sending() {
    if (descriptor_ < 0) return;
    if (tls_) tls_->finish();
    ::shutdown(descriptor_, SHUT_WR);
}

void Transport::close() {
    if (descriptor_ < 0) return;
    boost::system::error_code error;
    if (is_detached_)
        ::close(descriptor_);
    else
        socket_.close(error);
    descriptor_ = -1;
    is_detached_ = false;
}

}  // namespace tapedeck::rtmp
