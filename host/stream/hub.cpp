#include "stream/hub.hpp"

#include <fmt/format.h>

#include <atomic>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "stream/keys.hpp"

namespace tapedeck::host {
namespace {

std::atomic<Hub*> only = nullptr;

constexpr auto tick_period = std::chrono::milliseconds(250);

/// The texts of WCS clients are literal.
constexpr const char* name_in_use = "Stream name is already in use";
constexpr const char* session_in_use = "MediaSessionId is already in use";
constexpr const char* not_found = "Stream not found";
constexpr const char* no_common_codecs = "No common codecs";
constexpr const char* publisher_left = "Stopped by publisher stop";

td_error as_abi(const Error& error) {
    td_error out{};
    out.size = sizeof out;
    fill(&out, error.status(), error.what(), error.retryable());
    return out;
}

metrics::Value& live() {
    return metrics::gauge("tapedeck_streams", "", "Streams that are published now");
}

metrics::Value& watching() {
    return metrics::gauge("tapedeck_viewers", "", "Viewers that play a stream now");
}

}  // namespace

Hub::Hub(const SettingsSource& settings, Loop& callbacks, Admission admission)
    : settings_(settings, ""), callbacks_(callbacks), admission_(std::move(admission)) {
    only = this;
    callbacks_.every(tick_period, [this] { tick(); });
}

void Hub::tick() {
    const auto now = std::chrono::steady_clock::now();
    std::vector<std::shared_ptr<Stream>> silent;  // the others look for themselves at each packet
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [session, stream] : by_session_) {
            if (now - stream->silent_since() >= tick_period) silent.push_back(stream);
        }
    }
    for (const auto& stream : silent) stream->tick(now);
    if (StreamListener* listener = listener_) listener->tick();
}

Hub::~Hub() {
    only = nullptr;
}

const td_streams* Hub::table() {
    static constexpr td_streams functions{
        sizeof(td_streams),
        0,
        [](const td_context*, std::int32_t action, const td_stream_info* info, void (*done)(void*, const td_error*),
           void* self) { only.load()->admit(action, *info, done, self); },
        [](const td_context*, const td_stream_info* info, const td_publisher* publisher, void* self) {
            only.load()->publish(*info, publisher, self);
        },
        [](const td_context*, const td_stream_info* info, const td_subscriber* subscriber, void* self) {
            only.load()->subscribe(*info, subscriber, self);
        },
        [](const td_context*, td_text name) { return only.load()->find(view(name)); }};
    return &functions;
}

std::shared_ptr<Stream> Hub::find_session(const std::string& media_session) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_session_.find(media_session);
    return found == by_session_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Stream>> Hub::streams() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Stream>> all;
    all.reserve(by_session_.size());
    for (const auto& [session, stream] : by_session_) all.push_back(stream);
    return all;
}

std::shared_ptr<Viewer> Hub::find_viewer(const std::string& media_session) const {
    const std::lock_guard lock(mutex_);
    const auto found = viewers_.find(media_session);
    return found == viewers_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Viewer>> Hub::viewers() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Viewer>> all;
    all.reserve(viewers_.size());
    for (const auto& [session, viewer] : viewers_) all.push_back(viewer);
    return all;
}

void Hub::shut(std::string_view reason) {
    {
        const std::lock_guard lock(mutex_);
        shut_ = true;
    }
    for (const auto& viewer : viewers()) viewer->kick(reason);
    for (const auto& stream : streams()) stream->kick(reason);
}

void Hub::admit(int action, const td_stream_info& info, void (*done)(void*, const td_error*), void* self) {
    admission_(action, StreamInfo(info), [this, done, self](const Error* refused) {
        if (refused == nullptr) {
            callbacks_.post([done, self] { done(self, nullptr); });
        } else {
            callbacks_.post([done, self, error = as_abi(*refused)] { done(self, &error); });
        }
    });
}

void Hub::publish(const td_stream_info& info, const td_publisher* publisher, void* self) {
    StreamInfo own(info);
    StreamInfo asked = own;
    own.attributes.clear();
    admission_(TD_PUBLISH, std::move(asked), [this, own = std::move(own), publisher, self](const Error* refused) {
        if (refused != nullptr) return refuse(*refused, publisher, self);
        callbacks_.post([this, own, publisher, self] { open(own, publisher, self); });
    });
}

