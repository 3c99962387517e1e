// RTSP on a TCP connection: requests, responses and interleaved packets (RFC 2326 sections 4 to 7 and 10.12).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtsp {

/// A request has a method, a response a status.
struct Message {
    std::string method, uri;
    int status = 0;
    std::string reason;
    std::vector<std::pair<std::string, std::string>> headers;  // in their order, values trimmed
    std::string body;

    bool is_request() const { return !method.empty(); }
    /// The first header of this name, whatever its case, or empty.
    std::string_view header(std::string_view name) const;
    std::vector<std::string_view> headers_of(std::string_view name) const;
    void set(std::string_view name, std::string_view value) { headers.emplace_back(name, value); }
};

bool same_name(std::string_view a, std::string_view b);
std::string_view trimmed(std::string_view text);
/// A number of digits alone, at most `most`.
std::optional<std::uint32_t> number(std::string_view text, std::uint32_t most);

/// The bytes; Content-Length comes by itself where there is a body.
std::string write(const Message& message);

/// What stands at the front of a connection's bytes.
struct Front {
    std::size_t used = 0;            // bytes of it; 0: it is not whole yet
    std::size_t needs = 0;           // bytes that it has when it is whole, where that is known already
    std::optional<Message> message;  // else a packet:
    std::uint8_t channel = 0;
    ByteSpan packet;  // lies in the bytes
};

/// Throws Malformed where neither a message nor a packet begins, and beyond 16 KiB of head, 64 headers or 256 KiB of
/// body.
Front parse(ByteSpan bytes);

}  // namespace tapedeck::rtsp
