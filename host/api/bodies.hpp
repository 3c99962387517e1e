// The JSON bodies of REST requests as values. Pure: no sockets, no clock.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/controls.hpp"
#include "base/error.hpp"

namespace tapedeck::host::api {

// All throw Error TD_MALFORMED that names the member and the way out. Booleans may come as texts, numbers as texts and
// texts as numbers; unknown members are ignored (wcs-compat section 1).

/// A body that must be a JSON object. Nothing at all is malformed unless `may_be_empty`, then it is `{}`.
boost::json::object parse_object(std::string_view body, bool may_be_empty = false);

/// A text, number or boolean as text; nothing when there is no such member or it is null.
std::optional<std::string> text_member(const boost::json::object& object, std::string_view name);
/// `true`, `false`, `"true"`, `"false"`, in any case of letters.
std::optional<bool> boolean_member(const boost::json::object& object, std::string_view name);

/// `{"mediaSessionId": "...", "config": {"fileTemplate": "...", "rotation": "20M"}}` (R69, R71).
struct StartRequest {
    std::string media_session;
    RecorderControl::Settings settings;
};
StartRequest parse_start(std::string_view body);

/// `{"mediaSessionId": "..."}` (R75).
std::string parse_media_session(std::string_view body);

/// Which streams `/stream/find` shows and `/stream/terminate` ends: those that fit in all that is given.
struct StreamFilter {
    std::vector<std::string> media_sessions;  ///< one of them; empty: any
    std::optional<std::string> name, session, application, status, media_type, provider;
    std::optional<bool> published, record;
    bool with_metrics = false;  ///< `display: ["metrics"]`

    /// Whether it says nothing at all, so that it fits every stream.
    bool is_open() const;
    bool fits(const StreamObject& stream) const;
};
/// Of `/stream/find`: an empty body fits all.
StreamFilter parse_filter(std::string_view body);
/// Of `/stream/terminate`: a body that fits all is malformed, because it would end every stream.
StreamFilter parse_termination(std::string_view body);

}  // namespace tapedeck::host::api
