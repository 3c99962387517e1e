#include "api/file_answer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "api/answers.hpp"
#include "base/at_once.hpp"
#include "base/text.hpp"

namespace tapedeck::host::api {
namespace {

std::string_view type_of_record(std::string_view name) {
    constexpr std::pair<std::string_view, std::string_view> types[] = {
        {".mp4", "video/mp4"}, {".m4a", "audio/mp4"},   {".webm", "video/webm"},       {".mkv", "video/x-matroska"},
        {".ts", "video/mp2t"}, {".flv", "video/x-flv"}, {".json", "application/json"}, {".csv", "text/csv"},
    };
    const std::string lower_case = lower(name);
    for (const auto& [ending, type] : types) {
        if (lower_case.ends_with(ending)) return type;
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
bool takes_range(const Request& request, const FileContent& content) {
    if (request.method != "GET") return false;
    const std::string_view if_range = request.header("if-range");
    return content.version ? allows_part(if_range, *content.version) : if_range.empty();
}

}  // namespace

std::optional<FileContent> content_of(std::shared_ptr<const OpenFile> file, const std::filesystem::path& path,
                                      std::string name) {
    struct stat facts {};
    if (::fstat(file->descriptor(), &facts) != 0) throw_errno(printable(path.string(), 400), errno);
    if (!S_ISREG(facts.st_mode)) return {};
    FileContent content;
    content.name = std::move(name);
    content.files = {{std::move(file), 0, static_cast<std::uint64_t>(facts.st_size)}};
    content.version = {fmt::format("\"{:x}-{:x}{:08x}\"", facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec),
                       facts.st_mtim.tv_sec};
    return content;
}

std::optional<FileContent> open_file(const std::filesystem::path& path, std::string name) {
    // O_NONBLOCK: a FIFO under the name must not hold a thread.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG || errno == ELOOP) return {};
        throw_errno(printable(path.string(), 400), errno);
    }
    return content_of(std::make_shared<const OpenFile>(descriptor, is_local(descriptor)), path, std::move(name));
}

Response file_answer(const Request& request, const FileContent& content, const std::string& disposition) {
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
    response.headers.emplace_back("Content-Type", content.type.empty() ? type_of_record(content.name) : content.type);
    if (!disposition.empty())
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
