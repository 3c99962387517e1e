// An FLV file cut into RTMP chunks ahead of time, so that sending a message is one send() and costs the sender little.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tapedeck::load {

enum class Kind : std::uint8_t { Setup, Audio, Video };

/// One message in `Clip::bytes`.
struct Message {
    std::size_t at = 0;
    std::size_t size = 0;
    std::uint32_t time_ms = 0;  ///< within the clip
    Kind kind = Kind::Setup;
};

/// The clip as chunks. Passes after the first carry only differences of time, so that one copy serves all of them.
struct Clip {
    std::string bytes;
    std::vector<Message> first;  ///< with metadata and decoder setup
    std::vector<Message> again;  ///< media only
    std::uint32_t length_ms = 0;
};

/// Writes RTMP messages as chunks of one chosen size.
class ChunkWriter {
public:
    explicit ChunkWriter(std::size_t chunk_size) : chunk_size_(chunk_size) {}

    /// `chunk_stream` is 2 to 7. A chunk stream begins with a full header; media goes on with time differences.
    std::string message(unsigned chunk_stream, unsigned type, std::uint32_t time_ms, std::string_view body,
                        std::uint32_t message_stream);

private:
    std::size_t chunk_size_;
    std::uint32_t last_ms_[8] = {};
    bool begun_[8] = {};
};

/// `value` in `count` bytes, the highest first.
std::string big_endian(std::uint64_t value, unsigned count);

/// Reads the whole file. Throws std::runtime_error when it is no FLV file or ends inside a tag.
Clip read_clip(const std::string& path, std::size_t chunk_size);

}  // namespace tapedeck::load
