// An ingest: publishes a stream of its own that counts, fifty times a second.
#include <tapedeck/plugin.hpp>

using namespace tapedeck;
using std::chrono_literals::operator""ms;

class Tick : public Protocol {
public:
    static constexpr const char* id = "tick";                          // what operators write: protocol.tick
    static constexpr const char* doc = "A stream of numbers as text";  // what --list-plugins shows
    static constexpr std::array keys{Key::text("stream", "tick").about("Name of the stream")};
    explicit Tick(Context context) : context_(context) {}
    void start() override {
        thread_ = Thread(context_, "tick", [this](std::stop_token stop) { run(stop); });
    }
    void stop() override { thread_ = {}; }

private:
    void run(std::stop_token stop) {
        const Sink sink = publish(context_, context_.text(keys[0]), id);  // waits for hooks; throws when one denies it
        sink.track(Track(TD_DATA, TD_CODEC_TEXT, {1, 1000}));
        for (std::int64_t n = 0; !stop.stop_requested(); ++n, std::this_thread::sleep_for(20ms))
            sink.packet(OwnedPacket(context_, 0, std::array{std::uint8_t(n)}, n * 20).packet);
        sink.close("stopped");
    }
    Context context_;
    Thread thread_;  // last: stops before the rest is gone
};
TAPEDECK_PLUGIN("hello-protocol", "1.0.0", "example.org", "MIT", "Hello as an ingest", Tick);
