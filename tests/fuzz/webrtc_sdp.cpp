// Offers of WebRTC clients, what is chosen of them, and the answers.
#include <cstdlib>

#include "tapedeck/context.hpp"
#include "webrtc/media/sdp.hpp"

using namespace tapedeck;
using namespace tapedeck::webrtc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto* text = static_cast<const char*>(static_cast<const void*>(data));
    webrtc::sdp::Offer offer;
    try {
        offer = webrtc::sdp::parse({text, size});
    } catch (const Malformed&) {
        return 0;
    }
    webrtc::sdp::Local local;
    local.ice = {"ufrag", "0123456789abcdef01234567"};
    local.fingerprint = {"sha-256", Bytes(32, 1)};
    local.candidates = {Endpoint::parse("192.0.2.1", 5000)};
    local.stream = "td1";
    for (const bool publishes : {true, false}) {
        local.publishes = publishes;
        try {
            const auto choices = webrtc::sdp::choose(offer, {}, publishes);
            for (const auto& choice : choices)
                for (const auto& chosen : choice.codecs) webrtc::sdp::parameter_sets(chosen.codec);
            // An answer has the offer's lines, and can be read again.
            const auto answer = webrtc::sdp::parse(webrtc::sdp::write_answer(offer, choices, local));
            if (answer.lines.size() != offer.lines.size()) std::abort();
            for (std::size_t i = 0; i < choices.size(); ++i)
                if (answer.lines[i].kind != offer.lines[i].kind || answer.lines[i].mid != offer.lines[i].mid ||
                    answer.lines[i].is_offered == (choices[i].codecs.empty() && !choices[i].is_data))
                    std::abort();
        } catch (const Error&) {
        }
    }
    return 0;
}
