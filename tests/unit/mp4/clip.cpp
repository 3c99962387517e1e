#include "clip.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "programs.hpp"
#include "tapedeck/media/bytes.hpp"
#include "tapedeck/media/h264.hpp"

namespace tapedeck::mp4::test {
namespace {

/// The tags of an FLV file with H.264 and AAC.
Clip parse_flv(const std::vector<std::uint8_t>& bytes) {
    Clip clip;
    clip.tracks = {Track(TD_VIDEO, TD_CODEC_H264, {1, 1000}, Clip::video),
                   Track(TD_AUDIO, TD_CODEC_AAC, {1, 1000}, Clip::audio)};
    ByteReader reader(bytes);
    reader.take(9 + 4);
    while (!reader.empty()) {
        const auto type = reader.u8();
        const auto size = reader.u24();
        std::int64_t time = reader.u24();
        time |= std::int64_t{reader.u8()} << 24;
        reader.u24();
        ByteReader body(reader.take(size));
        reader.take(4);
        if (type != 8 && type != 9) continue;
        const bool video = type == 9;
        const std::uint8_t head = body.u8();
        const std::uint8_t kind = body.u8();
        const auto offset = video ? static_cast<std::int32_t>(body.u24() << 8) >> 8 : 0;
        const auto data = body.rest();
        if (kind == 0) clip.tracks[video ? 0 : 1].config(data);
        if (kind != 1) continue;
        clip.units.push_back({video ? Clip::video : Clip::audio,
                              !video || (head >> 4) == 1,
                              time,
                              time + offset,
                              0,
                              {data.begin(), data.end()}});
    }
    return clip;
}

/// What the recorder does: time 0 is the first picture, sound before it is dropped, every packet has a duration.
void prepare(Clip& clip) {
    const auto first = std::ranges::find_if(clip.units, [](const Unit& u) { return u.track == Clip::video; });
    const std::int64_t zero = first == clip.units.end() ? clip.units.front().pts : first->pts;
    for (Unit& unit : clip.units) unit.dts -= zero, unit.pts -= zero;
    std::erase_if(clip.units, [](const Unit& u) { return u.track == Clip::audio && u.pts < 0; });
    std::ranges::stable_sort(clip.units, {}, &Unit::dts);
    std::map<std::uint32_t, Unit*> last;
    for (Unit& unit : clip.units) {
        if (Unit* before = last[unit.track]) before->duration = unit.dts - before->dts;
        last[unit.track] = &unit;
        unit.duration = unit.track == Clip::video ? 33 : 23;
    }
}

}  // namespace

Clip Clip::only(std::uint32_t track) const {
    Clip part;
    part.tracks.push_back(tracks.at(track));
    for (const Unit& unit : units)
        if (unit.track == track) part.units.push_back(unit);
    return part;
}

Clip Clip::repeated(int times) const {
    Clip longer;
    longer.tracks = tracks;
    std::int64_t length = 0;
    for (const Unit& unit : units) length = std::max(length, unit.dts + unit.duration);
    for (int round = 0; round < times; ++round)
        for (Unit unit : units) {
            unit.dts += round * length;
            unit.pts += round * length;
            longer.units.push_back(std::move(unit));
        }
    return longer;
}

const Clip& make_clip(const Recipe& recipe, std::filesystem::path* source) {
    static TempFolder folder;
    static std::map<std::string, Clip> made;
    const std::string rate = "sine=frequency=440:sample_rate=44100";
    const std::string command = "ffmpeg -nostdin -y -v error -f lavfi -i testsrc2=size=" + recipe.size +
                                ":rate=30 -f lavfi -i " + rate + " -t " + recipe.seconds +
                                " -c:v libx264 -preset veryfast -pix_fmt yuv420p -g " +
                                std::to_string(recipe.key_distance) + " -bf " + std::to_string(recipe.b_frames) + " " +
                                recipe.more + " -c:a aac -b:a 96k -f flv ";
    const auto path = folder / (std::to_string(std::hash<std::string>{}(command)) + ".flv");
    if (source != nullptr) *source = path;
    if (const auto known = made.find(command); known != made.end()) return known->second;
    const std::string complaints = output_of(command + path.string());
    if (!complaints.empty()) throw std::runtime_error("ffmpeg: " + complaints);
    Clip clip = parse_flv(load(path));
    prepare(clip);
    return made.emplace(command, std::move(clip)).first->second;
}

}  // namespace tapedeck::mp4::test
