#include "clip.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace tapedeck::load {
namespace {

struct Tag {
    unsigned type = 0;
    std::uint32_t time_ms = 0;
    std::string body;
    Kind kind = Kind::Setup;
};

constexpr unsigned audio_tag = 8, video_tag = 9, script_tag = 18;

std::uint32_t number(std::string_view text, std::size_t at, unsigned count) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(text[at + i]);
    return value;
}

/// What the tag is; AVC's end of sequence is left out by the caller since nothing may follow it.
Kind kind_of(const Tag& tag) {
    if (tag.type == script_tag || tag.body.size() < 2) return Kind::Setup;
    const unsigned head = number(tag.body, 0, 1);
    const bool enhanced = tag.type == video_tag ? head >= 0x80 : head >> 4 == 9;  // a codec of four characters
    if (enhanced && (head & 15) == 0) return Kind::Setup;
    const bool aac = tag.type == audio_tag && head >> 4 == 10;
    const bool avc = tag.type == video_tag && (head & 15) == 7;
    if ((aac || avc) && tag.body[1] == 0) return Kind::Setup;
    return tag.type == audio_tag ? Kind::Audio : Kind::Video;
}

std::vector<Tag> read_tags(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string file{std::istreambuf_iterator<char>(in), {}};
    if (file.size() < 13 || file.compare(0, 3, "FLV") != 0) throw std::runtime_error(path + ": not an FLV file");
    std::vector<Tag> tags;
    std::size_t at = 13;
    while (at < file.size()) {
        if (at + 11 > file.size()) throw std::runtime_error(path + ": ends inside a tag");
        const std::uint32_t size = number(file, at + 1, 3);
        if (at + 15 + size > file.size()) throw std::runtime_error(path + ": ends inside a tag");
        Tag tag{number(file, at, 1), number(file, at + 4, 3) | number(file, at + 7, 1) << 24,
                file.substr(at + 11, size)};
        tag.kind = kind_of(tag);
        if (tag.type == script_tag) tag.body = std::string("\x02\x00\x0d@setDataFrame", 16) + tag.body;
        const bool end_of_sequence = tag.type == video_tag && size >= 2 && tag.body[1] == 2;
        if (!end_of_sequence) tags.push_back(std::move(tag));
        at += 15 + size;
    }
    return tags;
}

unsigned chunk_stream_of(unsigned tag_type) {
    return tag_type == audio_tag ? 4 : tag_type == video_tag ? 6 : 5;
}

}  // namespace

std::string big_endian(std::uint64_t value, unsigned count) {
    std::string text;
    for (unsigned i = count; i-- > 0;) text += static_cast<char>(value >> (8 * i) & 0xff);
    return text;
}

std::string ChunkWriter::message(unsigned chunk_stream, unsigned type, std::uint32_t time_ms, std::string_view body,
                                 std::uint32_t message_stream) {
    constexpr std::uint32_t extended = 0xffffff;
    const bool full = !begun_[chunk_stream] || message_stream == 0;
    // Unsigned, so that a time that runs over 32 bits is a small difference as well.
    const std::uint32_t time = full ? time_ms : time_ms - last_ms_[chunk_stream];
    const std::string tail = time >= extended ? big_endian(time, 4) : "";
    std::string out(1, static_cast<char>((full ? 0x00 : 0x40) | chunk_stream));
    out += big_endian(std::min(time, extended), 3);
    out += big_endian(body.size(), 3);
    out += static_cast<char>(type);
    if (full) {
        // The one little-endian number of the protocol.
        std::string id = big_endian(message_stream, 4);
        std::reverse(id.begin(), id.end());
        out += id;
    }
    out += tail;
    begun_[chunk_stream] = true;
    last_ms_[chunk_stream] = time_ms;
    for (std::size_t at = 0; at < body.size(); at += chunk_size_) {
        if (at > 0) out += static_cast<char>(0xc0 | chunk_stream) + tail;
        out += body.substr(at, chunk_size_);
    }
    return out;
}

Clip read_clip(const std::string& path, std::size_t chunk_size) {
    const std::vector<Tag> tags = read_tags(path);
    Clip clip;
    std::uint32_t last = 0, step = 1;
    for (const Tag& tag : tags) {
        if (tag.kind != Kind::Video) continue;
        if (tag.time_ms > last) step = tag.time_ms - last;
        last = tag.time_ms;
    }
    for (const Tag& tag : tags) last = std::max(last, tag.time_ms);
    clip.length_ms = last + step;

    ChunkWriter writer(chunk_size);
    for (const bool first : {true, false}) {
        for (const Tag& tag : tags) {
            if (!first && tag.kind == Kind::Setup) continue;
            const std::string text = writer.message(chunk_stream_of(tag.type), tag.type,
                                                    tag.time_ms + (first ? 0 : clip.length_ms), tag.body, 1);
            (first ? clip.first : clip.again).push_back({clip.bytes.size(), text.size(), tag.time_ms, tag.kind});
            clip.bytes += text;
        }
    }
    return clip;
}

}  // namespace tapedeck::load
