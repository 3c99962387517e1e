#include "webrtc/transport/dtls.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/srtp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "tapedeck/context.hpp"

namespace tapedeck::webrtc {

namespace {

constexpr long link_mtu = 1200;
constexpr long most_certificates = 16 << 10;  // bytes of a peer's chain; a browser's own has less than 1 KiB
constexpr const char* profiles = "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80";
constexpr std::string_view keying_label = "EXTRACTOR-dtls_srtp";

std::string last_error() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason != nullptr ? reason : "unknown error";
}

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeCertificate {
    void operator()(X509* certificate) const { X509_free(certificate); }
};

}  // namespace

DtlsIdentity::DtlsIdentity(std::chrono::microseconds first_timeout)
    : context_(SSL_CTX_new(DTLS_method())), first_timeout_(first_timeout) {
    if (!context_) throw Error("OpenSSL: " + last_error());
    auto* context = context_.get();
    SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(context, most_certificates);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(context, &DtlsSession::verify, nullptr);
    if (SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES") != 1 ||
        SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") != 1 ||
        SSL_CTX_set_tlsext_use_srtp(context, profiles) != 0)
        throw Error("OpenSSL: " + last_error());
}

std::shared_ptr<DtlsIdentity> DtlsIdentity::make(std::chrono::microseconds first_timeout) {
    std::shared_ptr<DtlsIdentity> made(new DtlsIdentity(first_timeout));
    const std::unique_ptr<EVP_PKEY, FreeKey> key(EVP_EC_gen("P-256"));
    const std::unique_ptr<X509, FreeCertificate> certificate(X509_new());
    if (!key || !certificate) throw Error("OpenSSL: " + last_error());
    auto* x509 = certificate.get();
    auto* name = X509_get_subject_name(x509);
    const std::array<unsigned char, 6> common{'W', 'e', 'b', 'R', 'T', 'C'};
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -24L * 3600);
    X509_time_adj_ex(X509_getm_notAfter(x509), 3650, 0, nullptr);
    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC, common.data(), static_cast<int>(common.size()), -1,
                               0);
    X509_set_issuer_name(x509, name);
    X509_set_pubkey(x509, key.get());
    if (X509_sign(x509, key.get(), EVP_sha256()) == 0 || SSL_CTX_use_certificate(made->context(), x509) != 1 ||
        SSL_CTX_use_PrivateKey(made->context(), key.get()) != 1)
        throw Error("OpenSSL: " + last_error());
    return made;
}

std::shared_ptr<DtlsIdentity> DtlsIdentity::load(const std::string& certificate, const std::string& key) {
    std::shared_ptr<DtlsIdentity> made(new DtlsIdentity(usual_timeout));
    if (SSL_CTX_use_certificate_chain_file(made->context(), certificate.c_str()) != 1)
        throw Error(certificate + " is no readable PEM certificate: " + last_error());
    if (SSL_CTX_use_PrivateKey_file(made->context(), key.c_str(), SSL_FILETYPE_PEM) != 1)
        throw Error(key + " is no readable PEM key of " + certificate + ": " + last_error());
    return made;
}

Fingerprint DtlsIdentity::fingerprint() const {
    return Fingerprint::of(SSL_CTX_get0_certificate(context()), "sha-256");
}

/// A datagram in is read whole or not at all; each write is one datagram out.
BIO_METHOD* DtlsSession::datagrams() {
    static BIO_METHOD* const method = [] {
        auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
        BIO_meth_set_read(made, [](BIO* bio, char* into, int size) {
            BIO_clear_retry_flags(bio);
            auto& self = *static_cast<DtlsSession*>(BIO_get_data(bio));
            if (self.arrived_.empty()) {
                BIO_set_retry_read(bio);
                return -1;
            }
            const auto count = std::min(self.arrived_.size(), static_cast<std::size_t>(size));
            std::memcpy(into, self.arrived_.data(), count);
            self.arrived_ = {};
            return static_cast<int>(count);
        });
        BIO_meth_set_write(made, [](BIO* bio, const char* from, int size) {
            BIO_clear_retry_flags(bio);
            static_cast<DtlsSession*>(BIO_get_data(bio))
                ->send_(
                    {static_cast<const std::uint8_t*>(static_cast<const void*>(from)), static_cast<std::size_t>(size)});
            return size;
        });
        BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) {
            if (command == BIO_CTRL_DGRAM_QUERY_MTU || command == BIO_CTRL_DGRAM_GET_FALLBACK_MTU) return link_mtu;
            return command == BIO_CTRL_FLUSH ? 1L : 0L;
        });
        return made;
    }();
    return method;
}

DtlsSession& DtlsSession::of(const SSL* session) {
    return *static_cast<DtlsSession*>(SSL_get_app_data(session));
}

