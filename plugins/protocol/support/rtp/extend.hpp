// Sequence numbers and timestamps as 64-bit numbers that never wrap.
#pragma once

#include <cstdint>

namespace tapedeck::rtp {

/// The number nearest to `reference` whose lowest `Bits` bits are `value`. Unlike tapedeck::Unwrapper it keeps no
/// state, so that a stray value changes nothing: sequence numbers 16, timestamps 32, NTP's middle 32.
template <unsigned Bits>
constexpr std::int64_t nearest(std::int64_t reference, std::uint64_t value) {
    static_assert(Bits >= 8 && Bits <= 62);
    constexpr std::uint64_t range = std::uint64_t{1} << Bits;
    const std::uint64_t forward = (value - static_cast<std::uint64_t>(reference)) & (range - 1);
    const auto near = reference + static_cast<std::int64_t>(forward);
    return forward >= range / 2 ? near - static_cast<std::int64_t>(range) : near;
}

}  // namespace tapedeck::rtp
