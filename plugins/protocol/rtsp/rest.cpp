#include "rest.hpp"

#include <boost/json.hpp>

#include "sources/members.hpp"
#include "sources/rest.hpp"

namespace tapedeck::rtsp {

namespace {

namespace json = boost::json;

constexpr const char* nobody = "no such camera is pulled";

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

void list(const Pulls& pulls, const sources::Members& filter, HttpExchange& exchange) {
    const auto uri = filter.text("uri", ""), status = filter.text("status", ""),
               stream = filter.text("localStreamName", "");
    json::array found;
    for (const auto& pull : pulls.find(uri.empty() ? uri : uri_of(uri))) {
        if (!status.empty() && pull->status().status != status) continue;
        if (stream.empty() || pull->request().stream == stream) found.push_back(describe(*pull));
    }
    if (found.empty()) throw Error(TD_NOT_FOUND, nobody);
    sources::answer_json(exchange, json::serialize(found));
}

}  // namespace

PullRequest parse_startup(std::string_view body) {
    const sources::Members members(body);
    PullRequest request;
    request.url = Url::parse(members.text("uri"));
    request.uri = request.url->text();
    request.stream = members.text("localStreamName", "");
    if (request.stream.empty()) request.stream = request.uri;
    if (members.has("record")) request.record = members.flag("record", false) ? TD_RECORD_YES : TD_RECORD_NO;
    if (const auto transport = members.text("transport", ""); !transport.empty())
        request.transport = transport_of(transport, "transport");
    return request;
}

void serve(Http& http, Pulls& pulls) {
    const std::string root = "/rest-api/rtsp/";
    sources::post_route(http, root + "startup", [&pulls](std::string_view body, HttpExchange& exchange) {
        pulls.start(parse_startup(body));
        exchange.respond(200, {}, {});
    });
    sources::post_route(http, root + "find", [&pulls](std::string_view body, HttpExchange& exchange) {
        list(pulls, sources::Members(body), exchange);
    });
    sources::list_route(http, root + "find_all",
                        [&pulls](HttpExchange& exchange) { list(pulls, sources::Members({}), exchange); });
    sources::post_route(http, root + "terminate", [&pulls](std::string_view body, HttpExchange& exchange) {
        const auto uri = uri_of(sources::Members(body).text("uri"));
        if (pulls.stop(uri, "Stopped by rest /terminate") == 0) throw Error(TD_NOT_FOUND, nobody);
        exchange.respond(200, {}, {});
    });
}

}  // namespace tapedeck::rtsp
