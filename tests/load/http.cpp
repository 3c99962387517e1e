#include "http.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace tapedeck::load {
namespace {

class Connection {
public:
    explicit Connection(const webrtc::Endpoint& server) : name_(server.text()) {
        sockaddr_storage address{};
        const auto size = server.store(address);
        socket_ = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const timeval limit{10, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        if (::connect(socket_, static_cast<const sockaddr*>(static_cast<const void*>(&address)), size) != 0)
            fail("connect");
    }
    ~Connection() { ::close(socket_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void send(std::string_view text) const {
        while (!text.empty()) {
            const auto count = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
            if (count <= 0) fail("send");
            text.remove_prefix(static_cast<std::size_t>(count));
        }
    }
    std::string receive_all() const {
        std::string all;
        std::array<char, 8192> part;
        for (;;) {
            const auto count = ::recv(socket_, part.data(), part.size(), 0);
            if (count < 0) fail("receive");
            if (count == 0) return all;
            all.append(part.data(), static_cast<std::size_t>(count));
        }
    }

private:
    [[noreturn]] void fail(const std::string& what) const {
        const std::string why = std::strerror(errno);
        throw std::runtime_error("http://" + name_ + ": " + what + ": " + why);
    }

    std::string name_;
    int socket_ = -1;
};

/// The value of a header, whose name is given in lower case.
std::string header(std::string_view head, std::string_view name) {
    for (std::size_t at = head.find('\n'); at != std::string_view::npos; at = head.find('\n', at + 1)) {
        const auto line = head.substr(at + 1, head.find('\r', at + 1) - at - 1);
        if (line.size() <= name.size() || line[name.size()] != ':') continue;
        bool is_it = true;
        for (std::size_t i = 0; i < name.size(); ++i)
            is_it = is_it && std::tolower(static_cast<unsigned char>(line[i])) == name[i];
        if (is_it) return std::string(line.substr(std::min(line.find_first_not_of(' ', name.size() + 1), line.size())));
    }
    return {};
}

}  // namespace

HttpAnswer http_request(const webrtc::Endpoint& server, const std::string& method, const std::string& path,
                        const std::string& headers, const std::string& body) {
    const Connection connection(server);
    connection.send(method + " " + path + " HTTP/1.1\r\nHost: " + server.text() + "\r\nConnection: close\r\n" +
                    headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    const auto text = connection.receive_all();
    const auto end = text.find("\r\n\r\n");
    HttpAnswer answer;
    if (end == std::string::npos || text.size() < 12 ||
        std::from_chars(text.data() + 9, text.data() + 12, answer.status).ec != std::errc())
        throw std::runtime_error("http://" + server.text() + path + ": no HTTP answer");
    answer.location = header(std::string_view(text).substr(0, end), "location");
    answer.body = text.substr(end + 4);
    return answer;
}

}  // namespace tapedeck::load
