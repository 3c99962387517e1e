#include "api/answers.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <utility>

#include "tapedeck/utf8.hpp"

namespace tapedeck::host::api {
namespace {

struct Known {
    int status;
    std::string_view phrase, exception;
};

constexpr Known known[] = {
    {101, "Switching Protocols", ""},
    {200, "OK", ""},
    {201, "Created", ""},
    {202, "Accepted", ""},
    {204, "No Content", ""},
    {206, "Partial Content", ""},
    {304, "Not Modified", ""},
    {307, "Temporary Redirect", ""},
    {400, "Bad Request", "BadRequestException"},
    {401, "Unauthorized", "UnauthorizedException"},
    {403, "Forbidden", "ForbiddenException"},
    {404, "Not Found", "NotFoundException"},
    {405, "Method Not Allowed", "MethodNotAllowedException"},
    {406, "Not Acceptable", "NotAcceptableException"},
    {408, "Request Timeout", "RequestTimeoutException"},
    {409, "Conflict", "ConflictException"},
    {412, "Precondition Failed", "PreconditionFailedException"},
    {413, "Payload Too Large", "PayloadTooLargeException"},
    {415, "Unsupported Media Type", "UnsupportedMediaTypeException"},
    {416, "Range Not Satisfiable", "RangeNotSatisfiableException"},
    {422, "Unprocessable Content", "UnprocessableContentException"},
    {426, "Upgrade Required", "UpgradeRequiredException"},
    {428, "Precondition Required", "PreconditionRequiredException"},
    {429, "Too Many Requests", "TooManyRequestsException"},
    {431, "Request Header Fields Too Large", "HeaderTooLargeException"},
    {500, "Internal Server Error", "InternalErrorException"},
    {501, "Not Implemented", "NotImplementedException"},
    {503, "Service Unavailable", "ServiceUnavailableException"},
    {504, "Gateway Timeout", "TimeoutException"},
};

const Known* find(int status) {
    for (const auto& entry : known) {
        if (entry.status == status) return &entry;
    }
    return nullptr;
}

}  // namespace

std::string_view phrase_of(int status) {
    const auto* entry = find(status);
    return entry == nullptr ? "Status" : entry->phrase;
}

int status_of(const Error& failure, int bad_request) {
    switch (failure.status()) {
        case TD_NOT_FOUND:
            return 404;
        case TD_EXISTS:
            return 409;
        case TD_DENIED:
            return 403;
        case TD_MALFORMED:
            return bad_request;
        case TD_CANCELLED:
            return 503;
        default:
            return 500;
    }
}

Response json_answer(const boost::json::value& value, int status) {
    Response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", json_type);
    response.body = valid_utf8(boost::json::serialize(value), "?");  // names of streams may be any bytes
    return response;
}

Response list_answer(boost::json::array list, std::string_view nothing, int empty_status, std::string_view path) {
    if (list.empty() && empty_status != 200) return error_answer(empty_status, nothing, path);
    return json_answer(std::move(list));
}

Response text_answer(std::string text, std::string type) {
    Response response;
    response.headers.emplace_back("Content-Type", std::move(type));
    response.body = std::move(text);
    return response;
}

Response error_answer(int status, std::string_view reason, std::string_view path) {
    const auto* entry = find(status);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return json_answer(
        boost::json::object{
            {"exception", entry == nullptr ? std::string_view("Exception") : entry->exception},
            {"reason", reason},
            {"path", path},
            {"error", phrase_of(status)},
            {"message", reason},
            {"timestamp", std::chrono::duration_cast<std::chrono::milliseconds>(now).count()},
            {"status", status},
        },
        status);
}

}  // namespace tapedeck::host::api
