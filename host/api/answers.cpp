#include "api/answers.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <utility>

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

/// The length of the well-formed sequence at the start of `text`, or 0.
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
    }
    const auto second = byte(1);
    const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    const bool beyond = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
    return overlong || beyond ? 0 : length;
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
    response.body = clean_utf8(boost::json::serialize(value));  // names of streams may be any bytes
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

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto length = sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string clean_utf8(std::string_view text) {
    std::string clean;
    clean.reserve(text.size());
    while (!text.empty()) {
        const auto length = sequence_length(text);
        clean += length == 0 ? "?" : text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return clean;
}

}  // namespace tapedeck::host::api
