// What encoding costs, at /metrics.
#pragma once

#include <ctime>

#include "tapedeck/context.hpp"

namespace tapedeck::audio {

/// One running transform; counts itself while it lives. Without a metrics service it does nothing.
class Load {
public:
    explicit Load(const Context& context) : metrics_(context.service<td_metrics>(TD_METRICS)) {
        if (metrics_ == nullptr) return;
        running_ = metrics_->gauge(text_of("tapedeck_audio_encoders"), {}, text_of("Tracks that are encoded now"));
        cpu_ = metrics_->counter(text_of("tapedeck_audio_encode_cpu_microseconds_total"), {},
                                 text_of("CPU time spent on decoding, resampling and encoding sound"));
        lost_ = metrics_->counter(text_of("tapedeck_audio_undecodable_packets_total"), {},
                                  text_of("Packets that became silence because they could not be decoded"));
        metrics_->add(running_, 1);
    }
    ~Load() {
        if (metrics_ != nullptr) metrics_->add(running_, -1);
    }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    void lost_packet() const {
        if (metrics_ != nullptr) metrics_->add(lost_, 1);
    }

    /// Counts this thread's time while it lives.
    class Work {
    public:
        explicit Work(const Load& load) : load_(load), begin_us_(now_us()) {}
        ~Work() {
            if (load_.metrics_ != nullptr) load_.metrics_->add(load_.cpu_, now_us() - begin_us_);
        }
        Work(const Work&) = delete;
        Work& operator=(const Work&) = delete;

    private:
        static std::int64_t now_us() {
            timespec now{};
            ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
            return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
        }
        const Load& load_;
        std::int64_t begin_us_;
    };

private:
    const td_metrics* metrics_;
    void *running_ = nullptr, *cpu_ = nullptr, *lost_ = nullptr;
};

}  // namespace tapedeck::audio
