#include "payload_check.hpp"

#include <algorithm>

namespace tapedeck::mp4 {
namespace {

// Three zero bytes are against the rules already; encoders that pad are let through.
constexpr int longest_zeros = 32;

constexpr int block = 512;

bool has_hole(View bytes, int zeros) {
    return std::search_n(bytes.begin(), bytes.end(), zeros, std::uint8_t{0}) != bytes.end();
}

}  // namespace

bool is_access_unit(View sample) {
    if (sample.empty()) return false;
    try {
        ByteReader reader(sample);
        while (!reader.empty()) {
            const View nal = reader.take(reader.u32());
            if (nal.empty() || has_hole(nal, longest_zeros)) return false;
        }
    } catch (const Malformed&) {
        return false;
    }
    return true;
}

bool is_picture(View sample) {
    return !sample.empty() && !has_hole(sample, block);
}

bool is_sound(View sample) {
    return std::ranges::any_of(sample, [](std::uint8_t byte) { return byte != 0; });
}

}  // namespace tapedeck::mp4
