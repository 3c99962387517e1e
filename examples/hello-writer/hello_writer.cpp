// A container: one line of text for each packet.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

class CsvWriter : public Writer {
public:
    static constexpr const char* id = "csv";
    static constexpr const char* doc = "Packet sizes as text";
    static constexpr const char *extension = "csv", *mime = "text/csv";
    static constexpr std::array<std::uint32_t, 1> codecs{TD_CODEC_ANY};
    explicit CsvWriter(Context) {}
    void open(File file, const td_recording&, std::span<const td_track* const>) override {
        (file_ = file).append("track,pts,bytes\n");
    }
    void write(const td_packet& p) override {
        lines_ += std::to_string(p.track) + ',' + std::to_string(p.pts) + ',' + std::to_string(p.data_size) + '\n';
    }
    void flush() override { file_.append(std::exchange(lines_, {})); }  // a kill loses nothing from before it
    void finish() override { file_.sync(); }

private:
    File file_;
    std::string lines_;
};
TAPEDECK_PLUGIN("hello-writer", "1.0.0", "example.org", "MIT", "Hello as a container", CsvWriter);
