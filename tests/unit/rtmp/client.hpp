// A publisher for tests: what an encoder sends, over a socket that waits.
#pragma once

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bytes.hpp"
#include "rtmp/amf.hpp"
#include "rtmp/chunk.hpp"

namespace tapedeck::rtmp {

/// Over any stream of bytes that Asio's free functions know; by default a TCP socket.
template <class Stream = boost::asio::ip::tcp::socket>
class Client {
public:
    using Values = std::vector<amf::Value>;

    template <class... Args>
    explicit Client(std::uint16_t port, Args&&... args) : stream_(context_, std::forward<Args>(args)...) {
        stream_.lowest_layer().connect({boost::asio::ip::address_v4::loopback(), port});
    }

    Stream& stream() { return stream_; }
    void send(const Bytes& bytes) { boost::asio::write(stream_, boost::asio::buffer(bytes)); }

    void handshake() {
        send(join({{3}, Bytes(1536, 0)}));
        Bytes answer(1 + 2 * 1536);
        boost::asio::read(stream_, boost::asio::buffer(answer));
        send(Bytes(answer.begin() + 1, answer.begin() + 1 + 1536));
    }
    void command(const Values& values, std::uint32_t stream = 0) {
        Bytes payload, bytes;
        for (const auto& value : values) amf::write(payload, value);
        write_message(bytes, 3, MessageType::command_amf0, stream, payload, chunk_size);
        send(bytes);
    }
    void message(MessageType type, std::uint32_t time, const Bytes& body) { send(wire(type, time, body)); }
    /// One message as it goes over the wire.
    Bytes wire(MessageType type, std::uint32_t time, const Bytes& body) const {
        Bytes bytes;
        write_message(bytes, type == MessageType::video ? 6 : 4, type, 1, body, chunk_size);
        bytes[1] = static_cast<std::uint8_t>(time >> 16);
        bytes[2] = static_cast<std::uint8_t>(time >> 8);
        bytes[3] = static_cast<std::uint8_t>(time);
        return bytes;
    }
    void grow_chunks(std::uint32_t size) {
        Bytes bytes;
        write_message(bytes, 2, MessageType::set_chunk_size, 0, big_endian(size, 4), chunk_size);
        send(bytes);
        chunk_size = size;
    }

    /// The next command from the server, nothing when it closed the connection.
    std::optional<Values> next() {
        while (commands_.empty()) {
            Bytes bytes(4096);
            boost::system::error_code error;
            bytes.resize(stream_.read_some(boost::asio::buffer(bytes), error));
            if (error) return std::nullopt;
            Batch batch;
            reader_.read(bytes, batch);
            for (const auto& message : batch.messages) {
                if (message.type == MessageType::command_amf0)
                    commands_.push_back(amf::read_all(batch.gather(message)));
            }
        }
        auto first = commands_.front();
        commands_.erase(commands_.begin());
        return first;
    }
    /// Reads until a command's information object has this code; its description, nothing when the server closed first.
    std::optional<std::string> wait_for(std::string_view code) {
        while (const auto values = next()) {
            const auto* info = values->size() > 3 ? (*values)[3].object() : nullptr;
            const auto* found = info ? info->find("code") : nullptr;
            if (found && found->text() == code) return std::string(info->find("description")->text());
        }
        return std::nullopt;
    }
    /// Whether the server has closed; reads what is left.
    bool is_closed() {
        while (next()) {
        }
        return true;
    }

    void connect(const char* app = "live") {
        command({"connect", 1.0,
                 amf::Object().set("app", app).set("tcUrl", "rtmp://127.0.0.1/live").set("flashVer", "test")});
    }
    void ask_to_publish(const char* name) {
        command({"createStream", 2.0, amf::Null{}});
        command({"publish", 3.0, amf::Null{}, name, "live"}, 1);
    }
    /// Everything up to the first media message. Whether the server agreed.
    bool publish(const char* name = "cam", const char* app = "live") {
        handshake();
        connect(app);
        if (!wait_for("NetConnection.Connect.Success")) return false;
        ask_to_publish(name);
        return wait_for("NetStream.Publish.Start").has_value();
    }

    std::uint32_t chunk_size = 128;

private:
    boost::asio::io_context context_;
    Stream stream_;
    ChunkReader reader_{ChunkLimits{}};
    std::vector<Values> commands_;
};

}  // namespace tapedeck::rtmp
