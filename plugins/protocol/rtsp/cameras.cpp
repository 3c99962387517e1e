#include "cameras.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "address/query.hpp"
#include "onvif.hpp"

namespace tapedeck::rtsp {

namespace {

[[noreturn]] void refuse(const std::string& file, const YAML::Mark& mark, const std::string& text) {
    throw Error(TD_MALFORMED, file + ":" + std::to_string(std::max(mark.line, 0) + 1) + ": " + text);
}

std::string text_of(const YAML::Node& camera, const char* name, const std::string& file) {
    const auto node = camera[name];
    if (!node || node.IsNull()) return {};
    if (!node.IsScalar()) refuse(file, node.Mark(), std::string(name) + " is a text");
    return node.Scalar();
}

PullRequest request_of(const YAML::Node& camera, const std::string& file) {
    constexpr std::array<const char*, 8> known{"uri",       "onvif", "name",     "record",
                                               "transport", "user",  "password", "profile"};
    if (!camera.IsMap()) refuse(file, camera.Mark(), "a camera consists of members, `uri: rtsp://...`");
    for (const auto& member : camera) {
        const auto name = member.first.as<std::string>("?");
        if (std::find(known.begin(), known.end(), name) == known.end())
            refuse(file, member.first.Mark(),
                   "a camera has no member '" + printable(name) +
                       "'; known are uri, onvif, name, record, transport, user, password and profile");
    }
    const auto member = [&](const char* name) { return text_of(camera, name, file); };
    const auto uri = member("uri"), onvif = member("onvif"), record = member("record");
    if (uri.empty() == onvif.empty()) refuse(file, camera.Mark(), "a camera has either 'uri' or 'onvif'");
    PullRequest request;
    try {
        if (const auto transport = member("transport"); !transport.empty())
            request.transport = transport_of(transport, "transport");
        if (!onvif.empty()) {
            const auto device = onvif::Device::parse(onvif, member("user"), member("password"), member("profile"));
            request.uri = device.shown();
            request.find = [device](const auto& is_wanted) { return device.stream(is_wanted); };
        } else {
            request.url = Url::parse(uri);
            if (const auto user = member("user"); !user.empty()) {
                request.url->user = user;
                request.url->password = member("password");
            }
            request.uri = request.url->text();
        }
    } catch (const Error& e) {
        refuse(file, camera.Mark(), e.what());
    }
    for (const auto* name : known) request.listed += member(name) + '\n';
    request.stream = member("name");
    if (request.stream.empty()) request.stream = request.uri;
    if (record == "true") request.record = TD_RECORD_YES;
    if (record == "false") request.record = TD_RECORD_NO;
    if (!record.empty() && record != "true" && record != "false")
        refuse(file, camera.Mark(), "record: '" + printable(record) + "' is neither true nor false");
    return request;
}

}  // namespace

std::vector<PullRequest> parse_cameras(const std::string& text, const std::string& file) {
    std::vector<PullRequest> requests;
    try {
        const YAML::Node document = YAML::Load(text);
        if (document.IsNull()) return requests;
        if (!document.IsMap() || !document["cameras"]) refuse(file, document.Mark(), "the list begins with `cameras:`");
        const auto list = document["cameras"];
        if (list.IsNull()) return requests;
        if (!list.IsSequence()) refuse(file, list.Mark(), "cameras is a list; begin each entry with `- `");
        for (const auto& camera : list) {
            auto request = request_of(camera, file);
            for (const auto& other : requests)
                if (other.uri == request.uri || other.stream == request.stream)
                    refuse(file, camera.Mark(),
                           "'" + printable(other.uri == request.uri ? request.uri : request.stream) +
                               "' is in the list already");
            requests.push_back(std::move(request));
        }
    } catch (const YAML::Exception& e) {
        refuse(file, e.mark, e.msg);
    }
    return requests;
}

std::optional<std::vector<PullRequest>> read_cameras(const std::string& path) {
    std::error_code failure;
    if (!std::filesystem::exists(path, failure)) return std::nullopt;
    std::ifstream stream(path, std::ios::binary);
    std::stringstream text;
    text << stream.rdbuf();
    if (!stream) throw Error(path + " cannot be read; setting 'protocol.rtsp.cameras'");
    return parse_cameras(text.str(), std::filesystem::path(path).filename().string());
}

}  // namespace tapedeck::rtsp