/// Any certificate is right whose digest is the expected one, and no other (RFC 8122 section 6.2).
int DtlsSession::verify(X509_STORE_CTX* store, void*) {
    const auto* session = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto& self = of(session);
    const auto* certificate = X509_STORE_CTX_get0_cert(store);
    try {
        if (certificate != nullptr && Fingerprint::of(certificate, self.expected_.algorithm) == self.expected_)
            return 1;
    } catch (const Error& e) {
        self.why_ = e.what();  // nothing may be thrown through OpenSSL
    }
    self.is_other_fingerprint_ = true;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

unsigned DtlsSession::timeout(SSL* session, unsigned previous_us) {
    constexpr unsigned longest = 2'000'000;
    if (previous_us == 0) return static_cast<unsigned>(of(session).identity_->first_timeout().count());
    return std::min(previous_us * 2, longest);
}

DtlsSession::DtlsSession(std::shared_ptr<DtlsIdentity> identity, DtlsRole role, Fingerprint expected, Send send,
                         Take take)
    : identity_(std::move(identity)),
      role_(role),
      expected_(std::move(expected)),
      send_(std::move(send)),
      take_(std::move(take)),
      session_(SSL_new(identity_->context())) {
    auto* bio = BIO_new(datagrams());
    if (!session_ || bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(session_.get(), bio, bio);
    SSL_set_app_data(session_.get(), this);
    DTLS_set_link_mtu(session_.get(), link_mtu);
    DTLS_set_timer_cb(session_.get(), &DtlsSession::timeout);
    if (role == DtlsRole::client)
        SSL_set_connect_state(session_.get());
    else
        SSL_set_accept_state(session_.get());
}

void DtlsSession::receive(ByteSpan datagram) {
    if (state_ > State::ended) return;
    arrived_ = datagram;
    if (state_ == State::shaking_hands) shake_hands();
    if (state_ != State::shaking_hands) {
        // A late flight of the peer is answered from in here, and close_notify is noticed.
        std::array<std::uint8_t, 2048> data{};
        for (int returned = 1; returned > 0;) {
            ERR_clear_error();
            returned = SSL_read(session_.get(), data.data(), static_cast<int>(data.size()));
            if (returned <= 0)
                settle(returned);
            else if (state_ == State::open)
                take_(ByteSpan(data).first(static_cast<std::size_t>(returned)));
        }
    }
    arrived_ = {};
}

bool DtlsSession::send(ByteSpan data) {
    if (state_ != State::open || data.empty() || data.size() > largest_data) return false;
    ERR_clear_error();
    return SSL_write(session_.get(), data.data(), static_cast<int>(data.size())) > 0;
}

void DtlsSession::shake_hands() {
    if (state_ != State::shaking_hands || (role_ == DtlsRole::server && arrived_.empty())) return;
    ERR_clear_error();
    const auto returned = SSL_do_handshake(session_.get());
    if (returned == 1)
        state_ = State::open;
    else
        settle(returned);
}

void DtlsSession::tick() {
    if (state_ != State::shaking_hands) return;
    ERR_clear_error();
    if (DTLSv1_handle_timeout(session_.get()) < 0) settle(-1);
}

void DtlsSession::settle(int returned) {
    if (state_ > State::open) return;
    const auto error = SSL_get_error(session_.get(), returned);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
    if (error == SSL_ERROR_ZERO_RETURN) {
        state_ = State::ended;
        return;
    }
    state_ = is_other_fingerprint_ ? State::wrong_fingerprint : State::failed;
    if (why_.empty()) why_ = last_error();
}

void DtlsSession::close() {
    if (state_ == State::open) SSL_shutdown(session_.get());
    if (state_ < State::ended) state_ = State::ended;
    ERR_clear_error();
}

SrtpKeys DtlsSession::keys() const {
    const auto* profile = SSL_get_selected_srtp_profile(session_.get());
    if (state_ != State::open || profile == nullptr) throw Error("DTLS agreed upon no SRTP profile");
    std::size_t key = 16, salt = 12;
    if (profile->id == SRTP_AEAD_AES_256_GCM) key = 32;
    if (profile->id == SRTP_AES128_CM_SHA1_80) salt = 14;
    Bytes material(2 * (key + salt));
    if (SSL_export_keying_material(session_.get(), material.data(), material.size(), keying_label.data(),
                                   keying_label.size(), nullptr, 0, 0) != 1)
        throw Error("OpenSSL: " + last_error());
    const auto side = [&](std::size_t index) {
        const ByteSpan all(material);
        const auto k = all.subspan(index * key, key), s = all.subspan(2 * key + index * salt, salt);
        Bytes joined(k.begin(), k.end());
        joined.insert(joined.end(), s.begin(), s.end());
        return joined;
    };
    auto client = side(0), server = side(1);
    OPENSSL_cleanse(material.data(), material.size());
    if (role_ == DtlsRole::client) return {profile->id, std::move(client), std::move(server)};
    return {profile->id, std::move(server), std::move(client)};
}

}  // namespace tapedeck::webrtc
