// TLS 1.2 and 1.3 of one server certificate, over sockets that never wait.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtmp {

/// A certificate chain and its key. Shared by the sessions that began with it.
class TlsContext {
public:
    /// Throws Error naming the file that cannot be used and the setting that names it.
    TlsContext(const std::string& certificate, const std::string& key);

    SSL_CTX* get() const { return context_.get(); }

private:
    struct Free {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };
    std::unique_ptr<SSL_CTX, Free> context_;
};

/// One connection. Borrows the descriptor. Stays where it is made.
class TlsSession {
public:
    TlsSession(std::shared_ptr<TlsContext> context, int descriptor);

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
