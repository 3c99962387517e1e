// Pictures that wait until a viewer can be sent them.
#pragma once

#include <cstddef>
#include <deque>

#include "tapedeck/stream.hpp"

namespace tapedeck::webrtc {

/// Begins with a key frame and has no hole; a new key frame makes what waits before it needless. Shares the host's
/// buffers. One thread.
class Backlog {
public:
    /// False: not kept, as pictures before it are missing; then none are kept until the next key frame. So it is too
    /// when more than 16 MiB would wait.
    bool push(const Context& context, const td_packet& packet) {
        const bool is_key = (packet.flags & TD_PACKET_KEY) != 0;
        const bool has_hole = (packet.flags & TD_PACKET_DISCONTINUITY) != 0;
        if (is_key || has_hole || bytes_ + packet.data_size > most_bytes) clear();
        if (!is_key && is_empty()) return false;
        packets_.push_back({packet, Buffer::share(context.host(), packet.buffer)});
        packets_.back().packet.changed = nullptr;  // which does not last
        bytes_ += packet.data_size;
        return true;
    }
    void pop() {
        bytes_ -= packets_.front().packet.data_size;
        packets_.pop_front();
    }
    void clear() {
        packets_.clear();
        bytes_ = 0;
    }

    bool is_empty() const { return packets_.empty(); }
    /// Where it is not empty.
    const td_packet& front() const { return packets_.front().packet; }
    const td_packet& back() const { return packets_.back().packet; }

private:
    static constexpr std::size_t most_bytes = 16 << 20;
    struct Kept {
        td_packet packet;
        Buffer buffer;
    };
    std::deque<Kept> packets_;
    std::size_t bytes_ = 0;
};

}  // namespace tapedeck::webrtc
