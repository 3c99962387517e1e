#include "outlet.hpp"

#include <algorithm>
#include <cstring>

#include "tapedeck/media/ticks.hpp"

namespace tapedeck::audio {

namespace {
constexpr std::size_t block_size = 4096;  // the smallest that the host keeps
}

Outlet::Outlet(const Context& context, const Sink& sink, const td_track& track, std::int64_t frame)
    : context_(context), sink_(sink), track_(track.index), sample_rate_(track.sample_rate), frame_(frame) {}

void Outlet::add(ByteSpan frame, std::int64_t pts) {
    if (block_.capacity() - used_ < frame.size()) {
        block_ = context_.buffer(std::max(block_size, frame.size()));
        used_ = 0;
    }
    last_ = block_.data() + used_;
    last_size_ = static_cast<std::uint32_t>(frame.size());
    std::memcpy(block_.data() + used_, frame.data(), frame.size());
    used_ += frame.size();
    push(block_, last_, last_size_, pts);
}

void Outlet::repeat(std::int64_t pts) {
    push(block_, last_, last_size_, pts);
}

void Outlet::captured(std::int64_t at, std::int64_t wallclock_us) {
    if (wallclock_us == TD_NO_TIME) return;
    captured_at_ = at;
    wallclock_us_ = wallclock_us;
}

void Outlet::push(const Buffer& block, const std::uint8_t* data, std::uint32_t size, std::int64_t pts) {
    td_packet packet{};
    packet.size = sizeof packet;
    packet.track = track_;
    packet.flags = flags_;
    packet.data_size = size;
    packet.pts = packet.dts = pts;
    packet.duration = frame_;
    packet.wallclock_us = wallclock_us_ == TD_NO_TIME
                              ? TD_NO_TIME
                              : wallclock_us_ + to_us(pts - captured_at_, {1, static_cast<std::int32_t>(sample_rate_)});
    packet.data = data;
    packet.buffer = block.get();
    packets_.push_back(packet);
    if (blocks_.empty() || blocks_.back().get() != block.get()) blocks_.push_back(block);
    flags_ = TD_PACKET_KEY;
}

void Outlet::send() {
    if (packets_.empty()) return;
    batch_.clear();
    for (const td_packet& packet : packets_) batch_.push_back(&packet);
    const auto empty = [this] {
        packets_.clear();
        blocks_.clear();
    };
    try {
        sink_.packets(batch_);
    } catch (...) {
        empty();
        throw;
    }
    empty();
}

}  // namespace tapedeck::audio
