// RTMP's chunk layer (Adobe's specification 1.0, section 5.3): chunks in, messages out, and the reverse.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "message.hpp"
#include "tapedeck/media/bytes.hpp"

namespace tapedeck::rtmp {

/// One chunk's header as it stands on the wire, without the extended timestamp, whose presence depends on what came
/// before.
struct ChunkHeader {
    std::uint8_t format = 0;           // 0 to 3: how much of the header is there
    std::uint32_t chunk_stream = 0;    // 2 to 65599
    std::uint32_t time = 0;            // 24 bits, formats 0 to 2: absolute (0) or since the last message (1, 2)
    std::uint32_t length = 0;          // formats 0 and 1
    std::uint8_t type = 0;             // formats 0 and 1
    std::uint32_t message_stream = 0;  // format 0
    std::size_t size = 0;              // bytes that the header takes

    static constexpr std::uint32_t extended = 0xffffff;  // `time` says: four more bytes follow
};

/// Nothing when `bytes` ends inside the header.
std::optional<ChunkHeader> parse_chunk_header(ByteSpan bytes);

/// What a peer may make the server keep.
struct ChunkLimits {
    std::uint32_t message = 16u << 20;  // bytes of one message
    std::uint32_t chunk_streams = 64;   // used by one connection
};

/// Puts messages together from one connection's bytes. Keeps between reads only what came of unfinished messages, and
/// memory grows with bytes received, never with lengths announced. Handles `set chunk size` and `abort` itself. Pure;
/// not thread-safe.
class ChunkReader {
public:
    explicit ChunkReader(ChunkLimits limits) : limits_(limits) {}

    /// Appends to `batch` the messages that `bytes` completes; pieces point into `bytes`. Throws Malformed, after which
    /// the connection is beyond repair; messages before the fault are in the batch.
    void read(ByteSpan bytes, Batch& batch);

    std::uint32_t chunk_size() const { return chunk_size_; }
    /// Bytes held of unfinished messages.
    std::size_t held() const { return held_; }

private:
    /// One chunk stream: the last header's values, which later headers leave out, and the message under way.
    struct Stream {
        std::uint32_t id = 0;
        std::uint32_t timestamp = 0, step = 0, extended = 0;
        bool has_extended = false, in_message = false;
        std::uint32_t length = 0, message_stream = 0, received = 0;
        MessageType type{};
        std::uint32_t first_piece = Piece::none, last_piece = Piece::none;  // in the batch being read
        std::vector<std::uint8_t> partial;                                  // from reads before
    };

    std::size_t begin_chunk(ByteSpan bytes);
    void consume(ByteSpan bytes, Batch& batch);
    void extend_split_header(std::uint8_t byte, Batch& batch);
    void start_message(Stream& stream, const ChunkHeader& header, std::uint32_t time);
    void add_piece(ByteSpan bytes, Batch& batch);
    void complete(Batch& batch);
    void keep_unfinished(Batch& batch);
    Stream& stream(const ChunkHeader& header);
    void obey(const Message& message, const Batch& batch);
    void drop(Stream& stream);

    ChunkLimits limits_;
    std::uint32_t chunk_size_ = 128;
    std::vector<Stream> streams_;
    std::size_t current_ = 0;       // index in streams_ of the chunk under way
    std::uint32_t chunk_left_ = 0;  // its bytes still to come
    bool in_chunk_ = false;
    std::size_t held_ = 0;
    static constexpr std::size_t header_max = 3 + 11 + 4;
    std::array<std::uint8_t, header_max> split_{};  // a header that the last read cut
    std::size_t split_size_ = 0;
};

/// Appends one message in chunks with full headers to `out`.
void write_message(std::vector<std::uint8_t>& out, std::uint32_t chunk_stream, MessageType type, std::uint32_t stream,
                   ByteSpan payload, std::uint32_t chunk_size);

}  // namespace tapedeck::rtmp
