// The plugin's face: cameras are pulled, encoders publish.
#include "tapedeck/plugin.hpp"

#include <memory>
#include <optional>
#include <vector>

#include "cameras.hpp"
#include "listener.hpp"
#include "rest.hpp"

namespace tapedeck::rtsp {
namespace {

class Rtsp : public Protocol {
public:
    static constexpr const char* id = "rtsp";
    static constexpr const char* doc = "Pulls cameras and takes streams from encoders over RTSP: /rest-api/rtsp";
    static constexpr auto keys = all_keys;

    explicit Rtsp(Context context) : context_(context) {
        Settings::read(context);
        read_cameras(std::string(context.text(rtsp::keys::cameras)));
    }

    void start() override {
        for (std::int64_t i = 0; i < context_.integer(rtsp::keys::threads); ++i)
            loops_.push_back(std::make_shared<Loop>(context_));
        workers_.emplace(context_);
        pulls_.emplace(context_, loops_, *workers_);
        http_.emplace(context_);
        serve(*http_, *pulls_);
        for (const auto& loop : loops_) loop->start();
        if (context_.integer(rtsp::keys::port) >= 0) listen();
        if (auto cameras = read_cameras(std::string(context_.text(rtsp::keys::cameras))))
            pulls_->follow(std::move(*cameras));
    }

    /// The cameras of the file; others go on. Where it is missing nobody is ended: an empty list says that none is
    /// wanted.
    void reload() {
        const std::string path(context_.text(rtsp::keys::cameras));
        if (auto cameras = read_cameras(path)) return pulls_->follow(std::move(*cameras));
        context_.warning(path + " is not there: the cameras of before are pulled on; setting 'protocol.rtsp.cameras'");
    }

    void stop() override {
        if (pulls_) pulls_->close();
        if (workers_) workers_->stop();
        for (const auto& loop : loops_) loop->stop();
    }

private:
    /// Many a configuration names port 554, which only root may have: cameras are pulled all the same.
    void listen() {
        try {
            const auto listener = std::make_shared<Listener>(context_, loops_);
            listener->start();
            context_.listening("rtsp", listener->port());
            context_.info("RTSP listens on port " + std::to_string(listener->port()));
        } catch (const Error& e) {
            context_.warning(std::string("nobody can publish over RTSP: ") + e.what());
        }
    }

    Context context_;
    std::vector<std::shared_ptr<Loop>> loops_;
    std::optional<Workers> workers_;
    std::optional<Pulls> pulls_;
    std::optional<Http> http_;
};

}  // namespace
}  // namespace tapedeck::rtsp

TAPEDECK_PLUGIN("rtsp", TAPEDECK_VERSION, "Tapedeck", "MIT", "RTSP cameras and encoders", tapedeck::rtsp::Rtsp);
