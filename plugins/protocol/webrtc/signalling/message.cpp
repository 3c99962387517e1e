#include "webrtc/signalling/message.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cctype>

namespace tapedeck::webrtc::websdk {
namespace {

namespace json = boost::json;

constexpr std::size_t most_payload = std::size_t{16} * 1024;  // goes to every player
constexpr std::string_view established = "ESTABLISHED";

bool equal_letters(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right,
                              [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

json::string_view as_json(std::string_view text) {
    return {text.data(), text.size()};
}

json::value parse_value(std::string_view text, std::string_view what) {
    boost::system::error_code failure;
    auto value = json::parse(as_json(text), failure);
    if (failure) throw Malformed(std::string(what) + " is not JSON: " + failure.message());
    return value;
}

/// A text, or a number or boolean as text; nothing of the rest.
std::optional<std::string> scalar(const json::value& value) {
    if (const auto* text = value.if_string()) return std::string(*text);
    if (value.is_number() || value.is_bool()) return json::serialize(value);
    return {};
}

/// Reads members of an object, forgiving.
class Members {
public:
    explicit Members(const json::object& from) : from_(from) {}

    std::string text(std::string_view name, std::size_t most) const {
        const auto* value = from_.if_contains(as_json(name));
        auto found = value == nullptr ? std::nullopt : scalar(*value);
        return found && found->size() <= most ? *std::move(found) : std::string();
    }
    std::string id(std::string_view name) const { return text(name, most_id); }
    bool flag(std::string_view name) const { return equal_letters(text(name, most_id), "true"); }
    const json::object& object(std::string_view name) const {
        static const json::object none;
        const auto* value = from_.if_contains(as_json(name));
        return value == nullptr || !value->is_object() ? none : value->get_object();
    }
    std::string json_of(std::string_view name, std::size_t most) const {
        const auto* value = from_.if_contains(as_json(name));
        auto text = value == nullptr || value->is_null() ? std::string() : json::serialize(*value);
        return text.size() <= most ? text : std::string();
    }

private:
    const json::object& from_;
};

/// Those of `custom` that are no lists or objects. `arrival` is a protocol's own word to the host, so no client's.
Attributes attributes_of(const json::object& custom) {
    Attributes attributes;
    for (const auto& [key, value] : custom) {
        if (attributes.size() == most_attributes) break;
        auto text = scalar(value);
        if (!text || text->size() > most_text || key.size() > most_id || key == "arrival") continue;
        attributes.emplace_back(key, *std::move(text));
    }
    return attributes;
}

bool has(const Attributes& attributes, std::string_view name) {
    return std::ranges::any_of(attributes, [&](const auto& entry) { return entry.first == name; });
}

std::string first_of(std::string first, std::string second) {
    return first.empty() ? std::move(second) : std::move(first);
}

Connect connect_of(const json::object& sent) {
    const Members members(sent);
    const auto& custom = members.object("custom");
    Connect connect;
    connect.application = first_of(members.text("appKey", most_text), "defaultApp");
    connect.login = first_of(Members(custom).text("login", most_text),
                             first_of(members.text("login", most_text), members.text("sipLogin", most_text)));
    connect.auth_token = members.text("authToken", most_text);
    connect.client_version = members.text("clientVersion", most_text);
    connect.attributes = attributes_of(custom);
    if (!connect.auth_token.empty() && !has(connect.attributes, "token"))
        connect.attributes.emplace_back("token", connect.auth_token);
    auto password = first_of(members.text("password", most_text), members.text("sipPassword", most_text));
    if (!password.empty() && !has(connect.attributes, "password"))
        connect.attributes.emplace_back("password", std::move(password));
    auto shown = custom;
    for (const char* credential : {"token", "password"}) shown.erase(credential);
    connect.custom = json::serialize(shown);
    connect.media_providers = members.json_of("mediaProviders", most_text);
    connect.sent = json::serialize(sent);
    return connect;
}

StreamRequest request_of(const json::object& sent, bool publishes) {
    const Members members(sent);
    StreamRequest request;
    request.publishes = publishes;
    request.media_session = members.id("mediaSessionId");
    request.name = members.text("name", most_text);
    request.offer = members.text("sdp", most_offer);
    request.has_video = members.flag("hasVideo");
    request.has_audio = members.flag("hasAudio");
    request.record = publishes && members.flag("record");
    request.attributes = attributes_of(members.object("custom"));
    return request;
}

std::string frame(std::string_view name, json::array data) {
    return json::serialize(json::object{{"message", as_json(name)}, {"data", std::move(data)}});
}

json::array one(json::object argument) {
    json::array data;
    data.emplace_back(std::move(argument));
    return data;
}

void add_if_any(json::object& object, std::string_view name, std::string_view text) {
    if (!text.empty()) object.emplace(as_json(name), as_json(text));
}

/// JSON that was serialized here before, or what stands for none.
json::value again(std::string_view text, json::value otherwise) {
    return text.empty() ? std::move(otherwise) : json::parse(as_json(text));
}

}  // namespace

bool StreamRequest::is_whole() const {
    return !name.empty() && !offer.empty();
}

bool StreamEvent::is_for_players() const {
    static constexpr std::array<std::string_view, 5> types{"audioMuted", "audioUnmuted", "videoMuted", "videoUnmuted",
                                                           "data"};
    return std::ranges::find(types, type) != types.end();
}

ClientMessage parse(std::string_view text) {
    if (text.size() > most_message) throw Malformed("the message has more than 256 KiB");
    const auto whole = parse_value(text, "the message");
    const auto* envelope = whole.if_object();
    if (envelope == nullptr) throw Malformed("the message is not a JSON object");
    const auto name = Members(*envelope).id("message");
    if (name.empty()) throw Malformed("the message has no name");

    static const json::object nothing;
    const auto* data = envelope->if_contains("data");
    const auto* list = data == nullptr ? nullptr : data->if_array();
    const auto& sent =
        list == nullptr || list->empty() || !list->front().is_object() ? nothing : list->front().get_object();
    const Members members(sent);

    if (name == "ping") return Ping{};
    if (name == "connection") return connect_of(sent);
    if (name == "publishStream" || name == "playStream") return request_of(sent, name == "publishStream");
    if (name == "unPublishStream" || name == "stopStream") return StreamStop{members.id("mediaSessionId")};
    if (name == "availableStream") {
        return AvailabilityRequest{members.id("mediaSessionId"), members.text("name", most_text)};
    }
    if (name == "sendStreamEvent") {
        return StreamEvent{members.id("mediaSessionId"), members.id("type"), members.json_of("payload", most_payload)};
    }
    if (name == "sendData") return DataRequest{members.id("operationId")};
    return Other{};
}

std::string ping() {
    return frame("ping", {nullptr});
}

std::string pong() {
    return frame("pong", {nullptr});
}

std::string user_data(const Connect& connect, std::string_view session, std::string_view auth_token) {
    json::object data = again(connect.sent, json::object()).as_object();
    data.erase("webRTCMetricsServerDescription");  // would make the client send metrics
    data["appKey"] = as_json(connect.application);
    data["sessionId"] = as_json(session);
    data["authToken"] = as_json(auth_token);
    data["status"] = as_json(established);
    return frame("getUserData", one(std::move(data)));
}

std::string connection_failed(std::string_view info) {
    return frame("fail", one({{"apiMethod", "ConnectionStatusEvent"}, {"status", "FAILED"}, {"info", as_json(info)}}));
}

std::string remote_sdp(std::string_view media_session, std::string_view sdp) {
    json::array data;
    data.emplace_back(as_json(media_session));
    data.emplace_back(as_json(sdp));
    return frame("setRemoteSDP", std::move(data));
}

std::string status(const StatusEvent& event) {
    json::object data{{"mediaSessionId", as_json(event.media_session)},
                      {"name", as_json(event.name)},
                      {"published", event.publishes},
                      {"hasVideo", event.has_video},
                      {"hasAudio", event.has_audio},
                      {"status", as_json(event.status)},
                      {"record", event.record},
                      {"mediaProvider", "WebRTC"}};
    add_if_any(data, "info", event.info);
    add_if_any(data, "recordName", event.record_name);
    return frame("notifyStreamStatusEvent", one(std::move(data)));
}

std::string availability(std::string_view media_session, bool is_available, std::string_view info) {
    json::object data{{"id", as_json(media_session)}, {"status", is_available ? "true" : "false"}};
    add_if_any(data, "info", info);
    return frame("availableStream", one(std::move(data)));
}

std::string stream_event(std::string_view media_session, const StreamEvent& event) {
    return frame("notifyStreamEvent", one({{"mediaSessionId", as_json(media_session)},
                                           {"type", as_json(event.type)},
                                           {"payload", again(event.payload, json::object())}}));
}

std::string data_status(std::string_view operation, bool is_accepted, std::string_view info) {
    json::object data{{"operationId", as_json(operation)}, {"status", is_accepted ? "ACCEPTED" : "FAILED"}};
    add_if_any(data, "info", info);
    return frame("DataStatusEvent", one(std::move(data)));
}

std::string describe(const std::vector<ConnectionFacts>& connections) {
    json::array list;
    for (const auto& facts : connections) {
        list.push_back(json::object{{"nodeId", ""},
                                    {"appKey", as_json(facts.application)},
                                    {"sessionId", as_json(facts.session)},
                                    {"status", as_json(established)},
                                    {"createDate", facts.created_ms},
                                    {"login", as_json(facts.login)},
                                    {"clientVersion", as_json(facts.client_version)},
                                    {"mediaProviders", again(facts.media_providers, json::array())},
                                    {"custom", again(facts.custom, json::object())}});
    }
    return json::serialize(list);
}

bool ConnectionFilter::fits(const ConnectionFacts& facts) const {
    const auto same = [](const std::optional<std::string>& wanted, std::string_view is) {
        return !wanted || *wanted == is;
    };
    return same(session, facts.session) && same(application, facts.application) && same(login, facts.login) &&
           same(client_version, facts.client_version) && (!status || equal_letters(*status, established));
}

ConnectionFilter parse_filter(std::string_view body) {
    if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return {};
    const auto whole = parse_value(body, "the body");
    const auto* object = whole.if_object();
    if (object == nullptr) throw Malformed("the body is not a JSON object; send { ... }");
    const auto member = [&](const char* name) -> std::optional<std::string> {
        const auto* value = object->if_contains(name);
        if (value == nullptr || value->is_null()) return {};
        auto text = scalar(*value);
        if (!text) throw Malformed(std::string("'") + name + "' is a text");
        return text;
    };
    return {member("sessionId"), member("appKey"), member("login"), member("clientVersion"), member("status")};
}

std::string for_log(std::string_view text) {
    constexpr std::size_t longest = 200;
    auto shown = json::serialize(json::string(as_json(text.substr(0, longest))));
    return text.size() > longest ? shown + "..." : shown;
}

}  // namespace tapedeck::webrtc::websdk
