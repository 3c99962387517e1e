// A camera's stream at the host, which outlives its connections.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reception.hpp"
#include "voice.hpp"

namespace tapedeck::rtsp {

/// Times in microseconds, of the steady clock where they are moments. On the camera's loop.
class PulledStream {
public:
    /// `record`: TD_RECORD_BY_RULES and its like; `records_all`: by the rules it is recorded.
    PulledStream(Context context, std::string name, std::uint32_t record, bool records_all)
        : context_(context),
          name_(std::move(name)),
          record_(record == TD_RECORD_BY_RULES && records_all ? std::uint32_t{TD_RECORD_YES} : record) {}

    /// Asks the host for it; the answer comes by `voice`. `descriptor`: the camera's connection.
    void ask(std::shared_ptr<Voice> voice, const std::string& media_session, int descriptor,
             const std::vector<Medium>& media);
    /// Whether this is the voice of the present stream, or of the present question; others are of the past.
    bool is(const Voice& voice) const { return &voice == voice_.get(); }
    void open(Sink sink);
    /// The host need not answer any more; an open stream stays.
    void drop_question();
    void close(const std::string& why);

    bool is_open() const { return static_cast<bool>(sink_); }
    /// Whether something came since it is open.
    bool had_media() const { return had_media_; }
    /// When it did; the moment when it was opened until then.
    std::int64_t last_media_us() const { return last_media_us_; }
    /// The delay that is wanted by whoever wants the least.
    std::int64_t demand_us() const { return demand_us_; }
    void demand(std::int64_t delay_us) { demand_us_ = delay_us; }

    /// The last packet came at this time; true when that is news.
    bool came(std::int64_t packet_us);
    /// What is whole and in order. Throws what the sink throws, but for a stream that is cancelled.
    void give(Reception& reception, std::int64_t now_us);
    /// All there is: the connection ends. Throws what the sink throws.
    void finish(Reception& reception, std::int64_t now_us);

private:
    Context context_;
    std::string name_;
    std::uint32_t record_;
    std::shared_ptr<Voice> voice_;
    Sink sink_;
    bool had_media_ = false, is_cancelled_ = false;
    std::int64_t last_media_us_ = 0, demand_us_ = TD_RECORD_DELAY_US;
};

}  // namespace tapedeck::rtsp
