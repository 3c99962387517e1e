// One HTTP request and its answer as plain values; what every part of the API but the sockets works with.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tapedeck::host::api {

/// A request, wholly read. Everything in it comes from the client and is untrusted.
struct Request {
    std::string method;
    std::string target;                          ///< as sent: path and query, still encoded
    std::string path;                            ///< the part before `?`, still encoded
    std::string query;                           ///< the part after `?`, still encoded
    std::map<std::string, std::string> headers;  ///< names in lower case; of equal names the first
    std::string body;
    std::string remote;  ///< address without port; IPv4 also where it came over an IPv6 socket
    bool secure = false;
    bool upgrade = false;  ///< to a WebSocket, by the rules of RFC 6455 section 4.2.1

    /// The value of a header, or empty.
    std::string_view header(const std::string& lower_case_name) const;
};

/// A file opened for reading, or a connection; closes it.
class OpenFile {
public:
    /// `is_local`: what is in memory of the file is read without asking anybody else, such as a network.
    explicit OpenFile(int descriptor, bool is_local = false) : descriptor_(descriptor), is_local_(is_local) {}
    ~OpenFile() { ::close(descriptor_); }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    int descriptor() const { return descriptor_; }
    bool is_local() const { return is_local_; }

private:
    const int descriptor_;
    const bool is_local_;
};

/// Bytes of a file. They are sent in pieces of bounded size, never held in memory.
struct FilePart {
    std::shared_ptr<const OpenFile> file;  ///< shared: answers are copyable values
    std::uint64_t first = 0;
    std::uint64_t count = 0;
};

/// One behind the other.
using FileParts = std::vector<FilePart>;

class WebSocketPeer;

/// An answer. Content-Length, Connection, Date and Server are the server's own.
struct Response {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    FileParts files = {};                        ///< the body, unless it is empty
    std::shared_ptr<const void> hold = {};       ///< what must live until the answer is sent
    bool close = false;                          ///< end the connection after it
    bool without_body = false;                   ///< HEAD: the lengths are told, nothing is sent
    std::shared_ptr<WebSocketPeer> socket = {};  ///< takes the upgrade; nothing else of the answer counts then
};

/// Takes the answer to one request; called once, from any thread, also from inside the handler.
using Answer = std::function<void(Response)>;

/// Called on threads of the server, concurrently; returns at once and answers then or later.
using Handler = std::function<void(const Request&, Answer)>;

}  // namespace tapedeck::host::api
