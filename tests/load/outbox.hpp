// Datagrams to be sent at once over one connected socket.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace tapedeck::load {

/// Used by one publisher after another. One thread.
class Outbox {
public:
    /// Where to write the next datagram; until the next call of `commit`.
    std::span<std::uint8_t> room() { return std::span(bytes_).subspan(count_ * slot, slot); }
    bool is_full() const { return count_ == slots; }
    void commit(std::size_t size) { sizes_[count_++] = size; }
    /// Sends everything and gives the number of those that the system had no room for. Must not be full before `room`.
    std::size_t flush(int socket) {
        std::array<mmsghdr, slots> headers{};
        std::array<iovec, slots> vectors{};
        for (std::size_t i = 0; i < count_; ++i) {
            vectors[i] = {bytes_.data() + i * slot, sizes_[i]};
            headers[i].msg_hdr.msg_iov = &vectors[i];
            headers[i].msg_hdr.msg_iovlen = 1;
        }
        const auto wanted = std::exchange(count_, 0);
        if (wanted == 0) return 0;
        const auto sent = ::sendmmsg(socket, headers.data(), static_cast<unsigned>(wanted), MSG_DONTWAIT);
        return wanted - static_cast<std::size_t>(sent < 0 ? 0 : sent);
    }

private:
    static constexpr std::size_t slot = 1536, slots = 32;

    std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(slot * slots);
    std::array<std::size_t, slots> sizes_{};
    std::size_t count_ = 0;
};

}  // namespace tapedeck::load
