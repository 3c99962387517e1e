// One RTP packet: header, extensions.
#include "rtp/packet.hpp"

using namespace tapedeck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const auto packet = rtp::parse_packet({data, size});
        for (unsigned id = 0; id < 256; ++id) rtp::extension(packet, static_cast<std::uint8_t>(id));
    } catch (const Malformed&) {
    }
    return 0;
}
