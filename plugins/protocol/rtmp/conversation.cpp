#include "conversation.hpp"

#include <utility>

namespace tapedeck::rtmp {

namespace {

amf::Object status_object(std::string_view level, std::string_view code, std::string_view description) {
    amf::Object info;
    info.set("level", level).set("code", code).set("description", description);
    return info;
}

}  // namespace

void Conversation::command(std::uint32_t stream, const Values& values) {
    const auto name = at(values, 0).text();
    const auto transaction = at(values, 1).number();
    if (name == "connect") return on_connect(values);
    if (state_ == State::fresh) throw Malformed("the command " + printable(name) + " comes before connect");
    if (state_ == State::ended) return;
    if (name == "createStream") return on_create_stream(transaction);
    if (name == "publish") return on_publish(stream, transaction, values);
    if (name == "FCUnpublish" || name == "deleteStream" || name == "closeStream") return on_end(name, stream, values);
    if (name == "play" || name == "play2") return on_play(stream);
    if (name == "FCPublish") fc_publish_ = true;
    if (name == "_checkbw")
        result(transaction, amf::Null{}, 0.0);
    else if ((name == "FCPublish" || name == "releaseStream" || name == "getStreamLength") && transaction != 0)
        result(transaction, amf::Null{}, amf::Undefined{});
}

void Conversation::on_connect(const Values& values) {
    if (state_ != State::fresh) throw Malformed("a second connect on one connection");
    const auto* settings = at(values, 2).object();
    if (!settings) throw Malformed("connect without its object");
    connect_transaction_ = at(values, 1).number(1);
    state_ = State::connecting;
    decisions_.connect(
        connect_request(member(*settings, "app"), member(*settings, "tcUrl"), member(*settings, "flashVer")));
}

void Conversation::accept() {
    state_ = State::connected;
    send_number(MessageType::window_size, window);
    send_bandwidth(window);
    send_number(MessageType::set_chunk_size, chunk_size);
    amf::Object server;
    server.set("fmsVer", "FMS/3,5,7,7009").set("capabilities", 31.0).set("mode", 1.0);
    auto info = status_object("status", "NetConnection.Connect.Success", "Connection succeeded.");
    info.set("objectEncoding", 0.0);
    result(connect_transaction_, std::move(server), std::move(info));
}

void Conversation::reject(std::string_view why) {
    state_ = State::ended;
    send_command(0, {"_error", connect_transaction_, amf::Null{},
                     status_object("error", "NetConnection.Connect.Rejected", why)});
}

void Conversation::on_create_stream(double transaction) {
    result(transaction, amf::Null{}, static_cast<double>(++streams_made_));
}

void Conversation::on_publish(std::uint32_t stream, double /*transaction*/, const Values& values) {
    if (state_ == State::publishing) {
        status(stream, "error", "NetStream.Publish.BadName",
               "This connection already publishes a stream; use one connection for each.");
        return;
    }
    auto named = split_query(at(values, 3).text());
    name_ = named.name;
    publishing_ = stream;
    if (name_.empty()) {
        status(stream, "error", "NetStream.Publish.BadName", "A stream needs a name.");
        return;
    }
    state_ = State::opening;
    decisions_.publish({std::move(named.name), std::move(named.parameters)});
}

void Conversation::start() {
    state_ = State::publishing;
    if (fc_publish_) {
        send_command(0, {"onFCPublish", 0.0, amf::Null{}, status_object("status", "NetStream.Publish.Start", name_)});
    }
    send_event(ControlEvent::stream_begin, publishing_);
    status(publishing_, "status", "NetStream.Publish.Start", name_ + " is now published.");
}

void Conversation::refuse(std::string_view why) {
    state_ = State::ended;
    status(publishing_, "error", "NetStream.Publish.BadName", why);
}

void Conversation::kick(std::string_view why) {
    if (state_ == State::publishing) {
        status(publishing_, "error", "NetStream.Publish.Rejected", why);
        status(publishing_, "status", "NetStream.Unpublish.Success", name_ + " is no longer published.");
    }
    send_command(0, {"close", 0.0, amf::Null{}, status_object("error", "NetConnection.Connect.Closed", why)});
    state_ = State::ended;
}

void Conversation::on_end(std::string_view how, std::uint32_t stream, const Values& values) {
    if (state_ != State::publishing) return;
    // deleteStream names a stream; closeStream comes on it.
    if (how == "deleteStream" && at(values, 3).number(publishing_) != publishing_) return;
    if (how == "closeStream" && stream != publishing_) return;
    state_ = State::connected;
    decisions_.unpublish(how);
    if (how == "FCUnpublish") {
        send_command(
            0, {"onFCUnpublish", 0.0, amf::Null{}, status_object("status", "NetStream.Unpublish.Success", name_)});
    }
    status(publishing_, "status", "NetStream.Unpublish.Success", name_ + " is no longer published.");
}

void Conversation::on_play(std::uint32_t stream) {
    status(stream, "error", "NetStream.Play.Failed", "This server takes streams by RTMP and does not play them.");
}

/// Metadata comes as `onMetaData` with an object, in most senders behind the name `@setDataFrame`.
void Conversation::data(const Values& values) {
    std::size_t index = 0;
    if (at(values, index).text() == "@setDataFrame") ++index;
    if (at(values, index).text() != "onMetaData") return;
    if (const auto* object = at(values, index + 1).object()) decisions_.metadata(*object);
}

void Conversation::status(std::uint32_t stream, std::string_view level, std::string_view code,
                          std::string_view description) {
    send_command(stream, {"onStatus", 0.0, amf::Null{}, status_object(level, code, description)});
}

}  // namespace tapedeck::rtmp
