#include "packet_batch.hpp"

#include <algorithm>

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

void PacketBatch::add(const td_packet& packet) {
    packets_.push_back(packet);
    packets_.back().buffer = buffers_.back().get();
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
