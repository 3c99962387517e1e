#include "connection.hpp"

#include <openssl/err.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tapedeck::rtsp {

namespace {

constexpr std::size_t most_of_a_read = 256 * 1024, read_of_tls = 16 * 1024 + 512, longest_output = 256 * 1024;
constexpr int rounds = 8;

std::string tls_fault(SSL* session = nullptr) {
    const auto code = ::ERR_get_error();
    ::ERR_clear_error();
    if (session != nullptr && ERR_GET_LIB(code) == ERR_LIB_SSL &&
        ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return std::string("TLS: its certificate is refused: ") +
               ::X509_verify_cert_error_string(::SSL_get_verify_result(session)) + "; setting 'protocol.rtsp.ca_file'";
    const char* reason = code == 0 ? nullptr : ::ERR_reason_error_string(code);
    return std::string("TLS: ") + (reason == nullptr ? "the connection broke" : reason);
}

bool is_literal(const std::string& host) {
    try {
        Address::parse(host, 0);
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

TlsClient::TlsClient(const std::string& ca_file)
    : context_(::SSL_CTX_new(::TLS_client_method()), &::SSL_CTX_free), checks_(!ca_file.empty()) {
    if (!context_) throw Error(tls_fault());
    ::SSL_CTX_set_mode(context_.get(),
                       SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    if (!checks_) return;
    if (::SSL_CTX_load_verify_locations(context_.get(), ca_file.c_str(), nullptr) != 1)
        throw Error("setting 'protocol.rtsp.ca_file': " + ca_file + " has no readable PEM certificate");
    ::SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
}

SSL* TlsClient::session(int descriptor, const std::string& host) const {
    auto* session = ::SSL_new(context_.get());
    if (session == nullptr || ::SSL_set_fd(session, descriptor) != 1) throw std::bad_alloc();
    ::SSL_set_connect_state(session);
    if (!is_literal(host)) {      // RFC 6066 section 3 wants no addresses there, and some servers hang up on them
        std::string name = host;  // SSL_set_tlsext_host_name is a macro with a C cast
        ::SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    }
    if (checks_) ::SSL_set1_host(session, host.c_str());
    return session;
}

Connection::Connection(Context context, Descriptor socket, SSL* tls)
    : context_(context), socket_(std::move(socket)), tls_(tls) {}

/// 0: nothing there now.
std::size_t Connection::receive(std::span<std::uint8_t> into) {
    if (!tls_) {
        const auto got = ::recv(socket_.get(), into.data(), into.size(), 0);
        if (got > 0) return static_cast<std::size_t>(got);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
        throw Error(got == 0 ? "the other side closed the connection" : std::strerror(errno));
    }
    std::size_t got = 0;
    ::ERR_clear_error();
    const auto returned = ::SSL_read_ex(tls_.get(), into.data(), into.size(), &got);
    if (returned == 1) return got;
    const auto why = ::SSL_get_error(tls_.get(), returned);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return 0;
    throw Error(why == SSL_ERROR_ZERO_RETURN ? "the other side closed the connection" : tls_fault(tls_.get()));
}

void Connection::read(Incoming& incoming) {
    for (int round = 0; round < rounds; ++round) {
        int waiting = 0;
        if (!tls_) ::ioctl(socket_.get(), FIONREAD, &waiting);
        const auto size =
            tls_ ? read_of_tls : std::clamp<std::size_t>(static_cast<std::size_t>(waiting), 1, most_of_a_read);
        if (rest_.size() + size < needs_) {  // small pieces of much are not looked at one by one
            const auto before = rest_.size();
            rest_.resize(before + size);
            const auto got = receive(std::span(rest_).subspan(before));
            rest_.resize(before + got);
            if (got == 0) break;
            continue;
        }
        const auto buffer = context_.buffer(rest_.size() + size);
        std::copy(rest_.begin(), rest_.end(), buffer.data());
        const auto got = receive({buffer.data() + rest_.size(), size});
        if (got == 0) break;
        ByteSpan bytes(buffer.data(), rest_.size() + got);
        rest_.clear();
        needs_ = 0;
        while (!bytes.empty()) {
            const auto front = parse(bytes);
            needs_ = front.used == 0 ? front.needs : 0;
            if (front.used == 0) break;
            bytes = bytes.subspan(front.used);
            if (front.message) {
                if (!incoming.message(*front.message)) return;
            } else if (!front.packet.empty()) {
                incoming.packet(front.channel, front.packet, buffer);
            }
        }
        rest_.assign(bytes.begin(), bytes.end());
        // A plain socket was asked before how much it has, so that another read would mostly find nothing.
        if (got < size || (!tls_ && size < most_of_a_read)) break;
    }
    if (!out_.empty()) flush();
}

void Connection::send(std::string_view bytes) {
    out_ += bytes;
    if (out_.size() > longest_output) throw Error("the other side does not read what it is told");
    flush();
}

bool Connection::flush() {
    while (!out_.empty()) {
        std::size_t sent = 0;
        if (tls_) {
            ::ERR_clear_error();
            const auto returned = ::SSL_write_ex(tls_.get(), out_.data(), out_.size(), &sent);
            if (returned != 1) {
                const auto why = ::SSL_get_error(tls_.get(), returned);
                if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return why != SSL_ERROR_WANT_WRITE;
                throw Error(tls_fault(tls_.get()));
            }
        } else {
            const auto written = ::send(socket_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
            if (written < 0 && (errno == EAGAIN || errno == EINTR)) return false;
            if (written < 0) throw Error(std::strerror(errno));
            sent = static_cast<std::size_t>(written);
        }
        out_.erase(0, sent);
    }
    return true;
}

}  // namespace tapedeck::rtsp
