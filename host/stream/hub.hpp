// All streams of the server, by name and by media session, and who watches them; the service `tapedeck.streams/1`.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/loop.hpp"
#include "config/settings.hpp"
#include "stream/stream.hpp"
#include "stream/viewer.hpp"

namespace tapedeck::host {

/// One per process, because the functions of the service table carry no pointer to it; made before protocols start and
/// destroyed after they stopped. Thread-safe.
class Hub {
public:
    /// Asks access rules and hooks whether `info` may do `action` (TD_PUBLISH, TD_PLAY); answers once, from any thread,
    /// with null for yes.
    using Admission = std::function<void(int action, StreamInfo info, std::function<void(const Error*)>)>;

    Hub(const SettingsSource& settings, Loop& callbacks, Admission admission);
    ~Hub();
    Hub(const Hub&) = delete;
    Hub& operator=(const Hub&) = delete;

    /// Who is told of streams before their first packet. Set before protocols start.
    void listen(StreamListener& listener) { listener_ = &listener; }
    /// What converts sound for viewers. Set before protocols start.
    void convert(Sounds& sounds) { sounds_ = &sounds; }

    /// What `td_host.service` gives for TD_STREAMS.
    static const td_streams* table();

    std::shared_ptr<Stream> find_name(std::string_view name) const;
    std::shared_ptr<Stream> find_session(const std::string& media_session) const;
    std::vector<std::shared_ptr<Stream>> streams() const;
    std::shared_ptr<Viewer> find_viewer(const std::string& media_session) const;
    std::vector<std::shared_ptr<Viewer>> viewers() const;

    /// From now on publishers and viewers are refused with TD_CANCELLED, and those who are there are kicked.
    void shut(std::string_view reason);

private:
    void tick();
    void publish(const td_stream_info& info, const td_publisher* publisher, void* self);
    void admit(int action, const td_stream_info& info, void (*done)(void*, const td_error*), void* self);
    void subscribe(const td_stream_info& info, const td_subscriber* subscriber, void* self);
    td_status find(std::string_view name) const;
    void open(const StreamInfo& info, const td_publisher* publisher, void* self);
    void open_viewer(const StreamInfo& info, const td_subscriber* subscriber, void* self);
    void refuse(const Error& why, const td_publisher* publisher, void* self);
    void refuse_viewer(const Error& why, const td_subscriber* subscriber, void* self);
    void forget(Stream& stream);
    void forget_viewer(const Viewer& viewer);
    void require_free(const std::string& media_session) const;

    const Scope settings_;
    Loop& callbacks_;
    const Admission admission_;
    std::atomic<StreamListener*> listener_ = nullptr;
    std::atomic<Sounds*> sounds_ = nullptr;

    mutable std::mutex mutex_;
    bool shut_ = false;
    std::map<std::string, std::shared_ptr<Stream>, std::less<>> by_name_, by_session_;
    std::map<std::string, std::shared_ptr<Viewer>, std::less<>> viewers_;  // by media session
};

}  // namespace tapedeck::host
