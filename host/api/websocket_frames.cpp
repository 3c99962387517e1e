#include "api/websocket_frames.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>

#include "tapedeck/utf8.hpp"

namespace tapedeck::host::api {
namespace {

constexpr std::size_t most_control = 125;
enum Opcode : unsigned { Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };

bool is_control(unsigned opcode) {
    return opcode >= Close;
}

[[noreturn]] void broken(const char* text) {
    throw WebSocketError(CloseCode::ProtocolError, text);
}

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

void append_big_endian(std::string& to, std::uint64_t value, unsigned bytes) {
    while (bytes-- > 0) to += static_cast<char>(value >> (8 * bytes) & 0xff);
}

std::string frame(unsigned opcode, std::string_view payload) {
    std::string out;
    out.reserve(payload.size() + 10);
    out += static_cast<char>(0x80 | opcode);
    if (payload.size() <= most_control) {
        out += static_cast<char>(payload.size());
    } else if (payload.size() <= 0xffff) {
        out += static_cast<char>(126);
        append_big_endian(out, payload.size(), 2);
    } else {
        out += static_cast<char>(127);
        append_big_endian(out, payload.size(), 8);
    }
    return out += payload;
}

bool may_be_sent(std::uint64_t code) {  // RFC 6455 section 7.4
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

WebSocketMessage close_message(std::string_view payload) {
    WebSocketMessage message{WebSocketMessage::Kind::Close, {}, CloseCode::None};
    if (payload.empty()) return message;
    if (payload.size() < 2) broken("a close frame with half a code");
    const auto code = big_endian(payload.substr(0, 2));
    if (!may_be_sent(code)) broken("a close frame with a code that is not to be sent");
    message.code = static_cast<CloseCode>(code);
    message.payload = std::string(payload.substr(2));
    if (!is_utf8(message.payload)) throw WebSocketError(CloseCode::NotUtf8, "a reason that is not UTF-8");
    return message;
}

}  // namespace

std::optional<WebSocketMessage> WebSocketReader::next(std::string_view& bytes) {
    while (in_payload_ || begin_frame(bytes)) {
        in_payload_ = true;
        auto& into = is_control(opcode_) ? control_ : message_;
        const auto count = std::min(length_ - got_, bytes.size());
        for (const char byte : bytes.substr(0, count)) into += static_cast<char>(byte ^ mask_[got_++ % mask_.size()]);
        bytes.remove_prefix(count);
        if (got_ < length_) return {};
        in_payload_ = false;
        if (auto message = end_frame()) return message;
    }
    return {};
}

/// Reads a header; false when `bytes` ends inside it.
bool WebSocketReader::begin_frame(std::string_view& bytes) {
    if (bytes.size() < 2) return false;
    const auto first = static_cast<unsigned char>(bytes[0]), second = static_cast<unsigned char>(bytes[1]);
    const unsigned short_length = second & 0x7f;
    const std::size_t long_size = short_length == 127 ? 8 : short_length == 126 ? 2 : 0;
    const bool masked = (second & 0x80) != 0;
    final_ = (first & 0x80) != 0;
    opcode_ = first & 0x0f;
    if (!masked) judge((first & 0x70) != 0, masked, short_length);  // such a header is shorter: it may be all there is
    if (bytes.size() < 2 + long_size + mask_.size()) return false;
    const auto length = long_size == 0 ? short_length : big_endian(bytes.substr(2, long_size));
    judge((first & 0x70) != 0, masked, length);
    bytes.substr(2 + long_size).copy(mask_.data(), mask_.size());
    bytes.remove_prefix(2 + long_size + mask_.size());
    length_ = static_cast<std::size_t>(length);
    got_ = 0;
    return true;
}

void WebSocketReader::judge(bool reserved, bool masked, std::uint64_t length) const {
    if (reserved) broken("a reserved bit is set, but no extension was agreed");
    if (!masked) broken("a frame of a client must be masked");
    if (is_control(opcode_)) {
        if (opcode_ > Pong) broken("a frame of a reserved kind");
        if (!final_ || length > most_control) broken("a control frame in fragments or longer than 125 bytes");
        return;
    }
    if (opcode_ > Binary) broken("a frame of a reserved kind");
    if ((opcode_ == Continuation) != in_message_) broken("fragments of messages out of order");
    if (opcode_ == Binary) throw WebSocketError(CloseCode::NoBinary, "only text is understood here");
    if (length > most_ - message_.size()) {
        throw WebSocketError(CloseCode::TooLarge, "the message is larger than " + std::to_string(most_) +
                                                      " bytes; raise the setting websocket.max_message");
    }
}

std::optional<WebSocketMessage> WebSocketReader::end_frame() {
    using Kind = WebSocketMessage::Kind;
    if (is_control(opcode_)) {
        const std::string payload = std::exchange(control_, {});
        if (opcode_ == Close) return close_message(payload);
        return WebSocketMessage{opcode_ == Ping ? Kind::Ping : Kind::Pong, payload, CloseCode::None};
    }
    in_message_ = !final_;
    if (in_message_) return {};
    if (!is_utf8(message_)) throw WebSocketError(CloseCode::NotUtf8, "a text that is not UTF-8");
    return WebSocketMessage{Kind::Text, std::exchange(message_, {}), CloseCode::None};
}

std::string text_frame(std::string_view utf8) {
    return frame(Text, utf8);
}
std::string ping_frame() {
    return frame(Ping, {});
}
std::string pong_frame(std::string_view payload) {
    return frame(Pong, payload.substr(0, most_control));
}

std::string close_frame(CloseCode code, std::string_view utf8_reason) {
    std::string payload;
    if (code != CloseCode::None) {
        append_big_endian(payload, static_cast<std::uint16_t>(code), 2);
        auto end = std::min(utf8_reason.size(), most_control - payload.size());
        while (end > 0 && !is_utf8(utf8_reason.substr(0, end))) --end;  // not in the middle of a character
        payload += utf8_reason.substr(0, end);
    }
    return frame(Close, payload);
}

std::optional<std::string> websocket_accept(std::string_view key) {
    constexpr std::string_view salt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    constexpr std::size_t key_size = 24;
    std::array<unsigned char, 18> decoded{};
    if (key.size() != key_size || !key.ends_with("==") || key.find('=') != key_size - 2 ||
        EVP_DecodeBlock(decoded.data(), reinterpret_cast<const unsigned char*>(key.data()), key_size) < 0) {
        return {};
    }
    const std::string salted = std::string(key).append(salt);
    std::array<unsigned char, 20> digest{};
    std::array<unsigned char, 29> encoded{};
    EVP_Digest(salted.data(), salted.size(), digest.data(), nullptr, EVP_sha1(), nullptr);
    const int size = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
    return std::string(encoded.begin(), encoded.begin() + size);
}

}  // namespace tapedeck::host::api
