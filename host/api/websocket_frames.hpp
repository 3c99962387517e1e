// WebSocket frames (RFC 6455 section 5): those of clients out of bytes, those of the server into bytes. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tapedeck::host::api {

/// Codes of close frames, RFC 6455 section 7.4.1.
enum class CloseCode : std::uint16_t {
    Normal = 1000,
    GoingAway = 1001,
    ProtocolError = 1002,
    NoBinary = 1003,
    None = 1005,  ///< the frame had no code; never sent
    NotUtf8 = 1007,
    TooLarge = 1009,
};

/// A client broke the rules; the connection is to be closed with `code`.
class WebSocketError : public Error {
public:
    WebSocketError(CloseCode code, const std::string& text) : Error(text, TD_MALFORMED), code_(code) {}
    CloseCode code() const { return code_; }

private:
    CloseCode code_;
};

struct WebSocketMessage {
    enum class Kind { Text, Ping, Pong, Close };
    Kind kind = Kind::Text;
    std::string payload;               ///< of a Close the reason; texts and reasons are UTF-8
    CloseCode code = CloseCode::None;  ///< of a Close
};

/// What one client sends, message by message. Holds at most one message.
class WebSocketReader {
public:
    /// `most`: bytes of a message.
    explicit WebSocketReader(std::size_t most) : most_(most) {}

    /// The next whole message; takes from the front of `bytes` what it read. Nothing: give what is left of `bytes`
    /// (less than 14 bytes) again with more behind it. Throws WebSocketError, and is of no use then.
    std::optional<WebSocketMessage> next(std::string_view& bytes);

private:
    bool begin_frame(std::string_view& bytes);
    void judge(bool reserved, bool masked, std::uint64_t length) const;
    std::optional<WebSocketMessage> end_frame();

    std::size_t most_;
    bool in_payload_ = false;
    bool in_message_ = false;  // between the fragments of a message
    bool final_ = false;
    unsigned opcode_ = 0;
    std::array<char, 4> mask_{};
    std::size_t length_ = 0, got_ = 0;  // of the frame's payload
    std::string message_, control_;
};

/// One unmasked, unfragmented text, ping, pong or close frame. Payloads of all but texts are cut to 125 bytes.
std::string text_frame(std::string_view utf8);
std::string ping_frame();
std::string pong_frame(std::string_view payload);
std::string close_frame(CloseCode code, std::string_view utf8_reason);

/// `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` (RFC 6455 section 4.2.2); nothing where that is not 16 bytes in
/// base64.
std::optional<std::string> websocket_accept(std::string_view key);

}  // namespace tapedeck::host::api
