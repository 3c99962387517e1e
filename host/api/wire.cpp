#include "api/wire.hpp"

#include <fcntl.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace tapedeck::host::api {
namespace {

namespace net = boost::asio;
using tcp = net::ip::tcp;

constexpr std::size_t most_dropped = 64u << 20;  // of what a client still sends after its answer

std::string address_of(const tcp::socket& socket) {
    boost::system::error_code failure;
    const auto endpoint = socket.remote_endpoint(failure);
    if (failure) return {};
    const auto address = endpoint.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6()).to_string();
    }
    return address.to_string();
}

/// What both kinds do alike; they differ in how a connection begins and ends.
template <class Stream>
class StreamWire : public Wire {
public:
    template <class... Args>
    explicit StreamWire(tcp::socket socket, Args&... args)
        : Wire(socket.get_executor(), address_of(socket)), stream_(std::move(socket), args...) {}

    Awaitable<std::size_t> read(std::span<char> into, Duration limit) override {
        arm(reading_, limit);
        const auto count = co_await stream_.async_read_some(net::buffer(into.data(), into.size()), net::use_awaitable);
        disarm(reading_);
        co_return count;
    }

    Awaitable<void> write(std::string_view bytes, Duration limit) override {
        while (!bytes.empty()) {
            arm(writing_, limit);
            bytes.remove_prefix(
                co_await stream_.async_write_some(net::buffer(bytes.data(), bytes.size()), net::use_awaitable));
        }
        disarm(writing_);
    }

    Awaitable<void> writable(Duration limit) override {
        arm(writing_, limit);
        co_await socket().async_wait(tcp::socket::wait_write, net::use_awaitable);
        disarm(writing_);
    }

protected:
    Awaitable<void> drop_rest() {
        boost::system::error_code failure;
        socket().shutdown(tcp::socket::shutdown_send, failure);
        std::array<char, 4096> dropped;
        for (std::size_t count = 0; !failure && count < most_dropped;) {
            const auto [error, got] =
                co_await socket().async_read_some(net::buffer(dropped), net::as_tuple(net::use_awaitable));
            failure = error;
            count += got;
        }
        close();
    }

    Stream stream_;
};

class PlainWire final : public StreamWire<tcp::socket> {
public:
    explicit PlainWire(tcp::socket socket) : StreamWire(std::move(socket)) {
        boost::system::error_code ignored;  // the first read says what is wrong
        stream_.non_blocking(true, ignored);
    }
    bool is_secure() const override { return false; }
    Awaitable<void> open(Duration) override { co_return; }
    int bypass() override { return ::fcntl(socket().native_handle(), F_DUPFD_CLOEXEC, 0); }
    Awaitable<void> finish(Duration limit) override {
        arm(reading_, limit);
        co_await drop_rest();
    }

protected:
    tcp::socket& socket() override { return stream_; }
};

class TlsWire final : public StreamWire<net::ssl::stream<tcp::socket>> {
public:
    TlsWire(tcp::socket socket, std::shared_ptr<net::ssl::context> context)
        : StreamWire(std::move(socket), *context), context_(std::move(context)) {}
    bool is_secure() const override { return true; }
    int bypass() override { return -1; }

    Awaitable<void> open(Duration limit) override {
        arm(reading_, limit);
        co_await stream_.async_handshake(net::ssl::stream_base::server, net::use_awaitable);
        disarm(reading_);
    }

    Awaitable<void> finish(Duration limit) override {
        arm(reading_, limit);
        co_await stream_.async_shutdown(net::as_tuple(net::use_awaitable));  // fails where the client still sends
        co_await drop_rest();
    }

protected:
    tcp::socket& socket() override { return stream_.next_layer(); }

private:
    std::shared_ptr<net::ssl::context> context_;
};

}  // namespace

void Wire::arm(Deadline& deadline, Duration limit) {
    deadline.at = Deadline::Clock::now() + limit;
    if (!deadline.is_running || deadline.timer.expiry() > deadline.at) run_timer(deadline);
}

void Wire::run_timer(Deadline& deadline) {
    deadline.is_running = true;
    deadline.timer.expires_at(deadline.at);
    deadline.timer.async_wait([weak = weak_from_this(), &deadline](boost::system::error_code replaced) {
        const auto self = replaced ? nullptr : weak.lock();
        if (!self) return;
        deadline.is_running = false;
        if (deadline.at <= Deadline::Clock::now()) return self->close();
        if (deadline.at != Deadline::never) self->run_timer(deadline);
    });
}

void Wire::close() {
    reading_.timer.cancel();
    writing_.timer.cancel();
    boost::system::error_code ignored;
    socket().shutdown(tcp::socket::shutdown_both, ignored);  // for who still sends through a bypass
    socket().close(ignored);
}

std::shared_ptr<Wire> make_plain_wire(tcp::socket socket) {
    return std::make_shared<PlainWire>(std::move(socket));
}

std::shared_ptr<Wire> make_tls_wire(tcp::socket socket, std::shared_ptr<net::ssl::context> context) {
    return std::make_shared<TlsWire>(std::move(socket), std::move(context));
}

}  // namespace tapedeck::host::api
