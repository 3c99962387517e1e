// One file that is published as a live stream.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "demuxer.hpp"
#include "faults.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::file_source {

/// What REST asks for. Several files are published one after the other in one stream: the way to change parameters.
struct PlayRequest {
    std::string uri;  ///< as the client wrote it
    std::string stream;
    std::vector<std::filesystem::path> files;  ///< at least one
    bool loop = false;
    bool real_time = true;
    std::uint32_t record = TD_RECORD_BY_RULES;
    FaultPlan faults;
};

/// Has a thread from `start` to its destruction. `state` and the like are for any thread.
class Play {
public:
    /// Null: the stream is open. Else why not. On a thread of the host, or of the play.
    using Started = std::function<void(const Error*)>;

    Play(Context context, PlayRequest request);
    /// Ends the stream and joins.
    ~Play();

    void start(Started started);
    /// Returns at once; the stream ends with this reason.
    void stop(const std::string& reason);

    const PlayRequest& request() const { return request_; }
    const std::string& media_session() const { return media_session_; }
    bool has_video() const { return has_video_; }
    bool has_audio() const { return has_audio_; }
    bool is_over() const { return is_over_; }

private:
    class Voice;

    void run(const Started& started);
    void publish_all(Sink sink);
    /// False: the play was stopped.
    bool publish_file(Demuxer& file, Sink sink, Faults& faults);
    void announce_change(Sink sink, Track track);
    bool send(Sink sink, const Outgoing& out);
    bool wait_until(std::chrono::steady_clock::time_point time);

    const Context context_;
    const PlayRequest request_;
    const std::string media_session_;
    std::atomic<bool> has_video_ = false, has_audio_ = false, is_over_ = false;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<std::string> stop_reason_;

    // Of the thread.
    std::chrono::steady_clock::time_point begun_;
    std::chrono::microseconds base_{};  // where the present file begins on the published line
    std::chrono::microseconds end_{};   // of what was published
    Thread thread_;
};

}  // namespace tapedeck::file_source
