// STUN messages as they come, frames of TCP, and the fingerprint line of an SDP.
#include <algorithm>
#include <cstdlib>

#include "webrtc/transport/fingerprint.hpp"
#include "webrtc/transport/framing.hpp"
#include "webrtc/transport/stun.hpp"

using namespace tapedeck;
using namespace tapedeck::webrtc;

namespace {

/// Each frame is what was sent, and nothing is left over but the beginning of one.
void take_frames(Bytes stream) {
    std::span<std::uint8_t> rest(stream);
    Bytes again;
    try {
        while (const auto frame = take_frame(rest)) append_frame(again, *frame);
        if (rest.size() >= frame_header + longest_frame) std::abort();
    } catch (const Malformed&) {
        if (rest.size() < frame_header || (rest[0] << 8 | rest[1]) <= static_cast<int>(longest_frame)) std::abort();
    }
    again.insert(again.end(), rest.begin(), rest.end());
    if (again != stream) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (const auto message = stun::parse({data, size})) {
        stun::is_signed(*message, "VOkJxbRl1RmTxUk/WvJxBt");
        // What was understood is understood again when it is written anew.
        std::array<std::uint8_t, 1500> room{};
        stun::Writer writer(room, message->kind, message->method, message->transaction);
        if (!message->username.empty()) writer.username(message->username);
        if (message->mapped) writer.mapped(*message->mapped);
        if (message->priority) writer.priority(*message->priority);
        const auto again = stun::parse(writer.finish("secret"));
        if (!again || !again->has_fingerprint || !stun::is_signed(*again, "secret") || again->kind != message->kind ||
            again->method != message->method || again->username != message->username ||
            again->mapped != message->mapped || again->priority != message->priority)
            std::abort();
    }
    take_frames({data, data + size});
    try {
        const auto* text = static_cast<const char*>(static_cast<const void*>(data));
        const auto fingerprint = Fingerprint::parse({text, size});
        if (Fingerprint::parse(fingerprint.text()) != fingerprint) std::abort();
    } catch (const Malformed&) {
    }
    return 0;
}
