// The part of a record that a query asks for: `?start=11&end=60.5` (R93, R94). Pure.
#pragma once

#include <optional>
#include <string_view>

#include "api/controls.hpp"

namespace tapedeck::host::api {

/// Nothing when the query has neither `start` nor `end`. Seconds, with a fraction after a dot; what is finer than a
/// microsecond is dropped. Throws Error TD_MALFORMED for anything else, and when `end` is not behind `start`.
std::optional<RecordCuts::Times> parse_part_times(std::string_view query);

}  // namespace tapedeck::host::api
