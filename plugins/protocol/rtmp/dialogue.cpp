#include "dialogue.hpp"

#include <array>
#include <string>
#include <utility>

#include "chunk.hpp"

namespace tapedeck::rtmp {

namespace {

constexpr std::uint32_t control_chunks = 2, command_chunks = 3, status_chunks = 5;

std::array<std::uint8_t, 4> big_endian(std::uint32_t value) {
    return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
            static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

}  // namespace

void Dialogue::message(MessageType type, std::uint32_t stream, ByteSpan payload) {
    switch (type) {
        case MessageType::window_size:
            peer_window_ = ByteReader(payload).u32();
            return;
        case MessageType::peer_bandwidth:
            // Section 5.4.5: answered by a window of this size, unless the peer was told of it.
            if (const auto size = ByteReader(payload).u32(); std::exchange(own_window_, size) != size)
                send_number(MessageType::window_size, size);
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
            return;  // acknowledgements, shared objects
    }
    if (type == MessageType::data_amf0 || type == MessageType::data_amf3) return data_message(payload);
    if (payload.size() > longest_command)
        throw Malformed("a command or metadata of " + std::to_string(payload.size()) + " bytes; " +
                        std::to_string(longest_command) + " are allowed");
    command(stream, amf::read_all(payload));
}

/// Metadata is only for show: what is too long or cannot be read is passed over, and the media goes on.
void Dialogue::data_message(ByteSpan payload) {
    if (payload.size() > longest_command) return;
    Values values;
    try {
        values = amf::read_all(payload);
    } catch (const Malformed&) {
        return;
    }
    data(values);
}

void Dialogue::user_control(ByteSpan payload) {
    ByteReader reader(payload);
    const auto event = static_cast<ControlEvent>(reader.u16());
    if (event == ControlEvent::ping_request) send_event(ControlEvent::ping_response, reader.u32());
    if (event == ControlEvent::stream_eof) stream_ended(reader.u32());
}

void Dialogue::ping(std::uint32_t timestamp) {
    send_event(ControlEvent::ping_request, timestamp);
}

void Dialogue::received(std::uint64_t total) {
    if (peer_window_ == 0 || total - acknowledged_ < peer_window_) return;
    acknowledged_ = total;
    send_number(MessageType::acknowledgement, static_cast<std::uint32_t>(total));
}

void Dialogue::send(std::uint32_t chunk_stream, MessageType type, std::uint32_t stream, ByteSpan payload) {
    // The peer knows of the larger chunks once it was told.
    write_message(output_, chunk_stream, type, stream, payload, told_ ? chunk_size : 128);
    if (type == MessageType::set_chunk_size) told_ = true;
}

void Dialogue::send_number(MessageType type, std::uint32_t number) {
    if (type == MessageType::window_size) own_window_ = number;
    send(control_chunks, type, 0, big_endian(number));
}

void Dialogue::send_bandwidth(std::uint32_t bytes) {
    const auto size = big_endian(bytes);
    const std::array<std::uint8_t, 5> payload{size[0], size[1], size[2], size[3], 2};  // 2: dynamic
    send(control_chunks, MessageType::peer_bandwidth, 0, payload);
}

void Dialogue::send_command(std::uint32_t stream, const Values& values) {
    std::vector<std::uint8_t> payload;
    for (const auto& value : values) amf::write(payload, value);
    send(stream == 0 ? command_chunks : status_chunks, MessageType::command_amf0, stream, payload);
}

void Dialogue::send_event(ControlEvent event, std::uint32_t value) {
    const auto number = big_endian(value);
    const std::array<std::uint8_t, 6> payload{
        0, static_cast<std::uint8_t>(event), number[0], number[1], number[2], number[3]};
    send(control_chunks, MessageType::user_control, 0, payload);
}

void Dialogue::send_event(ControlEvent event, std::uint32_t stream, std::uint32_t value) {
    const auto id = big_endian(stream), number = big_endian(value);
    const std::array<std::uint8_t, 10> payload{
        0, static_cast<std::uint8_t>(event), id[0], id[1], id[2], id[3], number[0], number[1], number[2], number[3]};
    send(control_chunks, MessageType::user_control, 0, payload);
}

void Dialogue::result(double transaction, amf::Value first, amf::Value second) {
    send_command(0, {"_result", transaction, std::move(first), std::move(second)});
}

const amf::Value& Dialogue::at(const Values& values, std::size_t index) {
    static const amf::Value missing;
    return index < values.size() ? values[index] : missing;
}

std::string_view Dialogue::member(const amf::Object& object, std::string_view name) {
    const auto* value = object.find(name);
    return value ? value->text() : std::string_view();
}

}  // namespace tapedeck::rtmp
