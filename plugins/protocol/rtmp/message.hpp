// RTMP messages: their types and where their payload lies while one read is worked off.
#pragma once

#include <cstdint>
#include <vector>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtmp {

/// Adobe's RTMP specification 1.0, sections 5.4 and 7.1.
enum class MessageType : std::uint8_t {
    set_chunk_size = 1,
    abort = 2,
    acknowledgement = 3,
    user_control = 4,
    window_size = 5,
    peer_bandwidth = 6,
    audio = 8,
    video = 9,
    data_amf3 = 15,
    command_amf3 = 17,
    data_amf0 = 18,
    command_amf0 = 20,
    aggregate = 22,
};

/// Section 7.1.7.
enum class ControlEvent : std::uint16_t {
    stream_begin = 0,
    stream_eof = 1,
    set_buffer_length = 3,
    ping_request = 6,
    ping_response = 7,
};

/// A part of a payload; the parts of one message are chained by index, because chunk streams interleave.
struct Piece {
    static constexpr std::uint32_t none = UINT32_MAX;
    ByteSpan bytes;
    std::uint32_t next = none;
};

/// One whole message of a batch.
struct Message {
    MessageType type{};
    std::uint32_t stream = 0;     // message stream id
    std::uint32_t timestamp = 0;  // milliseconds, absolute, wraps at 32 bits
    std::uint32_t size = 0;
    std::uint32_t first_piece = Piece::none;
};

/// All messages that one read completed, in order. Pieces point into the bytes that were read and into `kept`, so a
/// batch lives until the next read at most. Reused: `clear` keeps the memory of the two lists.
struct Batch {
    std::vector<Message> messages;
    std::vector<Piece> pieces;
    std::vector<std::vector<std::uint8_t>> kept;  // what earlier reads had brought of messages completed now

    void clear();
    /// Copies the payload of `message`, one of this batch, to `target`, which has room for `message.size` bytes.
    void gather(const Message& message, std::uint8_t* target) const;
    std::vector<std::uint8_t> gather(const Message& message) const;
};

}  // namespace tapedeck::rtmp
