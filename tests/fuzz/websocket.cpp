// WebSocket frames of a client: the first byte is the size of the pieces. What is given out is UTF-8 and within the
// limits, and little is left over of any piece.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/websocket_frames.hpp"
#include "tapedeck/utf8.hpp"

using namespace tapedeck::host;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t piece = data[0] + std::size_t{1};
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    constexpr std::size_t most = 256;
    api::WebSocketReader reader(most);
    std::string received;
    try {
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            received += bytes.substr(at, piece);
            std::string_view rest = received;
            while (const auto message = reader.next(rest)) {
                using Kind = api::WebSocketMessage::Kind;
                const bool is_control = message->kind != Kind::Text;
                if (message->payload.size() > (is_control ? 125 : most)) __builtin_trap();
                const bool is_text = message->kind == Kind::Text || message->kind == Kind::Close;
                if (is_text && !tapedeck::is_utf8(message->payload)) __builtin_trap();
                (void)api::close_frame(message->code, message->payload);
            }
            if (rest.size() >= 14) __builtin_trap();
            received.erase(0, received.size() - rest.size());
        }
    } catch (const api::WebSocketError&) {  // as it should be
    }
    (void)api::websocket_accept(bytes);
    return 0;
}
