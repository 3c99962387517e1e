// The bodies of /vod requests.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "play.hpp"

namespace tapedeck::file_source {

/// The file that `vod://name` means in `folder`. Throws Error: TD_MALFORMED for another scheme or a way out of the
/// folder, TD_NOT_FOUND when there is none.
std::filesystem::path file_of(const std::string& uri, const std::filesystem::path& folder);

/// Throws Error, TD_MALFORMED, which names the member and its value.
PlayRequest parse_startup(std::string_view body, const std::filesystem::path& folder);

/// What find shows of a play, as a JSON object.
std::string describe(const Play& play);

}  // namespace tapedeck::file_source
