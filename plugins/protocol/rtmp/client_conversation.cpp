#include "client_conversation.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "request.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::rtmp {

namespace {

constexpr double connect_transaction = 1, create_transaction = 2;
constexpr std::uint32_t buffer_ms = 1000;  // what a server may send ahead of time

/// What a server says, as text for a person: `NetStream.Play.StreamNotFound (no such stream)`.
std::string said(std::string_view code, std::string_view description) {
    if (code.empty()) return description.empty() ? "no reason" : printable(description);
    return printable(code) + (description.empty() ? "" : " (" + printable(description) + ")");
}

/// A stream is over for these; a server may say any of them, and not only as an error.
bool ends_play(std::string_view code) {
    constexpr std::array<std::string_view, 7> codes{"NetStream.Play.Stop",           "NetStream.Play.UnpublishNotify",
                                                    "NetStream.Play.Complete",       "NetStream.Play.StreamNotFound",
                                                    "NetStream.Play.Failed",         "NetConnection.Connect.Closed",
                                                    "NetConnection.Connect.Rejected"};
    return std::ranges::find(codes, code) != codes.end();
}

}  // namespace

void ClientConversation::begin() {
    amf::Object settings;
    settings.set("app", target_.application + target_.login)
        .set("type", "nonprivate")
        .set("flashVer", "LNX 9,0,124,2")
        .set("tcUrl", target_.url + target_.login)
        .set("fpad", false)
        .set("capabilities", 15.0)
        .set("audioCodecs", 4071.0)
        .set("videoCodecs", 252.0)
        .set("videoFunction", 1.0)
        .set("objectEncoding", 0.0)
        .set("fourCcList", amf::Array{"hvc1", "vp09", "av01", "Opus", "mp4a", "avc1"});  // Enhanced RTMP
    state_ = State::connecting;
    send_command(0, {"connect", connect_transaction, std::move(settings)});
}

void ClientConversation::command(std::uint32_t /*stream*/, const Values& values) {
    if (state_ == State::ended) return;
    const auto name = at(values, 0).text();
    if (name == "_result") return on_result(values);
    if (name == "_error") return on_error(values);
    if (name == "close") return end("the server closes the connection");
    if (name == "onStatus") {
        if (const auto* info = at(values, 3).object()) on_status(*info);
        return;
    }
    // A call of the server's own, as for a measurement of the line: whoever numbers it waits for an answer.
    if (const auto transaction = at(values, 1).number(); transaction != 0)
        result(transaction, amf::Null{}, amf::Undefined{});
}

void ClientConversation::on_result(const Values& values) {
    const auto transaction = at(values, 1).number();
    if (state_ == State::connecting && transaction == connect_transaction) {
        state_ = State::creating;
        send_number(MessageType::window_size, window);
        send_command(0, {"createStream", create_transaction, amf::Null{}});
    } else if (state_ == State::creating && transaction == create_transaction) {
        const auto stream = at(values, 3).number(-1);
        if (!(stream >= 0 && stream <= UINT32_MAX)) throw Malformed("createStream is answered without a number");
        play(static_cast<std::uint32_t>(stream));
    }
}

/// Without a start, so the live stream when there is one, and a recorded one where the server has such.
void ClientConversation::play(std::uint32_t stream) {
    state_ = State::asking;
    stream_ = stream;
    send_event(ControlEvent::set_buffer_length, stream, buffer_ms);
    send_command(stream, {"play", 0.0, amf::Null{}, target_.stream});
}

void ClientConversation::on_error(const Values& values) {
    const auto* info = at(values, 3).object();
    if (info == nullptr) info = at(values, 2).object();
    const auto reason = info ? said(member(*info, "code"), member(*info, "description")) : said({}, {});
    const auto transaction = at(values, 1).number();
    if (info && transaction == connect_transaction && goes_on(*info)) return;
    if (state_ == State::connecting && transaction == connect_transaction)
        end("the server refuses a connection to '" + printable(target_.application) + "': " + reason);
    else if (state_ == State::creating && transaction == create_transaction)
        end("the server makes no stream: " + reason);
}

bool ClientConversation::goes_on(const amf::Object& info) {
    if (state_ != State::connecting) return false;
    Onward where;
    if (const auto* ex = info.find("ex"); ex && ex->object()) where.address = member(*ex->object(), "redirect");
    const auto description = member(info, "description");
    if (where.address.empty() && !asks_for_adobe_login(description)) return false;
    try {
        if (where.address.empty()) where.login = target_.who.answer(description, target_.login);
    } catch (const Error& e) {
        end("the server refuses a connection to '" + printable(target_.application) + "': " + e.what());
        return true;
    }
    state_ = State::ended;
    events_.play_goes_on(where);
    return true;
}

void ClientConversation::on_status(const amf::Object& info) {
    if (goes_on(info)) return;
    const auto code = member(info, "code");
    if (code == "NetStream.Play.Start" && state_ == State::asking) state_ = State::playing;
    if (member(info, "level") == "error" || ends_play(code))
        end("the server says " + said(code, member(info, "description")));
}

void ClientConversation::data(const Values& values) {
    if (state_ == State::ended) return;
    const auto* object = at(values, 1).object();
    if (object == nullptr) return;
    const auto name = at(values, 0).text();
    if (name == "onMetaData") events_.metadata(*object);
    if (name == "onPlayStatus") on_status(*object);
}

void ClientConversation::stream_ended(std::uint32_t stream) {
    const bool has_asked = state_ == State::asking || state_ == State::playing;
    if (has_asked && stream == stream_) end("the source has ended its stream");
}

void ClientConversation::end(const std::string& why) {
    state_ = State::ended;
    events_.play_ended(why);
}

}  // namespace tapedeck::rtmp
