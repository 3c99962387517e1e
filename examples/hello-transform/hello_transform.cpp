// Packets in, packets out: lets only the key frames of a video through.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

class KeysOnly : public Transform {
public:
    static constexpr const char* id = "keys_only";
    static constexpr const char* doc = "Drops all video but key frames";
    static std::int32_t accepts(Context, const td_track& in, std::uint32_t codec) {
        return in.kind == TD_VIDEO && in.codec == codec ? TD_TRANSFORM_MUST : TD_TRANSFORM_NO;
    }
    KeysOnly(Context, const td_track& in, const td_track&, Sink out) : out_(out) { out_.track(in); }
    void push(const td_packet& packet) override {
        if ((packet.flags & TD_PACKET_KEY) != 0) out_.packet(packet);
    }

private:
    Sink out_;
};
TAPEDECK_PLUGIN("hello-transform", "1.0.0", "example.org", "MIT", "Hello as a transform", KeysOnly);
