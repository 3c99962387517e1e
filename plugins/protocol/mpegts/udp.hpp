// Transport streams in UDP datagrams, plain or in RTP (RFC 2250, RFC 3550).
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "mpegts/address.hpp"
#include "mpegts/input.hpp"
#include "rtp/jitter_buffer.hpp"

namespace tapedeck::mpegts {

/// Reads datagrams for all inputs of a thread, one after the other, into one block of the host's memory.
class UdpReader {
public:
    struct Datagram {
        Address from;
        ByteSpan bytes;
    };
    static constexpr std::size_t most = 64;

    explicit UdpReader(Context context) : context_(context) {}
    /// What waits, up to `most`; valid until the next call. Longer ones than 2048 bytes are left out.
    std::span<const Datagram> receive(int descriptor);
    /// What the datagrams of the last call lie in.
    const Buffer& block() const { return block_; }
    /// Somebody holds some of them: the next call takes another block.
    void keep() { is_kept_ = true; }

private:
    static constexpr std::size_t slot = 2048;

    Context context_;
    Buffer block_;
    bool is_kept_ = false;
    std::vector<Datagram> datagrams_;
};

/// One bound socket and the sender it listens to: the first whose datagrams look right, until it is silent for two
/// seconds. One thread.
class UdpInput : public Input {
public:
    struct Options {
        bool is_rtp = false;
        std::int64_t reorder_us = 50'000;  ///< that a missing RTP packet is waited for
        Networks allowed;
    };

    /// Throws Error naming the address. `reader` outlives it.
    UdpInput(UdpReader& reader, const Address& local, Options options);
    ~UdpInput() override;
    UdpInput(const UdpInput&) = delete;
    UdpInput& operator=(const UdpInput&) = delete;

    void read(InputOut& out, Time now) override;
    std::string sender() const override { return sender_ ? sender_->text() : std::string(); }
    const std::string& refusal() const override { return refusal_; }
    std::uint16_t port() const { return port_; }

private:
    bool is_taken(const UdpReader::Datagram& datagram, InputOut& out, Time now);
    void rtp(ByteSpan datagram, InputOut& out, Time now);
    void pop(InputOut& out, Time now);

    UdpReader& reader_;
    const Options options_;
    int descriptor_ = -1;
    std::uint16_t port_ = 0;
    std::optional<Address> sender_;
    Time heard_{};
    std::string refusal_;
    std::optional<std::uint32_t> ssrc_;
    rtp::JitterBuffer order_;
};

}  // namespace tapedeck::mpegts
