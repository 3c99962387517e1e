// TLS 1.2 and 1.3 over sockets that never wait, a server's and a client's.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtmp {

/// A server's certificate chain and its key, or what a client trusts. Shared by the sessions that began with it.
class TlsContext {
public:
    /// Throws Error naming the file that cannot be used and the setting that names it.
    TlsContext(const std::string& certificate, const std::string& key);

    /// A client's. `verifies`: servers must show a certificate for their name that the system's authorities signed.
    static std::shared_ptr<TlsContext> of_client(bool verifies);

    SSL_CTX* get() const { return context_.get(); }

private:
    explicit TlsContext(const SSL_METHOD* method);

    struct Free {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };
    std::unique_ptr<SSL_CTX, Free> context_;
};

/// One connection. Borrows the descriptor. Stays where it is made.
class TlsSession {
public:
    /// `server`: the name or address of the server that a client speaks to; empty on the server's side.
    TlsSession(std::shared_ptr<TlsContext> context, int descriptor, const std::string& server = {});

    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    enum class Outcome : std::uint8_t { done, would_block, ended };
    struct Result {
        Outcome outcome = Outcome::done;
        std::size_t size = 0;
        std::string why;  // of `ended`
    };
    Result read(std::span<std::uint8_t> into);
    Result write(ByteSpan bytes);
    /// The handshake is over.
    bool is_open() const { return SSL_is_init_finished(session_.get()) == 1; }
    /// Says to the peer that nothing more comes.
    void finish();

private:
    struct Free {
        void operator()(SSL* session) const { SSL_free(session); }
    };
    Result outcome(int returned) const;

    int descriptor_;
    std::shared_ptr<TlsContext> context_;
    std::unique_ptr<SSL, Free> session_;
};

}  // namespace tapedeck::rtmp
