// One RTMP publisher over a socket that never blocks: the handshake, the commands, then a clip.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clip.hpp"

namespace tapedeck::load {

/// What all publishers of a run share.
struct Plan {
    std::string host = "127.0.0.1";
    std::uint16_t port = 1935;
    std::size_t chunk_size = 4096;
    std::uint64_t media_ms =
        0;  ///< how much of the (repeated) clip to send; 0: until `media_bytes`; both 0: the clip once
    std::uint64_t media_bytes = 0;
    std::uint64_t hold_ms = 0;  ///< silence before the goodbye, in which the server can catch up
    bool paced = true;          ///< in real time, else as fast as the server takes it
};

/// Counts of everything sent.
struct Sent {
    std::uint64_t video = 0, audio = 0, bytes = 0;
};

/// Not thread-safe. Lives in one place: the poll loop keeps its address.
class Publisher {
public:
    Publisher(const Plan& plan, const Clip& clip, std::string name)
        : plan_(plan), clip_(clip), name_(std::move(name)) {}
    Publisher(const Publisher&) = delete;
    Publisher& operator=(const Publisher&) = delete;
    ~Publisher();

    /// Connects. Throws std::system_error.
    void connect();
    int socket() const { return socket_; }
    bool is_open() const { return socket_ >= 0; }
    bool is_over() const { return over_; }
    /// Why the server ended it before the clip was sent, or empty.
    const std::string& failure() const { return failure_; }
    const Sent& sent() const { return sent_; }
    /// Whether it waits for room in the socket.
    bool is_full() const { return full_; }

    /// Takes what came and sends what is due at `now_ms` (any steady clock).
    void work(std::uint64_t now_ms);

private:
    enum class Step { Handshake, Connect, Create, Publish, Media, Goodbye, Gone };

    void receive(std::uint64_t now_ms);
    void answer(std::uint64_t now_ms);
    void send_due(std::uint64_t now_ms);
    bool flush();
    void command(std::string_view name, double transaction, std::string_view arguments, std::uint32_t stream = 0);
    void end(std::string failure);

    const Plan& plan_;
    const Clip& clip_;
    std::string name_;
    int socket_ = -1;
    Step step_ = Step::Handshake;
    std::string in_, out_;
    std::uint32_t stream_ = 1;
    std::uint64_t began_ms_ = 0, finished_ms_ = 0, pass_ = 0;
    std::size_t next_ = 0, part_ = 0;  ///< message of the pass, and how much of it is gone
    bool full_ = false, over_ = false;
    std::string failure_;
    Sent sent_;
};

}  // namespace tapedeck::load
