#include "message.hpp"

#include <algorithm>
#include <charconv>

namespace tapedeck::rtsp {

namespace {

constexpr std::size_t longest_head = 16 * 1024, most_headers = 64, longest_body = 256 * 1024;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Takes what stands before `separator`, or all.
std::string_view take(std::string_view& rest, std::string_view separator) {
    const auto at = rest.find(separator);
    const auto taken = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + separator.size());
    return taken;
}

void first_line(Message& message, std::string_view line) {
    const auto first = take(line, " ");
    if (first.starts_with("RTSP/")) {
        const auto status = number(trimmed(take(line, " ")), 999);
        if (!status || *status < 100) throw Malformed("RTSP: a response without a status");
        message.status = static_cast<int>(*status);
        message.reason = trimmed(line);
        return;
    }
    const auto is_word = [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; };
    message.method = first;
    message.uri = take(line, " ");
    if (first.empty() || first.size() > 32 || !std::all_of(first.begin(), first.end(), is_word) ||
        !trimmed(line).starts_with("RTSP/") || message.uri.empty())
        throw Malformed("RTSP: neither a request nor a response");
}

/// Where the head ends: behind an empty line, of CRLF or LF. Npos: not yet.
std::size_t end_of_head(std::string_view text) {
    const auto crlf = text.find("\r\n\r\n"), lf = text.find("\n\n");
    if (crlf == std::string_view::npos && lf == std::string_view::npos) return crlf;
    return std::min(crlf == std::string_view::npos ? crlf : crlf + 4, lf == std::string_view::npos ? lf : lf + 2);
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto from = text.find_first_not_of(blanks);
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(blanks) - from + 1);
}

std::optional<std::uint32_t> number(std::string_view text, std::uint32_t most) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
    return value;
}

std::string_view Message::header(std::string_view name) const {
    for (const auto& [key, value] : headers)
        if (same_name(key, name)) return value;
    return {};
}

std::vector<std::string_view> Message::headers_of(std::string_view name) const {
    std::vector<std::string_view> found;
    for (const auto& [key, value] : headers)
        if (same_name(key, name)) found.emplace_back(value);
    return found;
}

std::string write(const Message& message) {
    auto text = message.is_request() ? message.method + " " + message.uri + " RTSP/1.0\r\n"
                                     : "RTSP/1.0 " + std::to_string(message.status) + " " + message.reason + "\r\n";
    for (const auto& [name, value] : message.headers) text.append(name).append(": ").append(value).append("\r\n");
    if (!message.body.empty()) text += "Content-Length: " + std::to_string(message.body.size()) + "\r\n";
    return text + "\r\n" + message.body;
}

Front parse(ByteSpan bytes) {
    Front front;
    if (bytes.empty()) return front;
    if (bytes[0] == '$') {
        if (bytes.size() < 4) return front;
        const auto size = static_cast<std::size_t>(bytes[2] << 8 | bytes[3]);
        front.needs = 4 + size;
        if (bytes.size() < front.needs) return front;
        front.used = 4 + size;
        front.channel = bytes[1];
        front.packet = bytes.subspan(4, size);
        return front;
    }
    const std::string_view text(static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size());
    const auto blank = text.find_first_not_of("\r\n");  // between messages some senders leave empty lines
    if (blank != 0) {
        front.used = std::min(blank, text.size());
        return front;
    }
    if (text[0] < 'A' || text[0] > 'Z') throw Malformed("RTSP: neither a message nor a packet begins");
    const auto head = end_of_head(text.substr(0, longest_head));
    if (head == std::string_view::npos) {
        if (text.size() >= longest_head) throw Malformed("RTSP: a head of over 16 KiB");
        return front;
    }
    auto rest = text.substr(0, head);
    Message message;
    first_line(message, trimmed(take(rest, "\n")));
    while (!rest.empty()) {
        auto line = trimmed(take(rest, "\n"));
        if (line.empty()) continue;
        if (message.headers.size() == most_headers) throw Malformed("RTSP: over 64 headers");
        const auto name = trimmed(take(line, ":"));
        message.headers.emplace_back(name, trimmed(line));
    }
    std::size_t body = 0;
    if (const auto length = message.header("Content-Length"); !length.empty()) {
        const auto value = number(length, longest_body);
        if (!value) throw Malformed("RTSP: a body of " + std::string(length.substr(0, 20)) + " bytes");
        body = *value;
    }
    front.needs = head + body;
    if (text.size() < front.needs) return front;
    message.body = text.substr(head, body);
    front.used = head + body;
    front.message = std::move(message);
    return front;
}

}  // namespace tapedeck::rtsp
