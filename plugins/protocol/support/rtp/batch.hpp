// Collects what depacketisers give, for one call of the host.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "rtp/depacketiser.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::rtp {

/// One thread.
class Batch : public rtp::MediaOut {
public:
    explicit Batch(Context context) : host_(context.host()) {}

    void track(const td_track& track) override { tracks_.emplace_back(packets_.size(), track); }
    void packet(const td_packet& packet) override {
        packets_.push_back(packet);
        buffers_.push_back(Buffer::share(host_, packet.buffer));
    }
    /// What it holds, in order, to be changed.
    std::span<td_packet> packets() { return packets_; }
    /// Everything in order, and forgets it, also where the sink throws.
    void give(const Sink& sink) {
        if (packets_.empty() && tracks_.empty()) return;
        pointers_.clear();
        for (const auto& packet : packets_) pointers_.push_back(&packet);
        const Forget forget{*this};
        std::size_t from = 0;
        const auto give_to = [&](std::size_t to) {
            if (to > from) sink.packets(std::span(pointers_).subspan(from, to - from));
            from = to;
        };
        for (const auto& [at, track] : tracks_) {
            give_to(at);
            sink.track(track);
        }
        give_to(packets_.size());
    }

private:
    struct Forget {
        Batch& batch;
        ~Forget() {
            batch.tracks_.clear();
            batch.packets_.clear();
            batch.buffers_.clear();
        }
    };

    const td_host* host_;
    std::vector<std::pair<std::size_t, Track>> tracks_;  // each before the packet of this number
    std::vector<td_packet> packets_;
    std::vector<Buffer> buffers_;
    std::vector<const td_packet*> pointers_;
};

}  // namespace tapedeck::rtp
