#include "request.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <limits>

#include "sources/members.hpp"

namespace tapedeck::file_source {

namespace {

namespace json = boost::json;
namespace fs = std::filesystem;
using sources::Members;

constexpr std::string_view scheme = "vod://";

[[noreturn]] void refuse(const std::string& text) {
    throw Error(TD_MALFORMED, text);
}

FaultPlan parse_faults(const Members& members) {
    constexpr double day_ms = 86'400'000;
    const auto time = [&](const char* name, double least, double otherwise) {
        return std::chrono::microseconds(
            static_cast<std::int64_t>(members.number(name, least, day_ms, otherwise) * 1000));
    };
    FaultPlan plan;
    plan.loss = members.number("loss", 0, 1, 0);
    plan.reorder = members.number("reorder", 0, 1, 0);
    plan.corrupt = members.number("corrupt", 0, 1, 0);
    plan.seed = static_cast<std::uint32_t>(members.number("seed", 0, std::numeric_limits<std::uint32_t>::max(), 1));
    plan.jump_at = time("jumpAtMs", 0, -1);
    plan.jump_by = time("jumpByMs", -day_ms, 0);
    plan.pause_at = time("pauseAtMs", 0, -1);
    plan.pause_for = time("pauseForMs", 0, 0);
    plan.video_from = time("videoFromMs", 0, 0);
    plan.audio_from = time("audioFromMs", 0, 0);
    plan.change_at = time("changeAtMs", 0, -1);
    return plan;
}

}  // namespace

fs::path file_of(const std::string& uri, const fs::path& folder) {
    if (!uri.starts_with(scheme)) refuse("uri: '" + uri + "' does not begin with vod://");
    const fs::path name(uri.substr(scheme.size()));
    std::error_code failed;
    const fs::path root = fs::weakly_canonical(folder, failed);
    fs::path file = fs::weakly_canonical(root / name.relative_path(), failed);
    const auto [end, rest] = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
    if (name.empty() || end != root.end()) refuse("uri: '" + uri + "' leads out of " + root.string());
    if (!fs::is_regular_file(file, failed)) {
        throw Error(TD_NOT_FOUND,
                    "there is no file " + file.string() + "; setting 'protocol.file.folder' says where they are");
    }
    return file;
}

PlayRequest parse_startup(std::string_view body, const fs::path& folder) {
    const Members members(body);
    PlayRequest request;
    request.uri = members.text("uri");
    request.stream = members.text("localStreamName");
    if (request.stream.empty()) refuse("localStreamName is empty");
    request.loop = members.flag("loop", false);
    request.real_time = members.flag("realTime", true);
    if (members.has("record")) request.record = members.flag("record", false) ? TD_RECORD_YES : TD_RECORD_NO;
    request.files.push_back(file_of(request.uri, folder));
    for (const auto& uri : members.texts("then")) request.files.push_back(file_of(uri, folder));
    if (const auto faults = members.object("faults")) request.faults = parse_faults(*faults);
    return request;
}

std::string describe(const Play& play) {
    const PlayRequest& request = play.request();
    return json::serialize(json::object{{"localMediaSessionId", play.media_session()},
                                        {"localStreamName", request.stream},
                                        {"uri", request.uri},
                                        {"status", "PROCESSED_LOCAL"},
                                        {"hasAudio", play.has_audio()},
                                        {"hasVideo", play.has_video()},
                                        {"record", request.record == TD_RECORD_YES},
                                        {"loop", request.loop}});
}

}  // namespace tapedeck::file_source
