#include "tls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "tapedeck/context.hpp"

namespace tapedeck::rtmp {

namespace {

std::string last_error() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason ? reason : "unknown error";
}

int descriptor_of(BIO* bio) {
    return *static_cast<const int*>(BIO_get_data(bio));
}

/// OpenSSL's own socket BIO raises SIGPIPE when the peer is gone; this one does not.
BIO_METHOD* socket_method() {
    static BIO_METHOD* const method = [] {
        auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals");
        BIO_meth_set_read(made, [](BIO* bio, char* into, int size) {
            BIO_clear_retry_flags(bio);
            const auto got = ::recv(descriptor_of(bio), into, static_cast<std::size_t>(size), 0);
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
            return static_cast<int>(got);
        });
        BIO_meth_set_write(made, [](BIO* bio, const char* from, int size) {
            BIO_clear_retry_flags(bio);
            const auto sent = ::send(descriptor_of(bio), from, static_cast<std::size_t>(size), MSG_NOSIGNAL);
            if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
            return static_cast<int>(sent);
        });
        BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1L : 0L; });
        return made;
    }();
    return method;
}

}  // namespace

TlsContext::TlsContext(const SSL_METHOD* method) : context_(SSL_CTX_new(method)) {
    if (!context_) throw Error("OpenSSL: " + last_error());
    SSL_CTX_set_min_proto_version(get(), TLS1_2_VERSION);
    SSL_CTX_set_mode(get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}

std::shared_ptr<TlsContext> TlsContext::of_client(bool verifies) {
    std::shared_ptr<TlsContext> made(new TlsContext(TLS_client_method()));
    if (!verifies) return made;
    if (SSL_CTX_set_default_verify_paths(made->get()) != 1)
        throw Error("the certificates of the system's authorities cannot be read: " + last_error());
    SSL_CTX_set_verify(made->get(), SSL_VERIFY_PEER, nullptr);
    return made;
}

TlsContext::TlsContext(const std::string& certificate, const std::string& key) : TlsContext(TLS_server_method()) {
    if (SSL_CTX_use_certificate_chain_file(get(), certificate.c_str()) != 1)
        throw Error("setting 'protocol.rtmp.certificate': " + certificate +
                    " is no readable PEM certificate: " + last_error());
    if (SSL_CTX_use_PrivateKey_file(get(), key.c_str(), SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(get()) != 1)
        throw Error("setting 'protocol.rtmp.key': " + key + " is no readable PEM key of " + certificate + ": " +
                    last_error());
}

TlsSession::TlsSession(std::shared_ptr<TlsContext> context, int descriptor, const std::string& server)
    : descriptor_(descriptor), context_(std::move(context)), session_(SSL_new(context_->get())) {
    auto* bio = BIO_new(socket_method());
    if (!session_ || bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, &descriptor_);
    BIO_set_init(bio, 1);
    SSL_set_bio(session_.get(), bio, bio);
    if (server.empty()) {
        SSL_set_accept_state(session_.get());
        return;
    }
    SSL_set_connect_state(session_.get());
    auto* expected = SSL_get0_param(session_.get());
    if (X509_VERIFY_PARAM_set1_ip_asc(expected, server.c_str()) == 1) return;  // an address; no name to ask for
    X509_VERIFY_PARAM_set1_host(expected, server.c_str(), server.size());
    // What the macro SSL_set_tlsext_host_name does, with a cast of its own.
    SSL_ctrl(session_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(server.c_str()));
}

TlsSession::Result TlsSession::outcome(int returned) const {
    switch (SSL_get_error(session_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            return {Outcome::would_block, 0, {}};
        case SSL_ERROR_ZERO_RETURN:
            return {Outcome::ended, 0, "the peer closed the connection"};
        case SSL_ERROR_SYSCALL:
            ERR_clear_error();
            return {Outcome::ended, 0, errno == 0 ? "the peer closed the connection" : std::strerror(errno)};
        default: {
            auto why = "TLS: " + last_error();
            const auto verified = SSL_get_verify_result(session_.get());
            if (verified != X509_V_OK && SSL_get_verify_mode(session_.get()) != SSL_VERIFY_NONE)
                why += std::string(": ") + X509_verify_cert_error_string(verified) +
                       "; setting 'protocol.rtmp.pull_verify'";
            return {Outcome::ended, 0, std::move(why)};
        }
    }
}

TlsSession::Result TlsSession::read(std::span<std::uint8_t> into) {
    std::size_t size = 0;
    while (size < into.size()) {
        std::size_t got = 0;
        errno = 0;
        ERR_clear_error();  // the queue is the thread's: another session may have left something in it
        const auto returned = SSL_read_ex(session_.get(), into.data() + size, into.size() - size, &got);
        if (returned == 1) {
            size += got;
            continue;
        }
        if (size > 0) break;  // whatever it is comes again with the next read
        return outcome(returned);
    }
    return {Outcome::done, size, {}};
}

TlsSession::Result TlsSession::write(ByteSpan bytes) {
    std::size_t sent = 0;
    errno = 0;
    ERR_clear_error();
    const auto returned = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &sent);
    if (returned == 1) return {Outcome::done, sent, {}};
    return outcome(returned);
}

void TlsSession::finish() {
    if (SSL_is_init_finished(session_.get())) SSL_shutdown(session_.get());
    ERR_clear_error();
}

}  // namespace tapedeck::rtmp
