// Frames of the WebSDK, and REST bodies over its connections.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "webrtc/signalling/message.hpp"

using namespace tapedeck;
using namespace tapedeck::webrtc;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void check(const websdk::Attributes& attributes) {
    require(attributes.size() <= websdk::most_attributes + 2);
    for (const auto& [key, value] : attributes) require(key != "arrival" && value.size() <= websdk::most_text);
}

/// What was understood can be said again, and is within its limits.
struct Answer {
    void operator()(const websdk::Connect& message) const {
        check(message.attributes);
        websdk::user_data(message, "session", message.auth_token);
        websdk::describe({{"session", message.application, message.login, message.client_version, message.custom,
                           message.media_providers, 0}});
    }
    void operator()(const websdk::StreamRequest& message) const {
        check(message.attributes);
        require(message.media_session.size() <= websdk::most_id && message.offer.size() <= websdk::most_offer);
        websdk::status({message.media_session, message.name, "FAILED", message.publishes});
    }
    void operator()(const websdk::StreamEvent& message) const {
        websdk::parse(websdk::stream_event("player", message));
    }
    void operator()(const websdk::AvailabilityRequest& message) const {
        websdk::availability(message.media_session, false, message.name);
    }
    void operator()(const websdk::DataRequest& message) const { websdk::data_status(message.operation, true, ""); }
    void operator()(const websdk::StreamStop& message) const {
        require(message.media_session.size() <= websdk::most_id);
    }
    void operator()(const websdk::Ping&) const {}
    void operator()(const websdk::Other&) const {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(static_cast<const char*>(static_cast<const void*>(data)), size);
    try {
        std::visit(Answer{}, websdk::parse(text));
    } catch (const Malformed&) {
    }
    try {
        websdk::parse_filter(text).fits({});
    } catch (const Malformed&) {
    }
    websdk::for_log(text);
    return 0;
}
