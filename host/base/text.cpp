#include "base/text.hpp"

#include <algorithm>

namespace tapedeck::host {

std::string printable(std::string_view text, std::size_t limit) {
    std::string out(text.substr(0, limit));
    std::ranges::replace_if(
        out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    if (text.size() > limit) out += "...";
    return out;
}

}  // namespace tapedeck::host
