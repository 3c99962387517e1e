// DTLS 1.2 (RFC 6347) with use_srtp (RFC 5764) over datagrams that somebody else carries.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "webrtc/transport/fingerprint.hpp"

namespace tapedeck::webrtc {

/// A certificate and its key with what all sessions share. Any thread; sessions keep it alive.
class DtlsIdentity {
public:
    /// `first_timeout` is that of the first retransmission; it doubles up to 2 s, and after 12 the handshake fails.
    static constexpr std::chrono::microseconds usual_timeout = std::chrono::milliseconds(100);

    /// A self-signed ECDSA P-256 certificate made now.
    static std::shared_ptr<DtlsIdentity> make(std::chrono::microseconds first_timeout = usual_timeout);
    /// From PEM files. Throws Error naming the one that cannot be used.
    static std::shared_ptr<DtlsIdentity> load(const std::string& certificate, const std::string& key);

    /// Of our certificate, by sha-256.
    Fingerprint fingerprint() const;
    SSL_CTX* context() const { return context_.get(); }
    std::chrono::microseconds first_timeout() const { return first_timeout_; }

private:
    explicit DtlsIdentity(std::chrono::microseconds first_timeout);

    struct Free {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };
    std::unique_ptr<SSL_CTX, Free> context_;
    std::chrono::microseconds first_timeout_;
};

enum class DtlsRole : std::uint8_t { server, client };  // a=setup:passive and active of our side

/// The keys of both directions and the profile that was agreed upon (RFC 5764 section 4.2).
struct SrtpKeys {
    unsigned long profile = 0;  // SRTP_AEAD_AES_128_GCM, ... of OpenSSL
    Bytes local, remote;        // master key with its salt behind it
};

/// One association. Not thread-safe; stays where it is made.
class DtlsSession {
public:
    using Send = std::function<void(ByteSpan datagram)>;
    using Take = std::function<void(ByteSpan data)>;

    static constexpr std::size_t largest_data = 1400;

    enum class State : std::uint8_t { shaking_hands, open, ended, failed, wrong_fingerprint };

    /// `expected` is the fingerprint in the peer's SDP. `send` and `take` are called from within the members below.
    DtlsSession(std::shared_ptr<DtlsIdentity> identity, DtlsRole role, Fingerprint expected, Send send, Take take);
    DtlsSession(const DtlsSession&) = delete;
    DtlsSession& operator=(const DtlsSession&) = delete;

    /// Sends the ClientHello of a client; does nothing for a server.
    void start() { shake_hands(); }
    /// One datagram that came from the peer. Data in it is for `take`.
    void receive(ByteSpan datagram);
    /// Whether it was sent: the session is open. At most `largest_data` bytes.
    bool send(ByteSpan data);
    /// Sends the last flight again if its time has come.
    void tick();
    /// Says goodbye (close_notify).
    void close();

    State state() const { return state_; }
    /// Why it failed, for the log.
    const std::string& why() const { return why_; }
    /// Throws Error if the state is not `open` or no SRTP profile is common.
    SrtpKeys keys() const;

private:
    struct Free {
        void operator()(SSL* session) const { SSL_free(session); }
    };
    static BIO_METHOD* datagrams();
    static int verify(X509_STORE_CTX* store, void*);
    static unsigned timeout(SSL* session, unsigned previous_us);
    static DtlsSession& of(const SSL* session);
    void shake_hands();
    void settle(int returned);
    friend class DtlsIdentity;

    std::shared_ptr<DtlsIdentity> identity_;
    DtlsRole role_;
    Fingerprint expected_;
    Send send_;
    Take take_;
    ByteSpan arrived_;  // what OpenSSL reads next
    std::unique_ptr<SSL, Free> session_;
    State state_ = State::shaking_hands;
    bool is_other_fingerprint_ = false;
    std::string why_;
};

}  // namespace tapedeck::webrtc
