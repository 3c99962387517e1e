// Transport streams: tables, PES headers, pictures and sound, in pieces, with losses told in between.
#include <vector>

#include "mpegts/demuxer.hpp"
#include "mpegts/pes.hpp"
#include "mpegts/timeline.hpp"

using namespace tapedeck;
using namespace tapedeck::mpegts;

namespace {

class Checked : public MediaOut {
public:
    void track(const Track& track) override { config_ = track.config().size(); }
    std::uint8_t* room(std::size_t size) override {
        room_.assign(size, 0);
        return room_.data();
    }
    void unit(const Unit& unit, ByteSpan payload) override {
        if (payload.data() != room_.data() || payload.size() != room_.size()) __builtin_trap();
        const auto place = line_.place(unit.track, unit.pts, unit.dts, 0);
        if (place.pts < place.dts) __builtin_trap();
    }

private:
    Bytes room_;
    Timeline line_{90'000};
    std::size_t config_ = 0;
};

void demux(ByteSpan bytes, std::size_t piece) {
    Demuxer demuxer;
    Checked out;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        demuxer.push(bytes.subspan(at, std::min(piece, bytes.size() - at)), out);
        if (at != 0 && bytes[at] == 0xa5) demuxer.lose();
    }
    demuxer.finish(out);
    demuxer.problem();
    demuxer.left_out();
}

/// The same bytes as what is inside of packets, which random ones seldom reach.
void read_inside(ByteSpan bytes) {
    Checked out;
    for (const auto coding : {Coding::h264, Coding::h265}) {
        PictureReader reader(video_track, coding);
        reader.push(bytes, 0, 0, out);
        reader.push(bytes, 3600, 3600, out);
    }
    for (const auto coding : {Coding::adts, Coding::latm, Coding::mpeg_audio, Coding::ac3}) {
        SoundReader reader(audio_track, coding);
        reader.push(bytes.first(bytes.size() / 2), 0, out);
        reader.push(bytes.subspan(bytes.size() / 2), std::nullopt, out);
    }
    for (const auto parse : {+[](ByteSpan b) { parse_association(b); }, +[](ByteSpan b) { parse_map(b); },
                             +[](ByteSpan b) { parse_pes(b); }, +[](ByteSpan b) { LatmReader().read(b); }}) {
        try {
            parse(bytes);
        } catch (const Malformed&) {
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteSpan bytes(data, size);
    demux(bytes, packet_size);
    demux(bytes, 1000);
    read_inside(bytes);
    return 0;
}
