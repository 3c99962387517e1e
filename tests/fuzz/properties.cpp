// Properties text: whatever the bytes are, each key comes once, in the order of its lines, as UTF-8 that parses again.
#include "config/properties.hpp"

#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

/// As a line that means the same.
std::string written(const tapedeck::host::Property& property) {
    std::string line;
    const auto put = [&line](std::string_view text) {
        for (const char c : text) {
            if (c == '\n')
                line += "\\n";
            else if (c == '\r')
                line += "\\r";
            else
                line += {'\\', c};
            if (c == 't' || c == 'n' || c == 'r' || c == 'f' || c == 'u' || static_cast<unsigned char>(c) >= 0x80)
                line.erase(line.size() - 2, 1);
        }
    };
    put(property.key);
    line += '=';
    put(property.value);
    return line + '\n';
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto parsed = tapedeck::host::parse_properties(text);
    std::set<std::string_view> keys;
    std::size_t line = 0;
    std::string again = "\n";  // a byte order mark in a key is not the one of the text
    for (const auto& property : parsed.entries) {
        require(keys.insert(property.key).second);
        require(property.line > line);
        line = property.line;
        again += written(property);
    }
    require(line <= size + 1);
    const auto second = tapedeck::host::parse_properties(again);
    require(second.notes.empty() && second.entries.size() == parsed.entries.size());
    for (std::size_t i = 0; i < second.entries.size(); ++i) {
        require(second.entries[i].key == parsed.entries[i].key);
        require(second.entries[i].value == parsed.entries[i].value);
    }
    return 0;
}
