// Random names.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>

namespace tapedeck {

/// A random UUID with 122 bits of the system's entropy (RFC 9562 section 5.4). Any thread.
inline std::string make_uuid() {
    std::random_device random;
    const std::array<unsigned, 4> words{random(), random(), random(), random()};
    std::array<char, 37> text{};
    std::snprintf(text.data(), text.size(), "%08x-%04x-4%03x-%04x-%04x%08x", words[0], words[1] >> 16, words[1] & 0xfff,
                  0x8000U | (words[2] >> 16 & 0x3fff), words[2] & 0xffff, words[3]);
    return text.data();
}

}  // namespace tapedeck
