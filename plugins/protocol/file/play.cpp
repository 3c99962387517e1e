#include "play.hpp"

#include <utility>

#include "tapedeck/media/ticks.hpp"
#include "tapedeck/uuid.hpp"

namespace tapedeck::file_source {

namespace {

using std::chrono::microseconds;
using Clock = std::chrono::steady_clock;

constexpr auto pause = std::chrono::milliseconds(2);  // of a source that is ahead of its recording

constexpr std::int64_t arrival_origin_us = 1'000'000;  ///< of a clock that begins with the play; 0 is no arrival

}  // namespace

/// What the host says to the play.
class Play::Voice : public Publisher {
public:
    explicit Voice(Play& play) : play_(&play) {}
    void opened(Sink sink) override { sink_.set_value(sink); }
    void refused(const Error& reason) override { sink_.set_exception(std::make_exception_ptr(reason)); }
    void kick(std::string_view reason) override {
        const std::lock_guard lock(mutex_);
        if (play_ != nullptr) play_->stop(std::string(reason));
    }
    Sink wait() { return sink_.get_future().get(); }
    /// The play ends before its stream is released.
    void leave() {
        const std::lock_guard lock(mutex_);
        play_ = nullptr;
    }

private:
    std::mutex mutex_;
    Play* play_;
    std::promise<Sink> sink_;
};

Play::Play(Context context, PlayRequest request)
    : context_(context), request_(std::move(request)), media_session_(make_uuid()) {}

Play::~Play() {
    stop("the server stops");
    thread_ = {};
}

void Play::start(Started started) {
    thread_ = Thread(context_, "file", [this, started = std::move(started)](const std::stop_token&) { run(started); });
}

void Play::stop(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    if (!stop_reason_) stop_reason_ = reason;
    changed_.notify_all();
}

void Play::run(const Started& started) {
    const auto voice = std::make_shared<Voice>(*this);
    std::optional<Sink> sink;
    std::string reason = "the file has ended";
    try {
        const Demuxer first(request_.files.front());  // before anybody sees a stream
        for (const Track& track : first.tracks()) (track.track.kind == TD_VIDEO ? has_video_ : has_audio_) = true;
        td_stream_info info = stream_info(request_.stream, "file");
        info.media_session = text_of(media_session_);
        info.remote = text_of(request_.uri);
        info.record = request_.record;
        // As fast as possible, arrival says nothing of the time between two packets: the published line does.
        const td_attribute arrival{text_of("arrival"), text_of("wallclock")};
        if (!request_.real_time) {
            info.attributes = &arrival;
            info.attribute_count = 1;
        }
        for (const Track& track : first.tracks()) {
            if (!request_.faults.is_late(track.track.kind == TD_VIDEO)) info.expects |= 1u << track.track.kind;
        }
        publish(context_, info, voice);
        sink = voice->wait();
    } catch (const Error& error) {
        started(&error);
    } catch (const std::exception& failure) {  // short of memory, say: whoever asked is answered all the same
        const Error error(failure.what());
        started(&error);
    }
    if (sink) {
        started(nullptr);
        try {
            publish_all(*sink);
            const std::lock_guard lock(mutex_);
            if (stop_reason_) reason = *stop_reason_;
        } catch (const Error& error) {
            reason = error.what();
            if (error.status() != TD_CANCELLED) context_.warning(request_.uri + ": " + error.what());
        } catch (const std::exception& failure) {  // the stream must be closed whatever happens
            reason = failure.what();
            context_.error(request_.uri + ": " + failure.what());
        }
        is_over_ = true;  // before the stream: who sees that it has gone does not find the play either
        sink->close(reason);
    }
    voice->leave();
    is_over_ = true;
}

void Play::publish_all(Sink sink) {
    Faults faults(request_.faults);
    begun_ = Clock::now();
    do {
        for (const std::filesystem::path& path : request_.files) {
            Demuxer file(path);
            for (const std::string& codec : file.left_out())
                context_.info(request_.uri + ": its " + codec + " is left out");
            for (const Track& track : file.tracks()) {
                if (!request_.faults.is_late(track.track.kind == TD_VIDEO)) sink.track(track);
            }
            base_ = end_;
            if (!publish_file(file, sink, faults)) return;
        }
    } while (request_.loop);
    for (const Outgoing& out : faults.finish()) send(sink, out);
}

bool Play::publish_file(Demuxer& file, Sink sink, Faults& faults) {
    Unit unit;
    while (file.next(unit)) {
        const td_track& track = file.tracks()[unit.track];
        const std::int64_t base = to_ticks(base_.count(), track.time_base);
        unit.dts += base;
        unit.pts += base;
        end_ = std::max(end_, microseconds(to_us(unit.pts + unit.duration, track.time_base)));
        for (const Outgoing& out : faults.pass(std::move(unit), track.time_base)) {
            if (out.first) sink.track(track);
            if (out.changed) announce_change(sink, file.tracks()[out.unit.track]);
            if (!send(sink, out)) return false;
        }
    }
    return true;
}

void Play::announce_change(Sink sink, Track track) {
    if (track.track.codec != TD_CODEC_H264)
        return context_.warning(request_.uri + ": only H.264 can change its parameters");
    track.config(other_parameters(track.config()));
    sink.track(track);
}

bool Play::send(Sink sink, const Outgoing& out) {
    if (request_.real_time && !wait_until(begun_ + out.due)) return false;
    std::uint32_t flags = 0;
    if (out.unit.key) flags |= TD_PACKET_KEY;
    if (out.gap) flags |= TD_PACKET_DISCONTINUITY;
    OwnedPacket packet(context_, out.unit.track, out.unit.payload, out.unit.pts, flags);
    packet.packet.dts = out.unit.dts;
    if (!request_.real_time) packet.packet.wallclock_us = arrival_origin_us + out.due.count();
    for (bool goes_on = sink.packet(packet.packet); !goes_on; goes_on = sink.packets({})) {
        if (!wait_until(Clock::now() + pause)) return false;
    }
    return wait_until(Clock::time_point::min());
}

/// False: the play was stopped.
bool Play::wait_until(Clock::time_point time) {
    std::unique_lock lock(mutex_);
    if (time == Clock::time_point::min()) return !stop_reason_;
    return !changed_.wait_until(lock, time, [&] { return stop_reason_.has_value(); });
}

}  // namespace tapedeck::file_source
