// What REST shows of a camera.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "address/query.hpp"
#include "media.hpp"

namespace tapedeck::rtsp {

/// One moment of it.
struct PullStatus {
    std::string status = "NEW";  // PENDING, PLAYING, PLAYBACK_PROBLEM, FAILED, STOPPED
    std::string info;            // why it is not PLAYING, in words
    std::string media_session;   // of the present stream, or empty
    bool is_udp = false;
    std::string video_codec, audio_codec;  // empty: none
    std::uint64_t attempts = 0, jumps = 0;
};

/// Written on the camera's loop, read by any thread.
class ShownStatus {
public:
    PullStatus get() const {
        const std::lock_guard lock(mutex_);
        return status_;
    }
    void show(const std::string& status, const std::string& info, std::uint64_t attempts) {
        const std::lock_guard lock(mutex_);
        status_.status = status;
        status_.info = info;
        status_.attempts = attempts;
    }
    void codecs(const std::vector<Medium>& media) {
        const std::lock_guard lock(mutex_);
        status_.video_codec.clear();
        status_.audio_codec.clear();
        for (const auto& one : media)
            (one.kind == TD_VIDEO ? status_.video_codec : status_.audio_codec) = printable(one.codec);
    }
    void media_session(const std::string& id) {
        const std::lock_guard lock(mutex_);
        status_.media_session = id;
    }
    void udp(bool is_udp) {
        const std::lock_guard lock(mutex_);
        status_.is_udp = is_udp;
    }
    void jumped(std::uint64_t count) {
        const std::lock_guard lock(mutex_);
        status_.jumps += count;
    }

private:
    mutable std::mutex mutex_;
    PullStatus status_;
};

}  // namespace tapedeck::rtsp