void Hub::open(const StreamInfo& info, const td_publisher* publisher, void* self) {
    const Stream::Limits limits{.gop_bytes = static_cast<std::size_t>(settings_.bytes(stream_gop_cache))};
    const auto most = static_cast<std::size_t>(settings_.integer(stream_max));
    auto stream = std::make_shared<Stream>(info, publisher, self, callbacks_, limits, [this](Stream& s) { forget(s); });
    try {
        const std::lock_guard lock(mutex_);
        if (shut_) throw Error("the server is stopping", TD_CANCELLED);
        if (by_session_.size() >= most) {
            throw Error(fmt::format("{} streams are published already; raise 'stream.max'", most), TD_DENIED);
        }
        if (by_name_.contains(info.name)) throw Error(name_in_use, TD_EXISTS);
        require_free(info.media_session);
        by_name_.emplace(info.name, stream);
        by_session_.emplace(info.media_session, stream);
    } catch (const Error& e) {
        return refuse(e, publisher, self);
    }
    live().fetch_add(1);
    log::info("stream '{}' of {} over {} is published, media session {}", printable(info.name), info.remote,
              info.protocol, info.media_session);
    if (StreamListener* listener = listener_) listener->opened(stream);
    publisher->opened(self, stream.get(), nullptr);
}

void Hub::refuse(const Error& why, const td_publisher* publisher, void* self) {
    callbacks_.post([error = as_abi(why), publisher, self] {
        publisher->opened(self, nullptr, &error);
        publisher->released(self, nullptr);
    });
}

void Hub::forget(Stream& stream) {
    std::vector<std::shared_ptr<Viewer>> left;
    {
        const std::lock_guard lock(mutex_);
        by_name_.erase(stream.info().name);
        by_session_.erase(stream.info().media_session);
        for (const auto& [session, viewer] : viewers_) {
            if (&viewer->stream() == &stream) left.push_back(viewer);
        }
    }
    live().fetch_sub(1);
    for (const auto& viewer : left) viewer->kick(publisher_left);
}

/// Under the lock.
void Hub::require_free(const std::string& media_session) const {
    if (by_session_.contains(media_session) || viewers_.contains(media_session)) {
        throw Error(session_in_use, TD_EXISTS);
    }
}

std::shared_ptr<Stream> Hub::find_name(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
}

td_status Hub::find(std::string_view name) const {
    const auto stream = find_name(name);
    if (stream == nullptr) return TD_NOT_FOUND;
    return stream->is_publishing() ? TD_OK : TD_AGAIN;
}

void Hub::subscribe(const td_stream_info& info, const td_subscriber* subscriber, void* self) {
    StreamInfo own(info);
    StreamInfo asked = own;
    own.attributes.clear();
    admission_(TD_PLAY, std::move(asked), [this, own = std::move(own), subscriber, self](const Error* refused) {
        if (refused != nullptr) return refuse_viewer(*refused, subscriber, self);
        callbacks_.post([this, own, subscriber, self] { open_viewer(own, subscriber, self); });
    });
}

void Hub::open_viewer(const StreamInfo& info, const td_subscriber* subscriber, void* self) {
    const auto queue = static_cast<std::size_t>(settings_.bytes(stream_play_queue));
    const auto stream = find_name(info.name);
    std::shared_ptr<Viewer> viewer;
    try {
        if (stream != nullptr && !Viewer::can_play(info, *stream, sounds_)) {
            throw Error(no_common_codecs, TD_UNSUPPORTED);
        }
        const std::lock_guard lock(mutex_);
        if (shut_) throw Error("the server is stopping", TD_CANCELLED);
        if (stream == nullptr || !by_session_.contains(stream->info().media_session)) {
            throw Error(not_found, TD_NOT_FOUND);
        }
        require_free(info.media_session);
        std::shared_ptr<Viewer>& place = viewers_[info.media_session];
        place = std::make_shared<Viewer>(info, stream, queue, sounds_, subscriber, self, callbacks_,
                                         [this](const Viewer& closed) { forget_viewer(closed); });
        viewer = place;
    } catch (const Error& e) {
        return refuse_viewer(e, subscriber, self);
    }
    watching().fetch_add(1);
    log::info("stream '{}' is played by {} over {}, media session {}", printable(info.name), info.remote, info.protocol,
              info.media_session);
    viewer->begin();
}

void Hub::refuse_viewer(const Error& why, const td_subscriber* subscriber, void* self) {
    callbacks_.post([error = as_abi(why), subscriber, self] {
        subscriber->opened(self, nullptr, &error);
        subscriber->released(self);
    });
}

void Hub::forget_viewer(const Viewer& viewer) {
    const std::lock_guard lock(mutex_);
    if (viewers_.erase(viewer.info().media_session) != 0) watching().fetch_sub(1);
}

}  // namespace tapedeck::host
