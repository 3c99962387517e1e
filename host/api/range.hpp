// Range requests and the dates they compare (RFC 9110 sections 5.6.7, 13 and 14). Pure.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "api/message.hpp"

namespace tapedeck::host::api {

/// Part of a file: never empty, never beyond its end.
struct ByteRange {
    std::uint64_t first, last;
};

/// What a `Range` header asks of a file of `size` bytes. Whole: no header, another unit, several ranges or nonsense;
/// the header is then ignored, as section 14.2 allows. Unsatisfiable: 416.
struct RangeRequest {
    enum class Kind { Whole, Part, Unsatisfiable };
    Kind kind = Kind::Whole;
    ByteRange part{};
};
RangeRequest parse_range(std::string_view header, std::uint64_t size);

/// These bytes of files that lie one behind the other.
FileParts slice(const FileParts& files, ByteRange part);

/// What a file is known by: it changes when the file does.
struct Version {
    std::string etag;  ///< strong, with its quotes
    std::time_t modified;
};

/// `Sun, 06 Nov 1994 08:49:37 GMT`, in no other form and no other zone.
std::string http_date(std::time_t time);
std::optional<std::time_t> parse_http_date(std::string_view text);

/// Whether the client wants only another version than this (412): If-Match, and without it If-Unmodified-Since.
bool is_unwanted(std::string_view if_match, std::string_view if_unmodified_since, const Version& version);
/// Whether the client's copy is the same (304): If-None-Match, and without it If-Modified-Since.
bool is_unchanged(std::string_view if_none_match, std::string_view if_modified_since, const Version& version);
/// Whether an `If-Range` header lets a part be sent; true without one.
bool allows_part(std::string_view if_range, const Version& version);

}  // namespace tapedeck::host::api
