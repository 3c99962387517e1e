// The shapes of answers: JSON, empty, and the error body of wcs-compat section 1.10.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "api/message.hpp"
#include "base/error.hpp"

namespace tapedeck::host::api {

inline constexpr std::string_view json_type = "application/json;charset=UTF-8";

/// `Not Found` for 404.
std::string_view phrase_of(int status);

/// The HTTP status of a failure: see Done in controls.hpp. `bad_request` stands for TD_MALFORMED.
int status_of(const Error& failure, int bad_request = 400);

/// What is no UTF-8 in it, such as the name of a stream, becomes `?`.
Response json_answer(const boost::json::value& value, int status = 200);
/// A list; an empty one is an error of `empty_status`, saying `nothing`, unless that is 200.
Response list_answer(boost::json::array list, std::string_view nothing, int empty_status, std::string_view path);
Response text_answer(std::string text, std::string type);

/// `{"exception": "NotFoundException", "reason": ..., "path": ..., "error": "Not Found", "message": ..., "timestamp":
/// ..., "status": 404}`.
Response error_answer(int status, std::string_view reason, std::string_view path);

}  // namespace tapedeck::host::api
