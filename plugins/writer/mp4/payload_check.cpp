#include "payload_check.hpp"

#include <algorithm>

namespace tapedeck::mp4 {
namespace {

// Three zero bytes are against the rules already; encoders that pad are let through.
constexpr int longest_zeros = 32;

bool has_hole(View nal) {
    return std::search_n(nal.begin(), nal.end(), longest_zeros, std::uint8_t{0}) != nal.end();
}

}  // namespace

bool is_access_unit(View sample) {
    if (sample.empty()) return false;
    try {
        ByteReader reader(sample);
        while (!reader.empty()) {
            const View nal = reader.take(reader.u32());
            if (nal.empty() || has_hole(nal)) return false;
        }
    } catch (const Malformed&) {
        return false;
    }
    return true;
}

bool is_sound(View sample) {
    return std::ranges::any_of(sample, [](std::uint8_t byte) { return byte != 0; });
}

}  // namespace tapedeck::mp4
