// /rest-api/rtsp (Flashphoner's shapes, and some members more).
#pragma once

#include <string_view>

#include "pulls.hpp"
#include "tapedeck/http.hpp"

namespace tapedeck::rtsp {

/// The body of `startup`. Throws Error, TD_MALFORMED, which names the member and its value.
PullRequest parse_startup(std::string_view body);

/// Adds startup, find, find_all and terminate. `pulls` outlives the routes.
void serve(Http& http, Pulls& pulls);

}  // namespace tapedeck::rtsp
