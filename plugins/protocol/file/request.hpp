// The bodies of /vod requests.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "play.hpp"

namespace tapedeck::file_source {

/// What find and terminate are given; empty members were not.
struct Filter {
    std::string uri, stream;
    bool matches(const PlayRequest& play) const {
        return (uri.empty() || uri == play.uri) && (stream.empty() || stream == play.stream);
    }
};

/// The file that `vod://name` means in `folder`. Throws Error: TD_MALFORMED for another scheme or a way out of the
/// folder, TD_NOT_FOUND when there is none.
std::filesystem::path file_of(const std::string& uri, const std::filesystem::path& folder);

/// Throws Error, TD_MALFORMED, which names the member and its value.
PlayRequest parse_startup(std::string_view body, const std::filesystem::path& folder);
Filter parse_filter(std::string_view body);

/// What find shows of a play, as a JSON object.
std::string describe(const Play& play);

}  // namespace tapedeck::file_source
