// A plain HTTP client over one blocking loopback connection, with or without TLS. Every wait ends after ten seconds.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tapedeck::host::api::test {

struct Reply {
    int status = 0;
    std::string status_line;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
    std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? "" : found->second;
    }
};

class Client {
public:
    struct Tls {
        int least = TLS1_2_VERSION, most = TLS1_3_VERSION;
    };
    /// Throws std::runtime_error when it cannot connect, or the handshake fails.
    explicit Client(std::uint16_t port, std::optional<Tls> tls = {});
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Sends text as it is; false when the server does not take it any more.
    bool send(std::string_view text);
    /// One answer; nothing when the connection ended first.
    std::optional<Reply> receive(bool without_body = false);
    /// So many bytes as they come; fewer when the connection ended first.
    std::string read(std::size_t count);
    /// Sends one request and gives its answer, or one with status 0.
    Reply ask(std::string_view method, std::string_view target, std::string_view body = {},
              const std::map<std::string, std::string>& headers = {});
    /// The certificate that the server showed, as DER.
    std::string peer_certificate() const;
    /// Whether the server ends the connection; reads and drops what it still sends.
    bool is_ended();
    /// Bytes that came so far are kept small: the kernel's buffer of this side.
    void shrink_receive_buffer();
    void set_timeout(int seconds);

private:
    bool fill();

    int socket_ = -1;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, SSL_CTX_free};
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
    std::string received_;
};

}  // namespace tapedeck::host::api::test
