#include "conversation.hpp"

#include <array>

#include "chunk.hpp"

namespace tapedeck::rtmp {

namespace {

constexpr std::uint32_t control_chunks = 2, command_chunks = 3, status_chunks = 5;

std::array<std::uint8_t, 4> big_endian(std::uint32_t value) {
    return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
            static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

const amf::Value& at(const std::vector<amf::Value>& values, std::size_t index) {
    static const amf::Value missing;
    return index < values.size() ? values[index] : missing;
}

std::string_view member(const amf::Object& object, std::string_view name) {
    const auto* value = object.find(name);
    return value ? value->text() : std::string_view();
}

amf::Object status_object(std::string_view level, std::string_view code, std::string_view description) {
    amf::Object info;
    info.set("level", level).set("code", code).set("description", description);
    return info;
}

}  // namespace

void Conversation::message(MessageType type, std::uint32_t stream, ByteSpan payload) {
    switch (type) {
        case MessageType::window_size:
            peer_window_ = ByteReader(payload).u32();
            return;
        case MessageType::user_control:
            return user_control(payload);
        case MessageType::command_amf3:
        case MessageType::data_amf3:
            // AMF0 behind one byte that names the format; the values in it stay AMF0, as `connect` answers (7.1.1).
            if (!payload.empty() && payload[0] == 0) payload = payload.subspan(1);
            break;
        case MessageType::command_amf0:
        case MessageType::data_amf0:
            break;
        default:
            return;  // acknowledgements, peer bandwidth, shared objects
    }
    const bool is_data = type == MessageType::data_amf0 || type == MessageType::data_amf3;
    if (is_data) return data(payload);
    if (payload.size() > longest_command)
        throw Malformed("a command or metadata of " + std::to_string(payload.size()) + " bytes; " +
                        std::to_string(longest_command) + " are allowed");
    command(stream, amf::read_all(payload));
}

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
    const auto size = big_endian(window);
    const std::array<std::uint8_t, 5> bandwidth{size[0], size[1], size[2], size[3], 2};  // 2: dynamic
    send(control_chunks, MessageType::peer_bandwidth, 0, bandwidth);
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

/// Metadata comes as `onMetaData` with an object, in most senders behind the name `@setDataFrame`. It is only for show:
/// what is too long or cannot be read is passed over, and the media goes on.
void Conversation::data(ByteSpan payload) {
    if (payload.size() > longest_command) return;
    std::vector<amf::Value> values;
    try {
        values = amf::read_all(payload);
    } catch (const Malformed&) {
        return;
    }
    std::size_t index = 0;
    if (at(values, index).text() == "@setDataFrame") ++index;
    if (at(values, index).text() != "onMetaData") return;
    if (const auto* object = at(values, index + 1).object()) decisions_.metadata(*object);
}

void Conversation::user_control(ByteSpan payload) {
    ByteReader reader(payload);
    const auto event = static_cast<ControlEvent>(reader.u16());
    if (event == ControlEvent::ping_request) send_event(ControlEvent::ping_response, reader.u32());
}

void Conversation::ping(std::uint32_t timestamp) {
    send_event(ControlEvent::ping_request, timestamp);
}

void Conversation::received(std::uint64_t total) {
    if (peer_window_ == 0 || total - acknowledged_ < peer_window_) return;
    acknowledged_ = total;
    send_number(MessageType::acknowledgement, static_cast<std::uint32_t>(total));
}

void Conversation::send(std::uint32_t chunk_stream, MessageType type, std::uint32_t stream, ByteSpan payload) {
    // The peer knows of the larger chunks once it was told, which `accept` does first.

    write_message(output_, chunk_stream, type, stream, payload, told_ ? chunk_size : 128);
    if (type == MessageType::set_chunk_size) told_ = true;
}

void Conversation::send_number(MessageType type, std::uint32_t number) {
    send(control_chunks, type, 0, big_endian(number));
}

void Conversation::send_command(std::uint32_t stream, const Values& values) {
    std::vector<std::uint8_t> payload;
    for (const auto& value : values) amf::write(payload, value);
    send(stream == 0 ? command_chunks : status_chunks, MessageType::command_amf0, stream, payload);
}

void Conversation::send_event(ControlEvent event, std::uint32_t value) {
    const auto number = big_endian(value);
    const std::array<std::uint8_t, 6> payload{
        0, static_cast<std::uint8_t>(event), number[0], number[1], number[2], number[3]};
    send(control_chunks, MessageType::user_control, 0, payload);
}

void Conversation::result(double transaction, amf::Value first, amf::Value second) {
    send_command(0, {"_result", transaction, std::move(first), std::move(second)});
}

void Conversation::status(std::uint32_t stream, std::string_view level, std::string_view code,
                          std::string_view description) {
    send_command(stream, {"onStatus", 0.0, amf::Null{}, status_object(level, code, description)});
}

}  // namespace tapedeck::rtmp
