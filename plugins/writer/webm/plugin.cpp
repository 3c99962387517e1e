// The WebM writer and reader as a plugin.
#include "reader.hpp"
#include "writer.hpp"

namespace tapedeck::ebml {

class WebmWriter : public MatroskaWriter {
public:
    static constexpr const char* id = "webm";
    static constexpr const char* doc = "WebM: VP8, VP9 or AV1 and Opus, crash-safe, with its index in front";
    static constexpr const char* extension = "webm";
    static constexpr const char* mime = "video/webm";
    static constexpr std::array<std::uint32_t, 4> codecs{TD_CODEC_VP8, TD_CODEC_VP9, TD_CODEC_AV1, TD_CODEC_OPUS};

    static constexpr Format format{
        "webm",
        Key::duration("cluster_duration", "100000")
            .per("ms")
            .aka("webm_cluster_duration_limit")
            .about("A cluster is written when it is so long; the recorder's flush writes it earlier")
            .within(1'000, 3'600'000'000)
            .per_recording(),
        Key::bytes("cluster_size", "131072")
            .aka("webm_cluster_size_limit")
            .about("A cluster is written when it has so many bytes")
            .within(1024, 64 << 20)
            .per_recording(),
        Key::bytes("cues_reserve", "64k")
            .about("Room kept for the index in front; 64k last about 2 h; later it is inserted, or goes to the end")
            .within(8192, 16 << 20)
            .per_recording()};
    static constexpr std::array keys{format.cluster_duration, format.cluster_size, format.cues_reserve};

    explicit WebmWriter(Context context) : MatroskaWriter(context, format) {}
};

class WebmReader : public MatroskaReader {
public:
    static constexpr const char* id = "webm";
    static constexpr const char* doc = "Parts of WebM files, from a key picture on";
    static constexpr const char* extension = "webm";

    using MatroskaReader::MatroskaReader;
};

}  // namespace tapedeck::ebml

TAPEDECK_PLUGIN("webm", TAPEDECK_VERSION, "Tapedeck", "MIT", "WebM files", tapedeck::ebml::WebmWriter,
                tapedeck::ebml::WebmReader);
