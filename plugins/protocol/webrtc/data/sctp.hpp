// One SCTP association (RFC 9260) over DTLS (RFC 8261), by usrsctp.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

struct socket;

namespace tapedeck::webrtc {

/// What arrived on one stream, or goes out on it.
struct SctpMessage {
    std::uint16_t stream = 0;
    std::uint32_t protocol = 0;  // PPID: what `bytes` are
    std::span<const std::uint8_t> bytes;
};

/// What becomes of an association. Called from within its members but the destructor, without a lock.
class SctpEvents {
public:
    virtual ~SctpEvents() = default;
    /// To be sent to the peer.
    virtual void datagram(std::span<const std::uint8_t> bytes) = 0;
    virtual void message(const SctpMessage& message) = 0;
    /// The peer has closed its half of the stream (RFC 6525).
    virtual void closed(std::uint16_t stream) = 0;
};

/// Both sides connect; whoever comes first. One thread at a time; associations of other threads share one stack, whose
/// lock is held while a datagram is worked on, never while one is sent.
///
/// What the peer may cost: messages beyond `largest_message` are passed over; what comes faster than
/// `bytes_a_second` stays in a receive buffer of 256 KiB, and so its window closes.
class SctpAssociation {
public:
    using Time = std::chrono::microseconds;
    static constexpr std::uint16_t usual_port = 5000, most_streams = 256;
    static constexpr std::size_t largest_message = 64 * 1024;
    static constexpr std::size_t bytes_a_second = 1024 * 1024, message_cost = 256;  // each message's, beside its bytes

    /// `events` is borrowed. Throws Error when there is no memory.
    SctpAssociation(SctpEvents& events, std::uint16_t remote_port);
    ~SctpAssociation();
    SctpAssociation(const SctpAssociation&) = delete;
    SctpAssociation& operator=(const SctpAssociation&) = delete;

    /// Sends the first packet. Times are of one monotonic clock.
    void connect(Time now);
    void receive(std::span<const std::uint8_t> datagram, Time now);
    /// Call about ten times a second: retransmissions, and what waited in the buffer.
    void tick(Time now);
    /// False when it is not connected or has no room.
    bool send(const SctpMessage& message, Time now);
    /// Closes our half of the stream.
    void reset(std::uint16_t stream, Time now);

    bool is_connected() const { return state_ == State::connected; }
    bool is_over() const { return state_ == State::over; }
    /// Messages that were too large.
    std::uint64_t oversized() const { return oversized_; }

private:
    enum class State : std::uint8_t { connecting, connected, over };
    struct Came {
        std::uint16_t stream;
        std::uint32_t protocol;
        std::vector<std::uint8_t> bytes;
        bool is_close;
    };
    class Stack;

    template <class Work>
    void work(Time now, Work work);
    void read(Stack& stack);
    void take(const SctpMessage& piece, bool is_end);
    void notified(std::span<const std::uint8_t> notification);
    void tell();

    SctpEvents& events_;
    struct ::socket* socket_ = nullptr;
    void* address_ = nullptr;  // by which the stack names the peer; a number
    std::uint16_t remote_port_;
    State state_ = State::connecting;
    Time filled_{};            // when the budget was
    std::int64_t budget_ = 0;  // bytes that may be read
    std::vector<std::uint8_t> partial_;
    bool passes_over_ = false;  // the rest of a message that is too large
    std::uint64_t oversized_ = 0;
    std::vector<Came> came_;
    bool is_telling_ = false;
    std::deque<std::vector<std::uint8_t>> out_;  // under the stack's lock: timers of others fill it too
};

}  // namespace tapedeck::webrtc
