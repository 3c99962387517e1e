// A client's connection, plain or over TLS, with a deadline for every wait.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace boost::asio::ssl {
class context;
}

namespace tapedeck::host::api {

/// Lives on one executor that runs one thing at a time; everything is called there. Failures, the end of the
/// connection and a deadline that passed are thrown as boost::system::system_error. One coroutine may read while
/// another one writes.
class Wire : public std::enable_shared_from_this<Wire> {
public:
    using Duration = std::chrono::milliseconds;
    template <class Result>
    using Awaitable = boost::asio::awaitable<Result>;

    Wire(const boost::asio::any_io_executor& executor, std::string remote)
        : reading_(executor), writing_(executor), remote_(std::move(remote)) {}
    virtual ~Wire() = default;

    virtual bool is_secure() const = 0;
    /// The TLS handshake.
    virtual Awaitable<void> open(Duration limit) = 0;
    /// Reads at least one byte.
    virtual Awaitable<std::size_t> read(std::span<char> into, Duration limit) = 0;
    /// Writes all of it; the client must take something within each `limit`.
    virtual Awaitable<void> write(std::string_view bytes, Duration limit) = 0;
    /// A descriptor of its own for this connection, through which files may be sent past this object while nothing else
    /// is written; -1 where bytes must go through it, as TLS does, or none can be had. The caller closes it.
    virtual int bypass() = 0;
    /// Waits until the client takes more of what went past.
    virtual Awaitable<void> writable(Duration limit) = 0;
    /// Says goodbye, then reads and drops what the client still sends, so that it gets to read its answer. Never
    /// throws.
    virtual Awaitable<void> finish(Duration limit) = 0;

    /// Ends everything that waits, at once. Idempotent.
    void close();
    /// The client's address; IPv4 in its own form also when it came over IPv6.
    const std::string& remote() const { return remote_; }
    boost::asio::any_io_executor executor() { return reading_.timer.get_executor(); }

protected:
    /// Its timer is left running from wait to wait: setting one costs more than the wait that seldom lasts.
    struct Deadline {
        using Clock = std::chrono::steady_clock;
        static constexpr auto never = Clock::time_point::max();

        explicit Deadline(const boost::asio::any_io_executor& executor) : timer(executor) {}
        boost::asio::steady_timer timer;
        Clock::time_point at = never;
        bool is_running = false;
    };
    /// Closes the connection when `limit` passes before `deadline` is armed again or disarmed.
    void arm(Deadline& deadline, Duration limit);
    static void disarm(Deadline& deadline) { deadline.at = Deadline::never; }
    virtual boost::asio::ip::tcp::socket& socket() = 0;

    Deadline reading_, writing_;

private:
    void run_timer(Deadline& deadline);

    std::string remote_;
};

std::shared_ptr<Wire> make_plain_wire(boost::asio::ip::tcp::socket socket);
/// The context is kept as long as the connection.
std::shared_ptr<Wire> make_tls_wire(boost::asio::ip::tcp::socket socket,
                                    std::shared_ptr<boost::asio::ssl::context> context);

}  // namespace tapedeck::host::api
