#include "store/naming.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tapedeck::host {
namespace {

std::string without_leading_dot(std::string_view part) {
    std::string out(part);
    if (out.starts_with('.')) out.front() = '_';
    return out;
}

[[noreturn]] void refuse(std::string_view stem, const char* why) {
    throw Error(fmt::format("the name '{}' {}", printable(stem), why), TD_MALFORMED);
}

}  // namespace

std::string_view cut_utf8(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) return text;
    std::size_t end = bytes;
    // A character has at most three bytes after its first; more of them is no UTF-8 and may be cut anywhere.
    while (end > 0 && bytes - end < 3 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    if ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) end = bytes;
    return text.substr(0, end);
}

std::string make_key(const NameParts& parts, unsigned copy) {
    const std::string_view stem = parts.stem;
    if (stem.starts_with('/')) refuse(stem, "is absolute");
    if (std::ranges::any_of(stem, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
        refuse(stem, "has control characters");
    }
    std::string key;
    std::size_t begin = 0;
    for (std::size_t slash = stem.find('/'); slash != std::string_view::npos; slash = stem.find('/', begin)) {
        const std::string_view folder = stem.substr(begin, slash - begin);
        begin = slash + 1;
        if (folder == "." || folder == "..") refuse(stem, "leads out of the folder of recordings");
        if (folder.empty()) continue;
        key += without_leading_dot(cut_utf8(folder, most_name_bytes)) + '/';
    }
    const std::string_view last = stem.substr(begin);
    if (last == "." || last == "..") refuse(stem, "leads out of the folder of recordings");
    std::string tail;
    if (parts.segment > 0) tail += fmt::format("_{}", parts.segment);
    if (copy > 1) tail += fmt::format("-{}", copy);
    std::string name = last.empty() ? "unnamed" : without_leading_dot(last);
    if (!parts.extension.empty()) {
        tail += fmt::format(".{}", safe_file_name(parts.extension));
    }
    if (tail.size() >= most_name_bytes) refuse(stem, "has no room beside its extension");
    name = cut_utf8(name, most_name_bytes - tail.size());
    if (name.ends_with(".part")) name[name.size() - 5] = '_';
    key += name + tail;
    if (key.size() > most_key_bytes) refuse(stem, "is longer than 2048 bytes");
    return key;
}

std::string safe_file_name(std::string_view text) {
    std::string out(text.substr(0, 100));
    std::ranges::replace_if(
        out,
        [](char c) {
            const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                               c == '_' || c == '.';
            return !plain;
        },
        '_');
    if (out.empty()) out = "unnamed";
    if (out.front() == '.') out.front() = '_';
    return out;
}

std::string part_name(std::string_view media_session, unsigned number, std::string_view extension) {
    return fmt::format("{}-{}.part.{}", safe_file_name(media_session), number, safe_file_name(extension));
}

bool is_part_name(std::string_view name) {
    const auto dot = name.rfind('.');
    return dot != std::string_view::npos && dot + 1 < name.size() && name.substr(0, dot).ends_with(".part") &&
           !name.starts_with('.');
}

}  // namespace tapedeck::host
