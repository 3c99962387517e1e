#include "session.hpp"

#include <algorithm>

namespace tapedeck::ebml::test {

Data payload(std::uint32_t track, std::int64_t time, std::size_t size) {
    Data data(size);
    auto state = static_cast<std::uint32_t>(time * 7 + track + 1);
    for (auto& byte : data) byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24 | 1);
    return data;
}

Data vp8_key(std::int64_t time, std::size_t size) {
    Data data = payload(0, time, size);
    constexpr std::array<std::uint8_t, 10> head{0x10, 2, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00};
    std::ranges::copy(head, data.begin());
    return data;
}

Track vp8(std::uint32_t index) {
    return Track(TD_VIDEO, TD_CODEC_VP8, {1, 1000}, index);
}

Track opus(std::uint32_t index) {
    Track track(TD_AUDIO, TD_CODEC_OPUS, {1, 1000}, index);
    const Data head{'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1, 2, 0x38, 0x01, 0x80, 0xbb, 0, 0, 0, 0, 0};
    track.config(head);
    return track;
}

Clip Clip::made(std::int64_t length_ms, std::int64_t key_distance_ms) {
    Clip clip;
    clip.tracks = {vp8(), opus()};
    for (std::int64_t ms = 0; ms < length_ms; ms += 20) {
        if (ms % 40 == 0) {
            const bool key = ms % key_distance_ms == 0;
            clip.units.push_back({0, key, ms, ms, 40, key ? vp8_key(ms, 900) : payload(0, ms, 200)});
        }
        clip.units.push_back({1, true, ms, ms, 20, payload(1, ms, 60)});
    }
    return clip;
}

Clip Clip::only(std::uint32_t track) const {
    Clip part;
    part.tracks.push_back(tracks.at(track));
    for (const Unit& unit : units)
        if (unit.track == track) part.units.push_back(unit);
    return part;
}

}  // namespace tapedeck::ebml::test
