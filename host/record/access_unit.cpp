#include "record/access_unit.hpp"

#include <algorithm>

#include "tapedeck/abi.h"

namespace tapedeck::host {
namespace {

/// Empty units and zeros behind the last one do no harm, and there are encoders that write them.
bool are_nal_units(std::span<const std::uint8_t> payload) {
    bool any = false;
    while (payload.size() >= 4) {
        const std::size_t size = std::size_t{payload[0]} << 24 | std::size_t{payload[1]} << 16 |
                                 std::size_t{payload[2]} << 8 | std::size_t{payload[3]};
        payload = payload.subspan(4);
        if (size > payload.size()) return false;
        any = any || size != 0;
        payload = payload.subspan(size);
    }
    return any && std::ranges::all_of(payload, [](std::uint8_t byte) { return byte == 0; });
}

bool is_vp8(std::span<const std::uint8_t> payload, bool is_key) {
    if (payload.size() < 3) return false;
    const bool says_key = (payload[0] & 1) == 0;
    if (says_key != is_key) return false;
    return !says_key || (payload.size() >= 10 && payload[3] == 0x9d && payload[4] == 0x01 && payload[5] == 0x2a);
}

}  // namespace

bool is_access_unit(std::uint32_t codec, std::span<const std::uint8_t> payload, bool is_key) {
    switch (codec) {
        case TD_CODEC_H264:
        case TD_CODEC_H265:
            return are_nal_units(payload);
        case TD_CODEC_VP8:
            return is_vp8(payload, is_key);
        default:
            return true;
    }
}

}  // namespace tapedeck::host
