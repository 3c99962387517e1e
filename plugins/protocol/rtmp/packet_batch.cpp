#include "packet_batch.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

namespace tapedeck::rtmp {

namespace {

bool holds(const Buffer& buffer, ByteSpan bytes) {
    return buffer && std::less_equal<>()(buffer.data(), bytes.data()) &&
           std::less<>()(bytes.data(), buffer.data() + buffer.capacity());
}

}  // namespace

void PacketBatch::adopt(Buffer buffer) {
    adopted_ = std::move(buffer);
}

void PacketBatch::keep_adopted(std::size_t bytes) {
    if (bytes < adopted_.capacity() / 2) lent_ = std::exchange(adopted_, {});
}

ByteSpan PacketBatch::payload(const Batch& batch, const Message& message, std::size_t coming) {
    auto* place = push_together(batch, message);
    if (place == nullptr) {
        place = room(message.size, coming);
        batch.gather(message, place);
    }
    return {place, message.size};
}

/// Null when a piece is elsewhere, or bytes of another message lie between two.
std::uint8_t* PacketBatch::push_together(const Batch& batch, const Message& message) const {
    for (auto index = message.first_piece; index != Piece::none; index = batch.pieces[index].next) {
        const auto& piece = batch.pieces[index];
        if (!holds(adopted_, piece.bytes) || (piece.next != Piece::none && piece.next != index + 1)) return nullptr;
    }
    const auto& first = batch.pieces[message.first_piece];
    auto* const place = adopted_.data() + (first.bytes.data() - adopted_.data());
    auto* end = place + first.bytes.size();
    for (auto index = first.next; index != Piece::none; index = batch.pieces[index].next) {
        const auto& bytes = batch.pieces[index].bytes;
        std::memmove(end, bytes.data(), bytes.size());
        end += bytes.size();
    }
    return place;
}

std::uint8_t* PacketBatch::room(std::size_t size, std::size_t coming) {
    static constexpr std::size_t usual = 64u << 10;
    if (buffers_.empty() || buffers_.back().capacity() - used_ < size) {
        buffers_.push_back(context_.buffer(std::max(size, std::min(coming, usual))));
        used_ = 0;
    }
    auto* place = buffers_.back().data() + used_;
    used_ += size;
    return place;
}

td_packet& PacketBatch::add(ByteSpan payload) {
    const auto* buffer = &adopted_;
    if (!holds(adopted_, payload)) {  // nearly always the last one
        buffer =
            &*std::find_if(buffers_.rbegin(), buffers_.rend(), [&](const Buffer& one) { return holds(one, payload); });
    }
    auto& packet = packets_.emplace_back();
    packet.size = sizeof packet;
    packet.data = payload.data();
    packet.data_size = static_cast<std::uint32_t>(payload.size());
    packet.buffer = buffer->get();
    return packet;
}

bool PacketBatch::give(const Sink& sink) {
    if (packets_.empty()) return true;
    pointers_.clear();
    for (const auto& packet : packets_) pointers_.push_back(&packet);
    struct Forget {
        std::vector<td_packet>& packets;
        ~Forget() { packets.clear(); }
    } const forget_at_end{packets_};
    return sink.packets(pointers_);
}

void PacketBatch::clear() {
    packets_.clear();
    adopted_ = lent_ = {};
    buffers_.clear();
    used_ = 0;
}

}  // namespace tapedeck::rtmp
