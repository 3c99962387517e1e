// The packets of one read, given to the stream as one batch whose payloads share few buffers.
#pragma once

#include <cstdint>
#include <vector>

#include "tapedeck/context.hpp"
#include "tapedeck/media/bytes.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::rtmp {

/// One per io thread, used for one connection after the other. Buffers are as large as what is left of the read, 64 KB
/// at most unless one payload is larger: few allocations, and a small packet never keeps much more than itself.
class PacketBatch {
public:
    explicit PacketBatch(Context context) : context_(context) {}

    /// Room for `size` bytes in a host buffer; `coming` is what this read still brings, `size` included.
    std::uint8_t* room(std::size_t size, std::size_t coming);
    /// A packet with nothing set but its size and its payload, which lies in room asked for in this read; valid until
    /// the next one. Filled in place, as a copy of a struct just written costs more than its making.
    td_packet& add(ByteSpan payload);
    bool empty() const { return packets_.empty(); }
    /// Gives all packets to `sink` and forgets them. Throws what the sink throws; the packets are forgotten then, too.
    /// False: the sink took them, but wants a pause.
    bool give(const Sink& sink);
    /// At the end of a read: lets go of the buffers, and of packets that nobody gave.
    void clear();

private:
    Context context_;
    std::vector<Buffer> buffers_;
    std::size_t used_ = 0;  // of the last buffer
    std::vector<td_packet> packets_;
    std::vector<const td_packet*> pointers_;
};

}  // namespace tapedeck::rtmp
