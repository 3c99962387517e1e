#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "api/answers.hpp"
#include "api/file_answer.hpp"
#include "api/routes.hpp"
#include "api/url.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tapedeck::host::api {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view pages_prefix = "/client2/";

/// Empty for what is no part of a page.
std::string_view type_of(const fs::path& path) {
    constexpr std::pair<std::string_view, std::string_view> types[] = {
        {".html", "text/html;charset=UTF-8"},
        {".css", "text/css;charset=UTF-8"},
        {".js", "text/javascript;charset=UTF-8"},
        {".txt", "text/plain;charset=UTF-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".ico", "image/vnd.microsoft.icon"},
    };
    const std::string extension = lower(path.extension().string());
    const auto* const found = std::ranges::find(types, extension, [](const auto& row) { return row.first; });
    return found == std::end(types) ? "" : found->second;
}

/// Where `name` lies once links are followed; nothing where there is nothing or it lies outside of `folder`.
std::optional<fs::path> resolve(const fs::path& folder, const std::string& name) {
    std::error_code missing;
    const auto root = fs::canonical(folder, missing);
    if (missing) return {};
    const auto path = fs::canonical(root / name, missing);
    if (missing || std::ranges::mismatch(root, path).in1 != root.end()) return {};
    return path;
}

/// Relative links of a folder's page need the slash at its end.
Response redirect_to_folder(const Request& request) {
    Response response;
    response.status = 301;
    response.headers = {
        {"Location", fmt::format("{}/{}{}", request.path, request.query.empty() ? "" : "?", request.query)}};
    return response;
}

Response page(const fs::path& folder, const Request& request) {
    std::string encoded = request.path.substr(pages_prefix.size());
    if (encoded.empty() || encoded.ends_with('/')) encoded += "index.html";
    const auto name = file_name(encoded);
    const auto path = name ? resolve(folder, *name) : std::nullopt;
    if (path && fs::is_directory(*path)) return redirect_to_folder(request);
    auto content = path ? open_file(*path, path->filename()) : std::nullopt;
    if (!content) return error_answer(404, "no such page", request.path);
    content->type = type_of(*path);
    return file_answer(request, *content, {});
}

}  // namespace

void add_page_routes(Router& router, fs::path folder, Workers& workers) {
    const auto serve = [folder = std::move(folder), &workers](const Request& request, const Answer& answer) {
        const bool posted = workers.post([folder, request, answer] {
            try {
                answer(page(folder, request));
            } catch (const std::exception& reason) {
                log::error("{}: {}", printable(request.path, 400), reason.what());
                answer(error_answer(500, "the page cannot be read; the server's log says why", request.path));
            }
        });
        if (!posted) answer(error_answer(503, "too many requests wait for the disk", request.path));
    };
    router.add({"GET"}, std::string(pages_prefix) + "*", serve);
}

}  // namespace tapedeck::host::api
