#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "api/answers.hpp"
#include "api/part_times.hpp"
#include "api/range.hpp"
#include "api/routes.hpp"
#include "api/url.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tapedeck::host::api {
namespace {

constexpr std::string_view prefix = "/client/records/";

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

Version version_of(const struct stat& facts) {
    return {fmt::format("\"{:x}-{:x}{:08x}\"", facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec),
            facts.st_mtim.tv_sec};
}

/// A regular file opened for reading, and what is known of it; nothing when there is none.
struct Opened {
    std::shared_ptr<const OpenFile> file;
    struct stat facts;
};
std::optional<Opened> open_file(const std::string& path) {
    // O_NONBLOCK: a FIFO under the name must not hold a thread.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG || errno == ELOOP) return {};
        throw_errno(printable(path, 400), errno);
    }
    Opened opened{std::make_shared<OpenFile>(descriptor), {}};
    if (::fstat(descriptor, &opened.facts) != 0) throw_errno(printable(path, 400), errno);
    if (!S_ISREG(opened.facts.st_mode)) return {};
    return opened;
}

/// The answer for an opened file: whole, in part, or that the client has it already.
Response file_answer(const Request& request, const Opened& opened, const std::string& name,
                     const std::string& disposition) {
    const auto size = static_cast<std::uint64_t>(opened.facts.st_size);
    const auto version = version_of(opened.facts);
    Response response;
    response.headers = {{"ETag", version.etag},
                        {"Last-Modified", http_date(version.modified)},
                        {"Accept-Ranges", "bytes"},
                        {"Cache-Control", "no-cache"}};  // kept, but asked for each time: names may be used again
    if (is_unwanted(request.header("if-match"), request.header("if-unmodified-since"), version)) {
        return error_answer(412, "the file is not the one that If-Match or If-Unmodified-Since asks for", request.path);
    }
    if (is_unchanged(request.header("if-none-match"), request.header("if-modified-since"), version)) {
        response.status = 304;
        return response;
    }
    response.headers.emplace_back("Content-Type", content_type(name));
    response.headers.emplace_back("Content-Disposition", disposition_value(disposition, name));
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.file = {opened.file, 0, size};
    if (request.method != "GET" || !allows_part(request.header("if-range"), version)) return response;
    const auto range = parse_range(request.header("range"), size);
    if (range.kind == RangeRequest::Kind::Unsatisfiable) {
        auto refused = error_answer(416, fmt::format("the file has {} bytes", size), request.path);
        refused.headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
        return refused;
    }
    if (range.kind == RangeRequest::Kind::Part) {
        response.status = 206;
        response.file.first = range.part.first;
        response.file.count = range.part.last - range.part.first + 1;
        response.headers.emplace_back("Content-Range",
                                      fmt::format("bytes {}-{}/{}", range.part.first, range.part.last, size));
    }
    return response;
}

/// The answer for a path that is known to be there.
Response path_answer(const Request& request, const std::filesystem::path& path, const std::string& name,
                     const std::string& disposition) {
    const auto opened = open_file(path.string());
    if (!opened) return error_answer(404, "no such recording", request.path);
    return file_answer(request, *opened, name, disposition);
}

Response cut_failure(const Request& request, const Error& failure) {
    const int status = status_of(failure);
    if (status >= 500) log::warning("{}: {}", printable(request.target, 400), failure.what());
    return error_answer(status, failure.what(), request.path);
}

/// What all requests for records share.
struct Files {
    RecordFiles& files;
    RecordCuts& cuts;
    CurrentRestOptions options;
};

/// Runs `make` and answers with what it gives, or with what it throws.
template <class Make>
void answer_with(const Request& request, const Answer& answer, Make make) {
    try {
        answer(make());
    } catch (const std::exception& failure) {
        log::error("{}: {}", printable(request.path, 400), failure.what());
        answer(error_answer(500, "the file cannot be read; the server's log says why", request.path));
    }
}

void answer_part(const Files& parts, const Request& request, const Answer& answer, const std::filesystem::path& source,
                 const std::string& name, const RecordCuts::Times& times) {
    parts.cuts.cut(source, name, times,
                   [request, answer, options = parts.options](const std::filesystem::path* part, const Error* failure) {
                       answer_with(request, answer, [&] {
                           if (failure != nullptr) return cut_failure(request, *failure);
                           return path_answer(request, *part, part->filename().string(), options().disposition);
                       });
                   });
}

void answer_record(const Files& parts, const Request& request, const Answer& answer) {
    const auto name = file_name(std::string_view(request.path).substr(prefix.size()));
    if (!name) return answer(error_answer(404, "no such recording", request.path));
    const auto located = parts.files.locate(*name);
    if (located.state == RecordFiles::State::Running) {
        return answer(
            error_answer(404, "this recording is still running; it is offered when it has ended", request.path));
    }
    if (located.state == RecordFiles::State::Missing)
        return answer(error_answer(404, "no such recording", request.path));
    std::optional<RecordCuts::Times> times;
    if (!request.query.empty() && parts.cuts.can_cut(*name)) {
        try {
            times = parse_part_times(request.query);
        } catch (const Error& failure) {
            return answer(cut_failure(request, failure));
        }
    }
    if (times) return answer_part(parts, request, answer, located.path, *name, *times);
    answer(path_answer(request, located.path, *name, parts.options().disposition));
}

}  // namespace

void add_file_routes(Router& router, RecordFiles& files, RecordCuts& cuts, Workers& workers,
                     CurrentRestOptions options) {
    const Files parts{files, cuts, std::move(options)};
    router.add({"GET"}, std::string(prefix) + "*", [parts, &workers](const Request& request, const Answer& answer) {
        const bool accepted = workers.post([parts, request, answer] {
            try {
                answer_record(parts, request, answer);
            } catch (const std::exception& failure) {
                log::error("{}: {}", printable(request.path, 400), failure.what());
                answer(error_answer(500, "the file cannot be read; the server's log says why", request.path));
            }
        });
        if (!accepted) answer(error_answer(503, "too many requests wait for the disk", request.path));
    });
}

}  // namespace tapedeck::host::api
