// transcode <in> <out.aac> [<key>=<value>...]: the first sound of a file through transform.audio, as ADTS (ISO/IEC
// 14496-3 section 1.A.2.2). Its own work beside the transform is reading and writing, so that its CPU is the
// transform's.
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

#include "demuxer.hpp"
#include "tapedeck/media/aac.hpp"
#include "tapedeck/plugin.hpp"
#include "testkit/fake_host.hpp"

extern "C" const td_plugin TD_ENTRY;

namespace tapedeck {
namespace {

/// Where the transform's packets go.
class AdtsFile : public td_sink {
public:
    explicit AdtsFile(const char* name) : file_(name, std::ios::binary) { table = &functions(); }

private:
    std::ofstream file_;
    aac::Config config_;

    static AdtsFile& self(td_sink* sink) { return *static_cast<AdtsFile*>(sink); }

    void write(const td_packet& packet) {
        const std::uint32_t size = packet.data_size + 7;
        std::uint32_t index = 0;
        while (aac::sample_rates.at(index) != config_.sample_rate) ++index;
        const std::array<std::uint32_t, 7> header{0xff,
                                                  0xf1,
                                                  1u << 6 | index << 2 | config_.channels >> 2,
                                                  (config_.channels & 3) << 6 | size >> 11,
                                                  size >> 3 & 0xff,
                                                  (size & 7) << 5 | 0x1f,
                                                  0xfc};
        for (const auto byte : header) file_.put(static_cast<char>(byte));
        file_.write(static_cast<const char*>(static_cast<const void*>(packet.data)), packet.data_size);
    }

    static const td_sink_table& functions() {
        static constexpr td_sink_table table{
            sizeof(td_sink_table),
            0,
            [](td_sink* sink, const td_track* track, td_error*) -> td_status {
                self(sink).config_ = aac::parse_config({track->config.data, track->config.size});
                return TD_OK;
            },
            [](td_sink* sink, const td_packet* const* packets, std::size_t count, td_error*) -> td_status {
                for (std::size_t i = 0; i < count; ++i) self(sink).write(*packets[i]);
                return TD_OK;
            },
            [](td_sink*, td_text, td_text) {},
            [](td_sink*, td_text) {}};
        return table;
    }
};

void transcode(int count, char** arguments) {
    if (count < 3) throw std::runtime_error("usage: transcode <in> <out.aac> [<key>=<value>...]");
    const td_extension& extension = *TD_ENTRY.extensions[0];
    testkit::FakeHost host(extension);
    for (int i = 3; i < count; ++i) {
        const std::string_view setting = arguments[i];
        host.settings.set(setting.substr(0, setting.find('=')), setting.substr(setting.find('=') + 1));
    }
    AdtsFile out(arguments[2]);
    file_source::Demuxer file(arguments[1]);
    const td_track* sound = nullptr;
    for (const td_track& track : file.tracks())
        if (track.kind == TD_AUDIO) sound = &track;
    if (sound == nullptr) throw std::runtime_error("the file has no sound");
    const auto& table = *static_cast<const td_transform*>(extension.table);
    td_error error = empty_error();
    td_track wanted{};
    wanted.size = sizeof wanted;
    wanted.kind = TD_AUDIO;
    wanted.codec = TD_CODEC_AAC;
    void* self = nullptr;
    if (table.create(host.table(), host.context(), nullptr, sound, &wanted, &out, &self, &error) < 0)
        throw Error(error);
    for (file_source::Unit unit; file.next(unit);) {
        if (unit.track != sound->index) continue;
        const OwnedPacket packet(Context(host.table(), host.context()), unit.track, unit.payload, unit.pts);
        if (table.push(self, &packet.packet, &error) < 0) throw Error(error);
    }
    if (table.push(self, nullptr, &error) < 0) throw Error(error);
    table.destroy(self);
}

}  // namespace
}  // namespace tapedeck

int main(int count, char** arguments) {
    try {
        tapedeck::transcode(count, arguments);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "transcode: %s\n", error.what());
        return 1;
    }
}
