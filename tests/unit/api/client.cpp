#include "client.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <stdexcept>

namespace tapedeck::host::api::test {

Client::Client(std::uint16_t port, std::optional<Tls> tls) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    set_timeout(10);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(socket_);
        throw std::runtime_error("cannot connect");
    }
    if (!tls) return;
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_security_level(context_.get(), 0);  // else OpenSSL itself refuses to speak old versions
    SSL_CTX_set_min_proto_version(context_.get(), tls->least);
    SSL_CTX_set_max_proto_version(context_.get(), tls->most);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_);
    if (SSL_connect(ssl_.get()) != 1) {
        ::close(socket_);
        throw std::runtime_error("TLS handshake failed");
    }
}

Client::~Client() {
    ::close(socket_);
}

void Client::set_timeout(int seconds) {
    const timeval limit{seconds, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

void Client::shrink_receive_buffer() {
    const int bytes = 65536;  // not less: windows smaller than a loopback packet make TCP wait between packets
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

bool Client::send(std::string_view text) {
    while (!text.empty()) {
        const auto sent = ssl_ ? SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()))
                               : ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::string Client::peer_certificate() const {
    auto* certificate = SSL_get0_peer_certificate(ssl_.get());
    unsigned char* bytes = nullptr;
    const int size = i2d_X509(certificate, &bytes);
    std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return der;
}

bool Client::fill() {
    std::array<char, 16384> bytes;
    errno = 0;
    const auto got =
        ssl_ ? SSL_read(ssl_.get(), bytes.data(), bytes.size()) : ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (got > 0) received_.append(bytes.data(), static_cast<std::size_t>(got));
    return got > 0;
}

bool Client::is_ended() {
    while (fill()) received_.clear();
    return errno != EAGAIN && errno != EWOULDBLOCK;  // else the wait ended, not the connection
}

std::optional<Reply> Client::receive(bool without_body) {
    std::size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
        if (!fill()) return {};
    }
    Reply reply;
    std::string_view head = std::string_view(received_).substr(0, end + 2);
    reply.status_line = std::string(head.substr(0, head.find("\r\n")));
    reply.status = std::stoi(reply.status_line.substr(9, 3));
    head.remove_prefix(reply.status_line.size() + 2);
    while (!head.empty()) {
        const auto line = head.substr(0, head.find("\r\n"));
        const auto colon = line.find(": ");
        std::string name(line.substr(0, colon));
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        reply.headers[name] = std::string(line.substr(colon + 2));
        head.remove_prefix(line.size() + 2);
    }
    received_.erase(0, end + 4);
    const auto length = reply.header("content-length");
    const auto size = without_body || length.empty() ? 0 : std::stoull(length);
    while (received_.size() < size) {
        if (!fill()) return {};
    }
    reply.body = received_.substr(0, size);
    received_.erase(0, size);
    return reply;
}

std::string Client::read(std::size_t count) {
    while (received_.size() < count && fill()) continue;
    auto bytes = received_.substr(0, count);
    received_.erase(0, bytes.size());
    return bytes;
}

Reply Client::ask(std::string_view method, std::string_view target, std::string_view body,
                  const std::map<std::string, std::string>& headers) {
    auto request = fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n", method, target);
    for (const auto& [name, value] : headers) request += fmt::format("{}: {}\r\n", name, value);
    if (!body.empty() || method == "POST") request += fmt::format("Content-Length: {}\r\n", body.size());
    send(request + "\r\n" + std::string(body));
    return receive(method == "HEAD").value_or(Reply{});
}

}  // namespace tapedeck::host::api::test
