#include "config/properties.hpp"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>

#include "tapedeck/utf8.hpp"

namespace tapedeck::host {
namespace {

constexpr std::uint32_t replacement = 0xFFFD;

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\f';
}

bool is_line_end(char c) {
    return c == '\n' || c == '\r';
}

void append_utf8(std::string& out, std::uint32_t code) {
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | code >> 6);
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3F));
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

std::string to_utf8(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (is_utf8(text)) return std::string(text);
    std::string out;
    for (const char c : text) append_utf8(out, static_cast<std::uint8_t>(c));
    return out;
}

/// Joins continued lines and leaves out blank ones and comments.
class LineReader {
public:
    explicit LineReader(std::string_view text) : text_(text) {}

    /// The next logical line without leading space, or nothing at the end.
    std::optional<std::string> next() {
        while (at_ < text_.size()) {
            start_ = line_;
            skip_space();
            if (at_ < text_.size() && (text_[at_] == '#' || text_[at_] == '!')) {
                natural_line();
                continue;
            }
            std::string logical(natural_line());
            while (drop_continuation(logical) && at_ < text_.size()) {
                skip_space();
                logical += natural_line();
            }
            if (!logical.empty()) return logical;
        }
        return std::nullopt;
    }

    /// Where the logical line begins.
    std::size_t start() const { return start_; }

private:
    void skip_space() {
        while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    }

    std::string_view natural_line() {
        const std::size_t from = at_;
        while (at_ < text_.size() && !is_line_end(text_[at_])) ++at_;
        const std::string_view found = text_.substr(from, at_ - from);
        if (at_ < text_.size()) {
            const bool pair = text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n';
            at_ += pair ? 2 : 1;
            ++line_;
        }
        return found;
    }

    /// An odd number of backslashes at the end: the line goes on.
    static bool drop_continuation(std::string& line) {
        std::size_t slashes = 0;
        while (slashes < line.size() && line[line.size() - 1 - slashes] == '\\') ++slashes;
        if (slashes % 2 == 0) return false;
        line.pop_back();
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
    std::size_t start_ = 1;
};

/// The four digits of \uXXXX at `at`, or nothing.
std::optional<std::uint32_t> unit_at(std::string_view text, std::size_t at) {
    if (at + 4 > text.size()) return std::nullopt;
    std::uint32_t code = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
        const char c = text[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return std::nullopt;
        code = code << 4 | static_cast<std::uint32_t>(digit);
    }
    return code;
}

bool is_high(std::uint32_t unit) {
    return unit >= 0xD800 && unit < 0xDC00;
}

bool is_low(std::uint32_t unit) {
    return unit >= 0xDC00 && unit < 0xE000;
}

/// Resolves escapes and drops plain space at the end; an escaped space stays.
std::string unescape(std::string_view raw, bool& broken) {
    std::string out;
    std::size_t kept = 0;  // what came by an escape is not trimmed
    for (std::size_t at = 0; at < raw.size(); ++at) {
        if (raw[at] != '\\') {
            out.push_back(raw[at]);
            continue;
        }
        if (++at == raw.size()) break;
        if (raw[at] != 'u') {
            const std::size_t named = std::string_view("tnrf").find(raw[at]);
            out.push_back(named == std::string_view::npos ? raw[at] : "\t\n\r\f"[named]);
        } else if (const auto unit = unit_at(raw, at + 1)) {
            at += 4;
            std::uint32_t code = *unit;
            if (is_high(code) && raw.substr(at + 1, 2) == "\\u") {
                const auto low = unit_at(raw, at + 3);
                if (low && is_low(*low)) {
                    code = 0x10000 + ((code - 0xD800) << 10) + (*low - 0xDC00);
                    at += 6;
                }
            }
            append_utf8(out, is_high(code) || is_low(code) ? replacement : code);
        } else {
            broken = true;
            out += "\\u";
        }
        kept = out.size();
    }
    while (out.size() > kept && is_space(out.back())) out.pop_back();
    return out;
}

/// Where the key ends: at the first `=`, `:` or space that is not escaped.
std::size_t key_end(std::string_view line) {
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (line[at] == '\\')
            ++at;
        else if (line[at] == '=' || line[at] == ':' || is_space(line[at]))
            return at;
    }
    return line.size();
}

std::string_view value_after(std::string_view rest) {
    const auto trim = [&rest] {
        while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
    };
    trim();
    if (!rest.empty() && (rest.front() == '=' || rest.front() == ':')) {
        rest.remove_prefix(1);
        trim();
    }
    return rest;
}

}  // namespace

const Property* Properties::find(std::string_view key) const {
    for (const Property& property : entries)
        if (property.key == key) return &property;
    return nullptr;
}

Properties parse_properties(std::string_view text) {
    const std::string utf8 = to_utf8(text);
    Properties result;
    std::vector<Property> all;
    std::unordered_map<std::string, std::size_t> last;  // key -> its index in `all`
    LineReader reader(utf8);
    while (const auto line = reader.next()) {
        const std::size_t end = key_end(*line);
        bool broken = false;
        Property property;
        property.key = unescape(std::string_view(*line).substr(0, end), broken);
        property.value = unescape(value_after(std::string_view(*line).substr(end)), broken);
        property.line = reader.start();
        if (broken)
            result.notes.push_back({property.line, "'" + property.key +
                                                       "': a \\u without four hexadecimal digits is kept as "
                                                       "it is; write \\\\u where a backslash is meant"});
        if (const auto known = last.find(property.key); known != last.end()) {
            result.notes.push_back({property.line, "'" + property.key + "' is given again; line " +
                                                       std::to_string(all[known->second].line) + " does not count"});
        }
        last[property.key] = all.size();
        all.push_back(std::move(property));
    }
    for (std::size_t i = 0; i < all.size(); ++i)
        if (last[all[i].key] == i) result.entries.push_back(std::move(all[i]));
    return result;
}

}  // namespace tapedeck::host
