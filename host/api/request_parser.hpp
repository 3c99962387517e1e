// HTTP/1.1 requests out of bytes (RFC 9112). Pure: no sockets, no clock.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "api/message.hpp"
#include "base/error.hpp"

namespace tapedeck::host::api {

/// A request that cannot be taken, with the status to answer. The connection is of no use afterwards.
class Rejected : public Error {
public:
    Rejected(int status, const std::string& text) : Error(text, TD_MALFORMED), http_status_(status) {}
    int http_status() const { return http_status_; }

private:
    int http_status_;
};

/// Reads one request.
class RequestParser {
public:
    struct Limits {
        std::size_t head, body;  ///< bytes
    };
    explicit RequestParser(Limits limits);
    ~RequestParser();

    /// Takes bytes and says how many; give the rest again with more behind it. Throws Rejected: 400 for what is no
    /// request, 413 and 431 for what exceeds the limits.
    std::size_t feed(std::string_view bytes);

    bool has_head() const;
    bool is_done() const;
    /// The client waits for `100 Continue` before it sends the body.
    bool expects_continue() const;
    bool keep_alive() const;

    /// Everything but the body, once `has_head`; `remote` and `secure` are the caller's to fill.
    const Request& head() const { return head_; }
    /// The whole request, once `is_done`.
    Request take();

private:
    class Body;
    void read_head();

    std::unique_ptr<Body> body_;
    Request head_;
};

}  // namespace tapedeck::host::api
