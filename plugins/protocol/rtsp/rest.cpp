#include "rest.hpp"

#include <boost/json.hpp>

#include "address/query.hpp"

namespace tapedeck::rtsp {

namespace {

namespace json = boost::json;

constexpr const char* nobody = "no such camera is pulled";

[[noreturn]] void refuse(const std::string& text) {
    throw Error(TD_MALFORMED, text);
}

json::object parse(std::string_view body) {
    if (body.empty()) return {};
    boost::system::error_code error;
    json::value value = json::parse(json::string_view(body.data(), body.size()), error);
    if (error || !value.is_object()) refuse("the body is no JSON object");
    return std::move(value.as_object());
}

std::string text(const json::object& from, const char* name) {
    const auto* found = from.if_contains(name);
    if (found == nullptr || found->is_null()) return {};
    if (!found->is_string()) refuse(std::string(name) + ": " + json::serialize(*found) + " is no text");
    return std::string(found->as_string());
}

/// Clients write booleans as texts, too.
std::uint32_t record_of(const json::object& from) {
    const auto* found = from.if_contains("record");
    if (found == nullptr || found->is_null()) return TD_RECORD_BY_RULES;
    if (found->is_bool()) return found->as_bool() ? TD_RECORD_YES : TD_RECORD_NO;
    if (found->is_string() && found->as_string() == "true") return TD_RECORD_YES;
    if (found->is_string() && found->as_string() == "false") return TD_RECORD_NO;
    refuse("record: " + json::serialize(*found) + " is neither true nor false");
}

json::object describe(const Pull& pull) {
    const auto status = pull.status();
    json::object shown{{"uri", pull.request().uri},
                       {"status", status.status},
                       {"localStreamName", pull.request().stream},
                       {"localMediaSessionId", status.media_session},
                       {"hasAudio", !status.audio_codec.empty()},
                       {"hasVideo", !status.video_codec.empty()},
                       {"audioCodec", status.audio_codec},
                       {"videoCodec", status.video_codec},
                       {"record", pull.request().record == TD_RECORD_YES},
                       {"transport", status.is_udp ? "UDP" : "TCP"},
                       {"attempts", status.attempts},
                       {"clockJumps", status.jumps}};
    if (!status.info.empty()) shown["info"] = status.info;
    return shown;
}

/// As `startup` names it: the address without its password.
std::string uri_of(const std::string& given) {
    try {
        return Url::parse(given).text();
    } catch (const Error&) {
        return given;  // of a camera known by ONVIF
    }
}

template <class Work>
void answer(HttpExchange exchange, Work work) {
    try {
        const std::string body = work();
        exchange.respond(200, body.empty() ? "" : "application/json", body);
    } catch (const Error& error) {
        const std::int32_t status = error.status() == TD_NOT_FOUND   ? 404
                                    : error.status() == TD_EXISTS    ? 409
                                    : error.status() == TD_DENIED    ? 403
                                    : error.status() == TD_MALFORMED ? 400
                                                                     : 500;
        exchange.respond(status, {}, error.what());
    }
}

std::string list(const Pulls& pulls, const json::object& filter) {
    const auto uri = text(filter, "uri"), status = text(filter, "status"), stream = text(filter, "localStreamName");
    json::array found;
    for (const auto& pull : pulls.find(uri.empty() ? uri : uri_of(uri))) {
        if (!status.empty() && pull->status().status != status) continue;
        if (stream.empty() || pull->request().stream == stream) found.push_back(describe(*pull));
    }
    if (found.empty()) throw Error(TD_NOT_FOUND, nobody);
    return json::serialize(found);
}

}  // namespace

PullRequest parse_startup(std::string_view body) {
    const auto members = parse(body);
    const auto uri = text(members, "uri");
    if (uri.empty()) refuse("uri is missing");
    PullRequest request;
    request.url = Url::parse(uri);
    request.uri = request.url->text();
    request.stream = text(members, "localStreamName");
    if (request.stream.empty()) request.stream = request.uri;
    request.record = record_of(members);
    if (const auto transport = text(members, "transport"); !transport.empty())
        request.transport = transport_of(transport, "transport");
    return request;
}

void serve(Http& http, Pulls& pulls) {
    http.route("POST", "/rest-api/rtsp/startup", [&pulls](const HttpRequest& request, HttpExchange exchange) {
        answer(std::move(exchange), [&] {
            pulls.start(parse_startup(request.body()));
            return std::string();
        });
    });
    http.route("POST", "/rest-api/rtsp/find", [&pulls](const HttpRequest& request, HttpExchange exchange) {
        answer(std::move(exchange), [&] { return list(pulls, parse(request.body())); });
    });
    for (const auto* method : {"POST", "GET"})
        http.route(method, "/rest-api/rtsp/find_all", [&pulls](const HttpRequest&, HttpExchange exchange) {
            answer(std::move(exchange), [&] { return list(pulls, {}); });
        });
    http.route("POST", "/rest-api/rtsp/terminate", [&pulls](const HttpRequest& request, HttpExchange exchange) {
        answer(std::move(exchange), [&] {
            const auto uri = text(parse(request.body()), "uri");
            if (uri.empty()) refuse("uri is missing");
            const auto found = pulls.find(uri_of(uri));
            if (found.empty()) throw Error(TD_NOT_FOUND, nobody);
            for (const auto& pull : found) pull->stop("Stopped by rest /terminate");
            return std::string();
        });
    });
}

}  // namespace tapedeck::rtsp
