// The plugin's face: browsers with the WebSDK, and clients of WHIP and WHEP.
#include "tapedeck/plugin.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include "webrtc/settings.hpp"
#include "webrtc/signalling/whip.hpp"

namespace tapedeck::webrtc {
namespace {

class WebRtc : public Protocol {
public:
    static constexpr const char* id = "webrtc";
    static constexpr const char* doc = "Takes streams from browsers, and shows them there: WebSDK, WHIP and WHEP";
    static constexpr auto keys = all_keys;

    explicit WebRtc(Context context) : context_(context) { Settings::read(context); }

    void start() override {
        auto settings = Settings::read(context_);
        sessions_.emplace(context_, settings.transport, std::move(settings.media));
        context_.listening("webrtc", sessions_->addresses().front().port);
        connections_.emplace(context_, *sessions_);
        whip_.emplace(*sessions_);
        http_.emplace(context_);
        connections_->serve(*http_);
        whip_->serve(*http_);
        ticks_ = Thread(context_, "webrtc ticks", [this](const std::stop_token& stop) { tick(stop); });
    }

    void stop() override {
        ticks_ = {};
        if (connections_) connections_->close();
        if (whip_) whip_->close();
        sessions_.reset();  // tells every end that is still owed
    }

private:
    void tick(const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock(mutex);
        const auto* metrics = context_.service<td_metrics>(TD_METRICS);
        void* gauge = metrics == nullptr ? nullptr
                                         : metrics->gauge(text_of("tapedeck_webrtc_sessions"), {},
                                                          text_of("WebRTC publishers and players"));
        while (!never.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; })) {
            if (stop.stop_requested()) return;
            connections_->tick(std::chrono::steady_clock::now());
            if (gauge != nullptr) metrics->set(gauge, static_cast<std::int64_t>(sessions_->size()));
        }
    }

    Context context_;
    std::optional<MediaSessions> sessions_;
    std::optional<Connections> connections_;
    std::optional<Whip> whip_;
    std::optional<Http> http_;
    Thread ticks_;
};

}  // namespace
}  // namespace tapedeck::webrtc

TAPEDECK_PLUGIN("webrtc", TAPEDECK_VERSION, "tapedeck", "MIT", "WebRTC, in and out", tapedeck::webrtc::WebRtc);
