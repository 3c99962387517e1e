#include "packet_batch.hpp"

#include <algorithm>
#include <functional>

namespace tapedeck::rtmp {

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
    const auto holds = [&](const Buffer& buffer) {
        return std::less_equal<>()(buffer.data(), payload.data()) &&
               std::less<>()(payload.data(), buffer.data() + buffer.capacity());
    };
    const auto buffer = std::find_if(buffers_.rbegin(), buffers_.rend(), holds);  // nearly always the last one
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
    buffers_.clear();
    used_ = 0;
}

}  // namespace tapedeck::rtmp
