// The stream object of wcs-compat section 4.
#pragma once

#include <boost/json/object.hpp>

#include "api/controls.hpp"

namespace tapedeck::host::api {

/// All members that WCS sends, in its order.
boost::json::object to_json(const StreamObject& stream, bool with_metrics);

}  // namespace tapedeck::host::api
