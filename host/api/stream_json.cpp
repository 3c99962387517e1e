#include "api/stream_json.hpp"

namespace tapedeck::host::api {

boost::json::object to_json(const StreamObject& stream, bool with_metrics) {
    boost::json::object object{
        {"nodeId", stream.node},
        {"appKey", stream.application},
        {"sessionId", stream.session},
        {"mediaSessionId", stream.media_session},
        {"name", stream.name},
        {"published", stream.published},
        {"hasVideo", stream.has_video},
        {"hasAudio", stream.has_audio},
        {"status", stream.status},
        {"audioCodec", stream.audio_codec},
        {"videoCodec", stream.video_codec},
        {"record", stream.record},
        {"width", stream.width},
        {"height", stream.height},
        {"bitrate", stream.bitrate},
        {"minBitrate", 0},
        {"maxBitrate", 0},
        {"quality", 0},
        {"history", false},
        {"gop", stream.gop},
        {"fps", stream.fps},
        {"audioBitrate", stream.audio_bitrate},
        {"codecImpl", ""},
        {"transport", stream.transport},
        {"cvoExtension", false},
        {"createDate", stream.create_date_ms},
        {"mediaType", stream.published ? "publish" : "play"},
        {"audioState", {{"muted", stream.audio_muted}}},
        {"videoState", {{"muted", stream.video_muted}}},
        {"mediaProvider", stream.provider},
    };
    if (!stream.info.empty()) object["info"] = stream.info;
    if (with_metrics) object["metrics"] = stream.metrics;
    return object;
}

}  // namespace tapedeck::host::api
