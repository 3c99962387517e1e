// One connection's bytes, plain or through TLS, read and written without waiting.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "tapedeck/media/bytes.hpp"
#include "tls.hpp"

namespace tapedeck::rtmp {

/// What one read brought. `ended`: the peer closed or the connection broke, `why` says how.
struct ReadResult {
    std::size_t size = 0;
    bool is_drained = false;  // nothing more to be had now
    bool ended = false;
    std::string why;
};

/// Owns the socket. Attached, Asio's reactor watches it and waits can be made; detached, nothing wakes the thread when
/// bytes come, and the owner reads when it likes. One thread.
class Transport {
public:
    using Socket = boost::asio::ip::tcp::socket;

    /// `tls` null: plain. The TLS handshake happens within reads and writes; with a name in `server` it is a client's,
    /// whose first word comes with the first read.
    Transport(Socket socket, std::shared_ptr<TlsContext> tls, const std::string& server = {});
    ~Transport();

    /// Whether writes can be had: always, but for the time of a TLS handshake.
    bool is_ready() const { return !tls_ || tls_->is_open(); }
    /// How many bytes wait in the socket; 0 when that is not known, as through TLS.
    std::size_t available() const;
    ReadResult read(std::span<std::uint8_t> into);
    /// How many bytes of `bytes` were taken; fewer when the socket's buffer is full. A broken connection takes all:
    /// reads will tell.
    std::size_t write(ByteSpan bytes);

    void attach();
    void detach();
    bool is_attached() const { return !is_detached_; }
    /// Only while attached; the handler gets false when the wait was ended by detach or close.
    void wait_readable(std::function<void(bool)> handler);
    void wait_writable(std::function<void(bool)> handler);

    /// The peer reads to the end and then sees an orderly close.
    void finish_sending();
    void close();

    const std::string& remote() const { return remote_; }
    const std::string& local() const { return local_; }

private:
    Socket socket_;
    boost::asio::ip::tcp protocol_;
    int descriptor_;
    bool is_detached_ = false;
    std::unique_ptr<TlsSession> tls_;
    std::string remote_, local_;
};

}  // namespace tapedeck::rtmp
