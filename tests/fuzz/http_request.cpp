// HTTP requests as they come from the wire: the first byte is the size of the pieces. A name out of a path must never
// lead out of its folder, and a range never beyond its file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "api/range.hpp"
#include "api/request_parser.hpp"
#include "api/url.hpp"

using namespace tapedeck::host;

namespace {

constexpr std::uint64_t file_size = 1000;

void use(const api::Request& request) {
    if (const auto name = api::file_name(request.path)) {
        const auto path = (std::filesystem::path("/records") / *name).lexically_normal().string();
        if (!path.starts_with("/records/")) __builtin_trap();
    }
    (void)api::query_member(request.query, "action");
    for (const auto& [name, value] : request.headers) {
        const auto range = api::parse_range(value, file_size);
        const bool valid = range.part.first <= range.part.last && range.part.last < file_size;
        if (range.kind == api::RangeRequest::Kind::Part && !valid) __builtin_trap();
        const api::Version version{"\"1-2\"", 784111777};
        (void)api::is_unchanged(value, name, version);
        (void)api::allows_part(value, version);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t piece = data[0] + std::size_t{1};
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    constexpr std::size_t most_body = 512;
    api::RequestParser parser({1024, most_body});
    std::string received;
    try {
        for (std::size_t at = 0; at < bytes.size() && !parser.is_done();) {
            const auto more = bytes.substr(at, piece);
            received += more;
            at += more.size();
            received.erase(0, parser.feed(received));
        }
        if (parser.has_head()) use(parser.head());
        if (parser.is_done() && parser.take().body.size() > most_body) __builtin_trap();
    } catch (const api::Rejected& rejected) {
        if (rejected.http_status() < 400 || rejected.http_status() > 431) __builtin_trap();
    }
    return 0;
}
