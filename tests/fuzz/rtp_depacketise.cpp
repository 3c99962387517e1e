// Packets through FEC, the jitter buffer, RED and RTX into the depacketisers. Each packet: its length in one byte, then
// sequence number and marker in one byte, timestamp in one byte, and the payload.
#include <array>

#include "rtp/aac_depacketiser.hpp"
#include "rtp/h264_depacketiser.hpp"
#include "rtp/h265_depacketiser.hpp"
#include "rtp/jitter_buffer.hpp"
#include "rtp/redundancy.hpp"
#include "rtp/ulpfec.hpp"
#include "rtp/vp8_depacketiser.hpp"
#include "testkit/fake_host.hpp"

using namespace tapedeck;

namespace {

struct Look : rtp::MediaOut {
    void track(const td_track& track) override { bytes += track.config.size; }
    void packet(const td_packet& packet) override {
        for (std::uint32_t i = 0; i < packet.data_size; ++i) bytes += packet.data[i];
    }
    std::uint64_t bytes = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static testkit::FakeHost host;
    const Context context(host.table(), host.context());
    rtp::H264Depacketiser h264(context, 0);
    rtp::Vp8Depacketiser vp8(context, 0);
    rtp::AudioDepacketiser audio(rtp::opus_track(0, 2));
    rtp::H265Depacketiser h265(context, 0);
    rtp::AacDepacketiser aac(context, 0, 44'100, {{0x12, 0x10}, 13, 3, 3});
    const std::array<rtp::Depacketiser*, 5> all{&h264, &vp8, &audio, &h265, &aac};
    rtp::JitterBuffer jitter;
    rtp::Ulpfec ulpfec(context);
    Look look;
    const auto buffer = context.buffer(size + 1);
    std::copy(data, data + size, buffer.data());
    std::int64_t now_us = 0;
    std::vector<rtp::Packet> blocks;
    try {
        ByteReader reader({buffer.data(), size});
        while (!reader.empty()) {
            rtp::Received received;
            received.buffer = buffer;
            const auto length = reader.u8(), sequence = reader.u8();
            received.packet.sequence = sequence & 0x7f;
            received.packet.marker = (sequence & 0x80) != 0;
            received.packet.timestamp = reader.u8() * 3000u;
            received.packet.payload = reader.take(length);
            rtp::unpack_rtx(received.packet, 1, 96);
            try {
                ulpfec.fec(received.packet.payload, buffer);
            } catch (const Malformed&) {
            }
            try {
                ulpfec.media(rtp::parse_packet(received.packet.payload), buffer);
            } catch (const Malformed&) {
            }
            while (const auto rebuilt = ulpfec.recovered()) look.bytes += rebuilt->packet.payload.size();
            try {
                rtp::unpack_red(received.packet, blocks);
            } catch (const Malformed&) {
            }
            jitter.insert(received, now_us += 50'000);
            while (const auto next = jitter.pop(now_us))
                for (auto* depacketiser : all) depacketiser->push(*next, look);
        }
    } catch (const Malformed&) {
    }
    return 0;
}
