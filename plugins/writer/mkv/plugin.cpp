// The MKV writer and reader as a plugin.
#include "reader.hpp"
#include "writer.hpp"

namespace tapedeck::ebml {

class MkvWriter : public MatroskaWriter {
public:
    static constexpr const char* id = "mkv";
    static constexpr const char* doc = "MKV: every codec as it comes, crash-safe, with its index in front";
    static constexpr const char* extension = "mkv";
    static constexpr const char* mime = "video/x-matroska";
    static constexpr std::array<std::uint32_t, 15> codecs{TD_CODEC_H264, TD_CODEC_VP8,   TD_CODEC_OPUS, TD_CODEC_AAC,
                                                          TD_CODEC_H265, TD_CODEC_VP9,   TD_CODEC_AV1,  TD_CODEC_PCMA,
                                                          TD_CODEC_PCMU, TD_CODEC_G722,  TD_CODEC_MP3,  TD_CODEC_MP2,
                                                          TD_CODEC_AC3,  TD_CODEC_SPEEX, TD_CODEC_TEXT};

    static constexpr Format format{
        "matroska",
        Key::duration("cluster_duration", "5s")
            .about("A cluster is written when it is so long; the recorder's flush writes it earlier")
            .within(1'000, 3'600'000'000)
            .per_recording(),
        Key::bytes("cluster_size", "1m")
            .about("A cluster is written when it has so many bytes")
            .within(1024, 64 << 20)
            .per_recording(),
        Key::bytes("cues_reserve", "64k")
            .about("Room kept for the index in front; 64k last about 2 h; later it is inserted, or goes to the end")
            .within(8192, 16 << 20)
            .per_recording()};
    static constexpr std::array keys{format.cluster_duration, format.cluster_size, format.cues_reserve};

    explicit MkvWriter(Context context) : MatroskaWriter(context, format) {}
};

class MkvReader : public MatroskaReader {
public:
    static constexpr const char* id = "mkv";
    static constexpr const char* doc = "Parts of MKV files, from a key picture on";
    static constexpr const char* extension = "mkv";

    using MatroskaReader::MatroskaReader;
};

}  // namespace tapedeck::ebml

TAPEDECK_PLUGIN("mkv", TAPEDECK_VERSION, "Tapedeck", "MIT", "MKV files", tapedeck::ebml::MkvWriter,
                tapedeck::ebml::MkvReader);
