// Loads and works: plays the stream of a name whenever somebody publishes it, and counts its packets.
#include <atomic>
#include <semaphore>
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

namespace {

constexpr auto look_interval = std::chrono::milliseconds(50);

/// Told on threads of the host, so it only wakes ours.
struct Viewer : Subscriber {
    void opened(Subscription given) override {
        subscription = given;
        wake.release();
    }
    void refused(const Error&) override { wake.release(); }
    void ready() override { wake.release(); }
    void ended(std::string_view why) override {
        reason = why;
        over = true;
        wake.release();
    }
    Subscription subscription;
    std::string reason;
    std::atomic<bool> over = false;
    std::counting_semaphore<> wake{0};
};

class GoodViewer : public Protocol {
public:
    static constexpr const char* id = "good_viewer";
    static constexpr const char* doc = "Counts the packets of a stream";
    static constexpr std::array keys{Key::text("stream", "watched").about("Name of the stream")};

    explicit GoodViewer(Context context) : context_(context) {}
    void start() override {
        thread_ = Thread(context_, "good_viewer", [this](const std::stop_token& stop) {
            for (; !stop.stop_requested(); std::this_thread::sleep_for(look_interval)) {
                if (is_published(context_, context_.text(keys[0]))) play(stop);
            }
        });
    }
    void stop() override { thread_ = {}; }

private:
    void play(const std::stop_token& stop) {
        const auto viewer = std::make_shared<Viewer>();
        subscribe(context_, stream_info(context_.text(keys[0]), id), viewer);
        viewer->wake.acquire();  // for the answer
        if (!viewer->subscription) return;
        std::size_t count = 0;
        while (!viewer->over && !stop.stop_requested()) {
            if (viewer->wake.try_acquire_for(look_interval)) count += viewer->subscription.read().size();
        }
        viewer->subscription.close();
        context_.info(std::to_string(count) + " packets came; " + (viewer->over ? viewer->reason : "stopped"));
    }

    Context context_;
    Thread thread_;  // last: stops before the rest is gone
};

}  // namespace

TAPEDECK_PLUGIN("good-viewer", "1.0.0", "example.org", "MIT", "Plays for tests", GoodViewer);
