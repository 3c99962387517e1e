// RTCP compounds; what was read is built again.
#include "rtp/rtcp.hpp"

#include <type_traits>

using namespace tapedeck;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        Bytes built;
        for (const auto& message : rtp::parse_rtcp({data, size})) {
            std::visit(
                [&](const auto& kind) {
                    if constexpr (!std::is_same_v<std::decay_t<decltype(kind)>, rtp::TransportFeedback>)
                        rtp::append(built, kind);
                },
                message);
        }
        rtp::parse_rtcp(built);
    } catch (const Malformed&) {
    }
    return 0;
}
