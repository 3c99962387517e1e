// One TCP connection, plain or through TLS: bytes in as messages and packets, messages out.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "message.hpp"
#include "socket.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::rtsp {

/// How TLS is spoken to cameras. Cheap to copy.
class TlsClient {
public:
    /// `ca_file`: PEM file of who may vouch for a camera; empty: certificates are not checked, as cameras make their
    /// own. Throws Error naming the file.
    explicit TlsClient(const std::string& ca_file);
    /// A session for this host on a connected socket.
    SSL* session(int descriptor, const std::string& host) const;

private:
    std::shared_ptr<SSL_CTX> context_;
    bool checks_;
};

/// Who takes what comes, in its order.
class Incoming {
public:
    virtual ~Incoming() = default;
    /// False: nothing more is wanted of this connection.
    virtual bool message(const Message& message) = 0;
    /// An interleaved packet; it lies in `buffer`.
    virtual void packet(std::uint8_t channel, ByteSpan packet, const Buffer& buffer) = 0;
};

/// Owns the socket. Nothing waits. One thread.
class Connection {
public:
    /// `tls` is owned; null: plain.
    Connection(Context context, Descriptor socket, SSL* tls);

    int descriptor() const { return socket_.get(); }
    /// What has come. Throws Error when the connection has ended, telling why, and Malformed.
    void read(Incoming& incoming);
    /// Throws Error when the peer takes nothing any more.
    void send(std::string_view bytes);
    /// Sends what waits; false when some still does.
    bool flush();

private:
    std::size_t receive(std::span<std::uint8_t> into);

    struct Free {
        void operator()(SSL* session) const { ::SSL_free(session); }
    };
    Context context_;
    Descriptor socket_;
    std::unique_ptr<SSL, Free> tls_;
    Bytes rest_;             // of what is not whole yet
    std::size_t needs_ = 0;  // its size when it is whole, where that is known
    std::string out_;
};

}  // namespace tapedeck::rtsp
