// The plugin's face: RTMP and RTMPS publishers become streams, and what is pulled from other servers.
#include "tapedeck/plugin.hpp"

#include <memory>

#include "server.hpp"

namespace {

using namespace tapedeck;

class Rtmp : public Protocol {
public:
    static constexpr const char* id = "rtmp";
    static constexpr const char* doc =
        "Takes streams from encoders over RTMP and RTMPS, and pulls them from other servers: /rest-api/pull";
    static constexpr auto keys = rtmp::all_keys;

    explicit Rtmp(Context context) : context_(context) { rtmp::Settings::read(context); }

    void start() override {
        server_ = std::make_unique<rtmp::Server>(context_);
        server_->serve_rest();
    }
    void reload() { server_->reload(); }
    void stop() override {
        if (server_) server_->stop();
    }

private:
    Context context_;
    std::unique_ptr<rtmp::Server> server_;
};

}  // namespace

TAPEDECK_PLUGIN("rtmp", TAPEDECK_VERSION, "tapedeck", "MIT", "RTMP ingest", Rtmp);
