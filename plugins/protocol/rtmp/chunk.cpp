#include "chunk.hpp"

#include <algorithm>
#include <cstring>

namespace tapedeck::rtmp {

std::optional<ChunkHeader> parse_chunk_header(ByteSpan bytes) {
    static constexpr std::array<std::size_t, 4> message_header{11, 7, 3, 0};
    if (bytes.empty()) return std::nullopt;
    const std::uint32_t short_id = bytes[0] & 0x3fu;
    const std::size_t basic = short_id == 0 ? 2 : short_id == 1 ? 3 : 1;
    ChunkHeader header;
    header.format = static_cast<std::uint8_t>(bytes[0] >> 6);
    header.size = basic + message_header[header.format];
    if (bytes.size() < header.size) return std::nullopt;

    header.chunk_stream = short_id;
    if (short_id == 0) header.chunk_stream = 64u + bytes[1];
    if (short_id == 1) header.chunk_stream = 64u + bytes[1] + 256u * bytes[2];
    ByteReader fields(bytes.subspan(basic, header.size - basic));
    if (header.format <= 2) header.time = fields.u24();
    if (header.format <= 1) header.length = fields.u24(), header.type = fields.u8();
    if (header.format == 0)  // the one little-endian number of RTMP
        for (unsigned shift = 0; shift < 32; shift += 8)
            header.message_stream |= static_cast<std::uint32_t>(fields.u8()) << shift;
    return header;
}

void ChunkReader::read(ByteSpan bytes, Batch& batch) {
    while (split_size_ > 0 && !bytes.empty()) {
        extend_split_header(bytes.front(), batch);
        bytes = bytes.subspan(1);
    }
    consume(bytes, batch);
    keep_unfinished(batch);
}

void ChunkReader::consume(ByteSpan bytes, Batch& batch) {
    while (in_chunk_ || !bytes.empty()) {
        if (!in_chunk_) {
            const auto header = begin_chunk(bytes);
            if (header == 0) {  // the read ends inside a header
                std::copy(bytes.begin(), bytes.end(), split_.begin());
                split_size_ = bytes.size();
                return;
            }
            bytes = bytes.subspan(header);
        }
        const auto count = std::min<std::size_t>(chunk_left_, bytes.size());
        if (count > 0) add_piece(bytes.first(count), batch);
        bytes = bytes.subspan(count);
        chunk_left_ -= static_cast<std::uint32_t>(count);
        if (chunk_left_ > 0) return;
        in_chunk_ = false;
        if (streams_[current_].received == streams_[current_].length) complete(batch);
    }
}

/// Takes one more byte of the header that the last read cut. What was kept in search of an extended timestamp that is
/// not there is payload.
void ChunkReader::extend_split_header(std::uint8_t byte, Batch& batch) {
    split_[split_size_++] = byte;
    const auto known = ByteSpan(split_).first(split_size_);
    const auto header = begin_chunk(known);
    if (header == 0) return;
    split_size_ = 0;
    const auto payload = known.subspan(header);
    const auto& kept = batch.kept.emplace_back(payload.begin(), payload.end());
    consume(kept, batch);
}

/// Reads one header from the front of `bytes` and sets the chunk under way. Returns the header's size, 0 when `bytes`
/// ends inside it.
std::size_t ChunkReader::begin_chunk(ByteSpan bytes) {
    const auto header = parse_chunk_header(bytes);
    if (!header) return 0;
    auto size = header->size;
    auto* known = &stream(*header);
    const bool may_extend = header->format == 3 ? known->has_extended : header->time == ChunkHeader::extended;
    auto time = header->time;
    if (may_extend) {
        if (bytes.size() < size + 4) return 0;
        const auto value = ByteReader(bytes.subspan(size)).u32();
        // Senders disagree on whether chunks of format 3 repeat the extended timestamp: it is there if it reads the
        // same.
        if (header->format != 3 || value == known->extended || value == known->timestamp) size += 4;
        if (header->format != 3) time = value;
    }
    if (header->format != 3) {
        if (known->in_message)
            throw Malformed("chunk stream " + std::to_string(known->id) + " begins a message inside another");
        known->has_extended = may_extend;
        known->extended = time;
        start_message(*known, *header, time);
    } else if (!known->in_message) {
        start_message(*known, *header, known->step);
    }
    current_ = static_cast<std::size_t>(known - streams_.data());
    chunk_left_ = std::min(chunk_size_, known->length - known->received);
    in_chunk_ = true;
    return size;
}

ChunkReader::Stream& ChunkReader::stream(const ChunkHeader& header) {
    const auto found = std::find_if(streams_.begin(), streams_.end(),
                                    [&](const Stream& each) { return each.id == header.chunk_stream; });
    if (found != streams_.end()) return *found;
    const auto id = std::to_string(header.chunk_stream);
    if (header.format >= 2)
        throw Malformed("chunk stream " + id + " begins with a header of format " + std::to_string(header.format));
    if (streams_.size() >= limits_.chunk_streams)
        throw Malformed("more than " + std::to_string(limits_.chunk_streams) +
                        " chunk streams; setting 'protocol.rtmp.max_chunk_streams' allows more");
    auto& made = streams_.emplace_back();
    made.id = header.chunk_stream;
    return made;
}

void ChunkReader::start_message(Stream& stream, const ChunkHeader& header, std::uint32_t time) {
    // A message of format 3 right after one of format 0 takes that one's absolute time as its step (section 5.3.1.2.4).
    stream.timestamp = header.format == 0 ? time : stream.timestamp + time;
    stream.step = time;
    if (header.format == 0) stream.message_stream = header.message_stream;
    if (header.format <= 1) {
        if (header.length > limits_.message)
            throw Malformed("a message of " + std::to_string(header.length) +
                            " bytes; setting 'protocol.rtmp.max_message' allows " + std::to_string(limits_.message));
        stream.length = header.length;
        stream.type = static_cast<MessageType>(header.type);
    }
    stream.received = 0;
    stream.in_message = true;
}

void ChunkReader::add_piece(ByteSpan bytes, Batch& batch) {
    auto& stream = streams_[current_];
    const auto index = static_cast<std::uint32_t>(batch.pieces.size());
    batch.pieces.push_back({bytes, Piece::none});
    (stream.last_piece == Piece::none ? stream.first_piece : batch.pieces[stream.last_piece].next) = index;
    stream.last_piece = index;
    stream.received += static_cast<std::uint32_t>(bytes.size());
}

void ChunkReader::complete(Batch& batch) {
    auto& stream = streams_[current_];
    Message message{stream.type, stream.message_stream, stream.timestamp, stream.length, stream.first_piece};
    if (!stream.partial.empty()) {
        held_ -= stream.partial.size();
        const auto& kept = batch.kept.emplace_back(std::move(stream.partial));
        batch.pieces.push_back({kept, stream.first_piece});
        message.first_piece = static_cast<std::uint32_t>(batch.pieces.size() - 1);
    }
    drop(stream);
    if (message.type == MessageType::set_chunk_size || message.type == MessageType::abort)
        obey(message, batch);
    else
        batch.messages.push_back(message);
}

/// The two messages that steer the chunk layer itself (sections 5.4.1 and 5.4.2).
void ChunkReader::obey(const Message& message, const Batch& batch) {
    const auto payload = batch.gather(message);
    const auto value = ByteReader(payload).u32();
    if (message.type == MessageType::set_chunk_size) {
        if (value == 0 || value > 0x7fffffff) throw Malformed("a chunk size of " + std::to_string(value));
        chunk_size_ = value;
        return;
    }
    for (auto& stream : streams_)
        if (stream.id == value) {
            held_ -= stream.partial.size();
            drop(stream);
        }
}

void ChunkReader::drop(Stream& stream) {
    stream.partial = {};
    stream.first_piece = stream.last_piece = Piece::none;
    stream.received = 0;
    stream.in_message = false;
}

/// Saves what this read brought of messages that it did not complete.
void ChunkReader::keep_unfinished(Batch& batch) {
    static constexpr std::size_t reserved = 64u << 10;
    for (auto& stream : streams_) {
        if (stream.first_piece == Piece::none) continue;
        auto& partial = stream.partial;
        if (partial.empty()) partial.reserve(std::min<std::size_t>(stream.length, reserved));
        for (auto index = stream.first_piece; index != Piece::none; index = batch.pieces[index].next) {
            const auto& bytes = batch.pieces[index].bytes;
            partial.insert(partial.end(), bytes.begin(), bytes.end());
            held_ += bytes.size();
        }
        stream.first_piece = stream.last_piece = Piece::none;
    }
    if (held_ > std::size_t{limits_.message} * 2)
        throw Malformed("unfinished messages hold " + std::to_string(held_) +
                        " bytes; setting 'protocol.rtmp.max_message' allows " +
                        std::to_string(std::size_t{limits_.message} * 2));
}

void write_message(std::vector<std::uint8_t>& out, std::uint32_t chunk_stream, MessageType type, std::uint32_t stream,
                   ByteSpan payload, std::uint32_t chunk_size) {
    const auto id = static_cast<std::uint8_t>(chunk_stream & 0x3f);
    const auto size = payload.size();
    const std::array<std::uint8_t, 12> header{id,
                                              0,
                                              0,
                                              0,
                                              static_cast<std::uint8_t>(size >> 16),
                                              static_cast<std::uint8_t>(size >> 8),
                                              static_cast<std::uint8_t>(size),
                                              static_cast<std::uint8_t>(type),
                                              static_cast<std::uint8_t>(stream),
                                              static_cast<std::uint8_t>(stream >> 8),
                                              static_cast<std::uint8_t>(stream >> 16),
                                              static_cast<std::uint8_t>(stream >> 24)};
    out.insert(out.end(), header.begin(), header.end());
    for (bool first = true; first || !payload.empty(); first = false) {
        if (!first) out.push_back(static_cast<std::uint8_t>(0xc0 | id));
        const auto part = payload.first(std::min<std::size_t>(chunk_size, payload.size()));
        out.insert(out.end(), part.begin(), part.end());
        payload = payload.subspan(part.size());
    }
}

}  // namespace tapedeck::rtmp
