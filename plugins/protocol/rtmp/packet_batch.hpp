// The packets of one read, given to the stream as one batch whose payloads share few buffers.
#pragma once

#include <cstdint>
#include <vector>

#include "message.hpp"
#include "tapedeck/context.hpp"
#include "tapedeck/media/bytes.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::rtmp {

/// One per io thread, used for one connection after the other. Payloads stay where the read put them when it read into
/// a buffer that may be kept. Other buffers are as large as what is left of the read, 64 KB at most unless one payload
/// is larger: few allocations, and a small packet never keeps much more than itself.
class PacketBatch {
public:
    explicit PacketBatch(Context context) : context_(context) {}

    /// The buffer that this read filled; its payloads may stay in it.
    void adopt(Buffer buffer);
    /// Gives it up when payloads of `bytes` in all are too little for it: each would keep the whole of it.
    void keep_adopted(std::size_t bytes);
    /// The payload of `message` as one span in a host buffer; `coming` as for `room`. Pushed together over the chunk
    /// headers between its pieces when it came whole into the adopted buffer and nothing lies between, else copied. Not
    /// twice for one message.
    ByteSpan payload(const Batch& batch, const Message& message, std::size_t coming);
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
    std::uint8_t* push_together(const Batch& batch, const Message& message) const;

    Context context_;
    Buffer adopted_;
    Buffer lent_;  // holds what was read, until it is copied
    std::vector<Buffer> buffers_;
    std::size_t used_ = 0;  // of the last buffer
    std::vector<td_packet> packets_;
    std::vector<const td_packet*> pointers_;
};

}  // namespace tapedeck::rtmp
