#include "session.hpp"

namespace tapedeck::ts::test {

Clip pictures(const std::vector<std::int64_t>& times_ms, std::size_t key_distance, std::size_t size) {
    Clip clip;
    clip.tracks = {Track(TD_VIDEO, TD_CODEC_H264, {1, 1000}, Clip::video)};
    clip.tracks[0].config(make_clip().tracks[0].config());
    for (std::size_t i = 0; i < times_ms.size(); ++i) {
        const bool key = i % key_distance == 0;
        Unit unit{Clip::video, key, times_ms[i], times_ms[i], 0, std::vector<std::uint8_t>(size, 0x55)};
        unit.duration = i + 1 < times_ms.size() ? times_ms[i + 1] - times_ms[i] : 40;
        for (std::size_t byte = 0; byte < 4; ++byte)
            unit.data[byte] = static_cast<std::uint8_t>((size - 4) >> (24 - 8 * byte));
        unit.data[4] = key ? 0x65 : 0x41;
        clip.units.push_back(std::move(unit));
    }
    return clip;
}

Clip sound(std::size_t frames, std::int64_t from_ticks) {
    Clip clip;
    clip.tracks = {Track(TD_AUDIO, TD_CODEC_AAC, {1, 44100}, Clip::audio)};
    clip.tracks[0].config(std::vector<std::uint8_t>{0x12, 0x10});
    for (std::size_t i = 0; i < frames; ++i) {
        const std::int64_t time = from_ticks + static_cast<std::int64_t>(i) * 1024;
        clip.units.push_back(
            {Clip::audio, true, time, time, 1024, std::vector<std::uint8_t>(100 + i % 90, std::uint8_t(i))});
    }
    return clip;
}

}  // namespace tapedeck::ts::test
