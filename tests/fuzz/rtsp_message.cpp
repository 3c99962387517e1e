// A connection's bytes as messages and packets, what their headers say, and descriptions in their bodies.
#include <cstdlib>

#include "rtsp/authentication.hpp"
#include "rtsp/dialogue.hpp"
#include "rtsp/media.hpp"
#include "rtsp/message.hpp"
#include "rtsp/publish_session.hpp"
#include "rtsp/rtp_info.hpp"
#include "rtsp/transport_header.hpp"
#include "rtsp/url.hpp"
#include "tapedeck/context.hpp"

using namespace tapedeck;
using namespace tapedeck::rtsp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteSpan bytes(data, size);
    Dialogue dialogue(Url::parse("rtsp://u:p@h/cam"));
    dialogue.begin();
    try {
        while (!bytes.empty()) {
            const auto front = parse(bytes);
            if (front.used == 0) break;
            if (front.used > bytes.size()) std::abort();
            bytes = bytes.subspan(front.used);
            if (!front.message) continue;
            const auto& message = *front.message;
            TransportHeader::parse(message.header("Transport"));
            RtpInfo::parse(message.header("RTP-Info"));
            strongest(message.headers_of("WWW-Authenticate"));
            basic_login(message.header("Authorization"));
            std::vector<std::string> left_out;
            try {
                if (message.is_request()) {
                    dialogue.request(message);
                    Announced::parse(message.uri);
                    Url::parse(message.uri);
                } else if (dialogue.answer(message) == Dialogue::Event::described) {
                    for (const auto& medium : media_of(dialogue.description(), left_out))
                        dialogue.setup(medium.control, {});
                }
                media_of(sdp::parse(message.body), left_out);
            } catch (const Error&) {
            } catch (const Malformed&) {
            }
            dialogue.take_output();
        }
    } catch (const Malformed&) {
    }
    return 0;
}
