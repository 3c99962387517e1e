#include "api/record_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "api/answers.hpp"

namespace tapedeck::host::api {
namespace {

std::string_view content_type(std::string_view name) {
    constexpr std::pair<std::string_view, std::string_view> types[] = {
        {".mp4", "video/mp4"}, {".m4a", "audio/mp4"},   {".webm", "video/webm"},       {".mkv", "video/x-matroska"},
        {".ts", "video/mp2t"}, {".flv", "video/x-flv"}, {".json", "application/json"}, {".csv", "text/csv"},
    };
    std::string lower(name);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const auto& [ending, type] : types) {
        if (lower.ends_with(ending)) return type;
    }
    return "application/octet-stream";
}

/// `inline;filename="a.mp4"` (R92): quotes and backslashes escaped as RFC 9110 section 5.6.4 says.
std::string disposition_value(const std::string& setting, std::string_view name) {
    std::string escaped;
    for (const char c : name.substr(name.rfind('/') + 1)) {
        if (c == '"' || c == '\\') escaped += '\\';
        escaped += c;
    }
    return fmt::format("{};filename=\"{}\"", setting, escaped);
}

/// Whether a range counts: not where `If-Range` names another version.
bool takes_range(const Request& request, const RecordContent& content) {
    if (request.method != "GET") return false;
    const std::string_view if_range = request.header("if-range");
    return content.version ? allows_part(if_range, *content.version) : if_range.empty();
}

}  // namespace

Response record_answer(const Request& request, const RecordContent& content, const std::string& disposition) {
    std::uint64_t size = 0;
    for (const FilePart& part : content.files) size += part.count;
    Response response;
    if (content.version) {
        response.headers = {{"ETag", content.version->etag}, {"Last-Modified", http_date(content.version->modified)}};
        if (is_unwanted(request.header("if-match"), request.header("if-unmodified-since"), *content.version)) {
            return error_answer(412, "the file is not the one that If-Match or If-Unmodified-Since asks for",
                                request.path);
        }
    }
    response.headers.emplace_back("Accept-Ranges", "bytes");
    // What is final may be kept, but is asked for each time: names may be used again.
    response.headers.emplace_back("Cache-Control", content.is_final ? "no-cache" : "no-store");
    if (content.version &&
        is_unchanged(request.header("if-none-match"), request.header("if-modified-since"), *content.version)) {
        response.status = 304;
        return response;
    }
    response.headers.emplace_back("Content-Type", content_type(content.name));
    response.headers.emplace_back("Content-Disposition", disposition_value(disposition, content.name));
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    if (!content.warning.empty())
        response.headers.emplace_back("Warning", fmt::format("299 tapedeck \"{}\"", content.warning));
    response.files = content.files;
    response.hold = content.hold;
    if (!takes_range(request, content)) return response;
    const auto range = parse_range(request.header("range"), size);
    if (range.kind == RangeRequest::Kind::Unsatisfiable) {
        auto refused = error_answer(416, fmt::format("the file has {} bytes", size), request.path);
        refused.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
        return refused;
    }
    if (range.kind == RangeRequest::Kind::Part) {
        response.status = 206;
        response.files = slice(content.files, range.part);
        response.headers.emplace_back("Content-Range",
                                      fmt::format("bytes {}-{}/{}", range.part.first, range.part.last, size));
    }
    return response;
}

}  // namespace tapedeck::host::api
