// One incoming track: from RTP packets to media packets, with what its sender is told.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "rtp/aac_depacketiser.hpp"
#include "rtp/depacketiser.hpp"
#include "rtp/jitter_buffer.hpp"
#include "rtp/key_requests.hpp"
#include "rtp/rtcp.hpp"
#include "rtp/sender_clock.hpp"
#include "rtp/statistics.hpp"
#include "rtp/ulpfec.hpp"

namespace tapedeck::rtp {

struct ReceiverSetup {
    std::uint32_t track = 0;     // its number in the stream
    std::uint32_t codec = 0;     // TD_CODEC_H264, H265, VP8, AAC, OPUS, PCMA, PCMU or G722
    std::uint32_t clock = 0;     // of RTP, Hz
    std::uint32_t channels = 1;  // of Opus
    std::uint8_t payload_type = 0;
    std::optional<std::uint8_t> rtx, red, red_rtx, ulpfec;  // payload types, too
    std::vector<Bytes> parameter_sets;                      // of H.264 and H.265, from the SDP
    AacFormat aac;
    bool has_nack = false, has_pli = false, has_fir = false;
    std::int64_t key_interval_us = 0;  // a key frame is asked for this often, by FIR if possible; 0: when one is needed
    JitterLimits jitter;
    std::int64_t unix_offset_us = 0;  // from the monotonic clock
};

/// Timestamps begin anywhere (RFC 3550 section 5.1): here they count on from when the first packet was given, in UNIX
/// time. Times are microseconds of one monotonic clock. One thread.
class Receiver : private MediaOut {
public:
    Receiver(Context context, const ReceiverSetup& setup);

    bool takes(std::uint8_t payload_type) const;
    /// Of the stream that is received, once a packet came.
    std::optional<std::uint32_t> ssrc() const { return ssrc_; }
    std::uint32_t clock() const { return setup_.clock; }
    /// Whether it is the stream's or its retransmissions'.
    bool knows(std::uint32_t ssrc) const { return ssrc == ssrc_ || ssrc == rtx_ssrc_; }

    /// A packet in `buffer`. One of a payload type that was not agreed upon only keeps its number from being missed.
    ///
    /// A stream that was never heard ends the present one, whose rest goes to `out`; one from before comes back only
    /// when that is silent, so that a sender of several at a time (simulcast) settles on one.
    void rtp(const Packet& packet, const Buffer& buffer, std::int64_t now_us, MediaOut& out);
    void sender_report(const SenderInfo& info, std::int64_t now_us);
    /// Gives what is in order and what was waited for long enough. After packets, and each 10 ms.
    void drain(std::int64_t now_us, MediaOut& out);
    /// Gives all there is: nothing comes any more.
    void finish(std::int64_t now_us, MediaOut& out);
    /// What a packet with this RTP timestamp, near the last one given, would have as pts; nothing before the first.
    std::optional<std::int64_t> pts_at(std::uint32_t timestamp) const;
    /// Whether packets wait, for `drain` or behind a hole.
    bool holds() const { return jitter_ && jitter_->holds(); }
    /// A key frame is needed.
    void want_key() { wants_key_ = true; }

    /// Appends NACK and PLI or FIR, where they are due. After `drain`.
    void feedback(Bytes& into, std::uint32_t own_ssrc, std::int64_t now_us);
    std::optional<ReportBlock> report(std::int64_t now_us);
    /// Payloads that broke their format's rules.
    std::uint64_t malformed() const { return malformed_ + depacketiser_->malformed(); }

private:
    bool was_before(std::uint32_t ssrc) const;
    void begin(const Packet& packet, std::int64_t now_us, MediaOut& out);
    void pop(std::int64_t due_us, std::int64_t now_us, MediaOut& out);
    void original(const Packet& packet, const Buffer& buffer, std::int64_t now_us, MediaOut& out);
    void unpack(const Packet& packet);
    void repeated(const Packet& packet, const Buffer& buffer, std::int64_t now_us);
    void insert(const Packet& packet, const Buffer& buffer, std::int64_t now_us, bool repeated);
    bool needs_key() const { return is_video_ && (wants_key_ || depacketiser_->wants_key()); }
    void track(const td_track& track) override;
    void packet(const td_packet& packet) override;

    Context context_;
    ReceiverSetup setup_;
    bool is_video_;
    std::unique_ptr<Depacketiser> depacketiser_;
    std::optional<std::uint32_t> ssrc_, rtx_ssrc_;
    std::vector<std::uint32_t> former_;  // SSRCs of streams that ended, and of their retransmissions; at most 64
    std::optional<ReceiveStatistics> statistics_;
    std::optional<JitterBuffer> jitter_;
    std::optional<Ulpfec> ulpfec_;
    SenderClock sender_clock_;
    std::optional<SenderInfo> first_report_;  // that came before any packet was given
    std::optional<std::int64_t> timestamp_;   // of the last packet given, extended
    std::optional<std::int64_t> shift_;       // from timestamps to what is given, ticks
    KeyRequests key_requests_;
    bool wants_key_ = false, wants_by_fir_ = false;
    std::uint8_t fir_number_ = 0;
    std::int64_t last_key_us_ = 0, last_packet_us_ = 0;
    std::uint64_t malformed_ = 0;
    MediaOut* out_ = nullptr;  // during `drain`
    std::int64_t now_us_ = 0;  // the same
    std::vector<Packet> blocks_;
    std::vector<std::uint16_t> lost_;
};

}  // namespace tapedeck::rtp
