#include "body.hpp"

#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>

#include "tapedeck/context.hpp"
#include "tapedeck/utf8.hpp"

namespace tapedeck::webhook {

namespace json = boost::json;

namespace {

json::value text_or_null(td_text text) {
    if (text.size == 0) return nullptr;
    return json::value(valid_utf8(view(text)));
}

json::value milliseconds_or_null(std::int64_t microseconds) {
    if (microseconds == TD_NO_TIME) return nullptr;
    return microseconds / 1000;
}

const char* name_of(std::int32_t kind) {
    switch (kind) {
        case TD_RECORD_STARTED:
            return "started";
        case TD_RECORD_STORED:
            return "stored";
        default:
            return "failed";
    }
}

/// As /stream/find calls them.
std::string provider_of(std::string_view protocol) {
    if (protocol == "webrtc") return "WebRTC";
    if (protocol == "rtmp") return "Flash";
    if (protocol == "rtsp") return "RTSP";
    if (protocol == "mpegts") return "MPEG-TS";
    return valid_utf8(protocol);
}

std::string last_part(std::string_view path) {
    return valid_utf8(path.substr(path.rfind('/') + 1));
}

}  // namespace

std::string body_of(const td_event& event) {
    const auto& recording = *event.recording;
    json::object body;
    body["id"] = text_or_null(event.id);
    body["event"] = name_of(event.kind);
    body["reason"] = text_or_null(event.detail);
    body["stream"] = text_or_null(recording.stream);
    body["protocol"] = text_or_null(recording.protocol);
    body["mediaSessionId"] = text_or_null(recording.media_session);
    body["sessionId"] = text_or_null(recording.session);
    body["login"] = text_or_null(recording.login);
    body["segment"] = recording.segment;
    body["name"] = text_or_null(recording.name);
    body["path"] = text_or_null(recording.path);
    body["uri"] = text_or_null(recording.uri);
    body["extension"] = text_or_null(recording.extension);
    body["videoCodec"] = text_or_null(recording.video_codec);
    body["audioCodec"] = text_or_null(recording.audio_codec);
    body["bytes"] = recording.bytes;
    body["durationMs"] = milliseconds_or_null(recording.duration_us);
    body["startMs"] = milliseconds_or_null(recording.start_us);
    body["endMs"] = milliseconds_or_null(recording.end_us);
    body["mediaStartMs"] = milliseconds_or_null(recording.media_start_us);
    body["mediaEndMs"] = milliseconds_or_null(recording.media_end_us);
    body["recovered"] = (recording.flags & TD_RECORDING_RECOVERED) != 0;
    return json::serialize(body);
}

std::string stream_event_of(const td_event& event, std::string_view node) {
    const auto& recording = *event.recording;
    const bool has_stopped = event.kind == TD_RECORD_STORED;
    const auto name = view(recording.name).empty() ? view(recording.path) : view(recording.name);
    json::object payload{{"fileName", last_part(name)}, {"mediaProvider", provider_of(view(recording.protocol))}};
    if (has_stopped) {
        payload["filePath"] = text_or_null(recording.path);
        payload["durationMs"] = milliseconds_or_null(recording.duration_us);
        payload["size"] = recording.bytes;
    }
    return json::serialize(json::object{{"nodeId", valid_utf8(node)},
                                        {"appKey", "defaultApp"},
                                        {"sessionId", valid_utf8(view(recording.session))},
                                        {"mediaSessionId", valid_utf8(view(recording.media_session))},
                                        {"type", has_stopped ? "stoppedRecording" : "startedRecording"},
                                        {"payload", std::move(payload)}});
}

std::string question_of(int action, const td_stream_info& info, std::string_view node) {
    json::object custom;
    for (std::size_t i = 0; i < info.attribute_count; ++i)
        custom[valid_utf8(view(info.attributes[i].key))] = valid_utf8(view(info.attributes[i].value));
    const auto application = view(info.application);
    json::object body{{"nodeId", valid_utf8(node)},
                      {"appKey", application.empty() ? "defaultApp" : valid_utf8(application)},
                      {"sessionId", valid_utf8(view(info.session))},
                      {"login", text_or_null(info.login)},
                      {"remote", valid_utf8(view(info.remote))},
                      {"mediaProvider", provider_of(view(info.protocol))},
                      {"custom", std::move(custom)}};
    if (action != TD_CONNECT) {
        body["mediaSessionId"] = text_or_null(info.media_session);
        body["name"] = valid_utf8(view(info.name));
        body["published"] = action == TD_PUBLISH;
        body["record"] = info.record == TD_RECORD_YES;
        body["status"] = "PENDING";
    }
    return json::serialize(body);
}

std::string node_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return {};
    return name.data();
}

}  // namespace tapedeck::webhook
