#include "request.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <limits>

namespace tapedeck::file_source {

namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr std::string_view scheme = "vod://";

[[noreturn]] void refuse(const std::string& text) {
    throw Error(TD_MALFORMED, text);
}

std::string shown(double number) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.10g", number);
    return text.data();
}

json::object parse(std::string_view body) {
    boost::system::error_code error;
    json::value value = json::parse(json::string_view(body.data(), body.size()), error);
    if (error || !value.is_object()) refuse("the body is no JSON object");
    return std::move(value.as_object());
}

/// Reads members and remembers which there may be.
class Members {
public:
    explicit Members(const json::object& from, std::string_view where) : from_(from), where_(where) {}

    std::string text(const char* name, const char* otherwise = nullptr) const {
        const json::value* found = from_.if_contains(name);
        if (found == nullptr && otherwise == nullptr) refuse(path(name) + " is missing");
        if (found == nullptr) return otherwise;
        if (!found->is_string()) refuse(path(name) + ": " + json::serialize(*found) + " is no text");
        return std::string(found->as_string());
    }
    bool flag(const char* name, bool otherwise) const {
        const json::value* found = from_.if_contains(name);
        if (found == nullptr) return otherwise;
        if (!found->is_bool()) refuse(path(name) + ": " + json::serialize(*found) + " is neither true nor false");
        return found->as_bool();
    }
    double number(const char* name, double least, double most, double otherwise) const {
        const json::value* found = from_.if_contains(name);
        if (found == nullptr) return otherwise;
        const double value = found->is_number() ? found->to_number<double>() : std::numeric_limits<double>::quiet_NaN();
        if (!(value >= least && value <= most)) {
            refuse(path(name) + ": " + json::serialize(*found) + " is no number from " + shown(least) + " to " +
                   shown(most));
        }
        return value;
    }

private:
    std::string path(const char* name) const { return std::string(where_) + name; }

    const json::object& from_;
    const std::string_view where_;
};

FaultPlan parse_faults(const json::object& from) {
    constexpr double day_ms = 86'400'000;
    const Members members(from, "faults.");
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
    const json::object object = parse(body);
    const Members members(object, "");
    PlayRequest request;
    request.uri = members.text("uri");
    request.stream = members.text("localStreamName");
    if (request.stream.empty()) refuse("localStreamName is empty");
    request.loop = members.flag("loop", false);
    request.real_time = members.flag("realTime", true);
    if (object.contains("record")) request.record = members.flag("record", false) ? TD_RECORD_YES : TD_RECORD_NO;
    request.files.push_back(file_of(request.uri, folder));
    if (const json::value* then = object.if_contains("then")) {
        if (!then->is_array()) refuse("then: " + json::serialize(*then) + " is no list of uris");
        for (const json::value& next : then->as_array()) {
            if (!next.is_string()) refuse("then: " + json::serialize(next) + " is no text");
            request.files.push_back(file_of(std::string(next.as_string()), folder));
        }
    }
    if (const json::value* faults = object.if_contains("faults")) {
        if (!faults->is_object()) refuse("faults: " + json::serialize(*faults) + " is no object");
        request.faults = parse_faults(faults->as_object());
    }
    return request;
}

Filter parse_filter(std::string_view body) {
    const json::object object = parse(body);
    const Members members(object, "");
    Filter filter{members.text("uri", ""), members.text("localStreamName", "")};
    if (filter.uri.empty() && filter.stream.empty()) refuse("neither uri nor localStreamName is given");
    return filter;
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
