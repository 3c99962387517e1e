#include "mpegts/source.hpp"

#include <algorithm>
#include <utility>

#include "address/query.hpp"
#include "tapedeck/uuid.hpp"

namespace tapedeck::mpegts {
namespace {

constexpr std::size_t usual_buffer = 32u << 10;
constexpr std::size_t most_held = 256;        // frames of sound, while the first picture is awaited
constexpr Time longest_hold{10'000'000};      // of them
constexpr Time look_interval{1'000'000};      // between looks at what else there is to say
constexpr Time remembered{60'000'000};        // that a failed stream is shown
constexpr std::size_t most_warnings = 20;     // of one stream
constexpr const char* waiting = "CONNECTED";  // Flashphoner's words
constexpr const char* running = "PROCESSED_LOCAL";
constexpr const char* failed = "FAILED";

std::int64_t in_90_khz(Time time) {
    return time.count() * 9 / 100;
}

}  // namespace

/// What the host says to the source, carried to its thread.
class Source::Voice : public Publisher, public std::enable_shared_from_this<Source::Voice> {
public:
    Voice(Post post, std::weak_ptr<Source> source) : post_(std::move(post)), source_(std::move(source)) {}

    void opened(Sink sink) override {
        const bool is_told = post_([self = shared_from_this(), sink] {
            const auto source = self->source_.lock();
            source != nullptr && !source->is_ended_ ? source->opened(sink) : sink.close("its source has gone");
        });
        if (!is_told) sink.close("the server stops");
    }
    void refused(const Error& reason) override {
        tell([reason](Source& source) { source.refused(reason); });
    }
    void kick(std::string_view reason) override {
        tell([text = std::string(reason)](Source& source) { source.end(text, false); });
    }

private:
    template <class Call>
    void tell(Call call) {
        post_([self = shared_from_this(), call = std::move(call)] {
            if (const auto source = self->source_.lock()) call(*source);
        });
    }

    const Post post_;
    const std::weak_ptr<Source> source_;
};

Source::Source(Context context, Request request, std::unique_ptr<Input> input, std::string uri)
    : context_(context),
      request_(std::move(request)),
      uri_(std::move(uri)),
      media_session_(make_uuid()),
      input_(std::move(input)),
      demuxer_(request_.program),
      timeline_(in_90_khz(request_.max_timestamp_diff)) {
    shown_.media_session = media_session_;
    shown_.uri = uri_;
    shown_.status = waiting;
    shown_.info = "nothing has come";
}

void Source::open(const Post& post, Opened opened) {
    opened_ = std::move(opened);
    voice_ = std::make_shared<Voice>(post, weak_from_this());
    std::vector<td_attribute> credentials;
    credentials.reserve(request_.credentials.size());
    for (const auto& [key, value] : request_.credentials) credentials.push_back({text_of(key), text_of(value)});
    const std::string remote = input_->sender().empty() ? uri_ : input_->sender();
    td_stream_info info = stream_info(request_.stream, "mpegts");
    info.media_session = text_of(media_session_);
    info.login = text_of(request_.login);
    info.remote = text_of(remote);
    info.record = request_.record;
    info.attributes = credentials.data();
    info.attribute_count = credentials.size();
    publish(context_, info, voice_);
}

void Source::opened(Sink sink) {
    sink_ = sink;
    if (opened_) std::exchange(opened_, nullptr)(nullptr);
}

void Source::refused(const Error& reason) {
    if (is_ended_) return;
    is_ended_ = true;
    input_.reset();
    if (opened_) std::exchange(opened_, nullptr)(&reason);
}

void Source::end(const std::string& reason, bool is_failure) {
    if (std::exchange(is_ended_, true)) return;
    {
        const std::lock_guard lock(mutex_);
        shown_.status = failed;
        shown_.info = reason;
    }
    if (opened_) {
        const Error why(TD_CANCELLED, reason);
        std::exchange(opened_, nullptr)(&why);
    }
    if (sink_) {
        try {
            input_->read(*this, now_);  // what came before the end belongs to the stream
            demuxer_.finish(*this);
            release_sound();
            give();
        } catch (const Error&) {  // the host takes no more: it has ended the stream itself
            packets_.clear();
        }
        sink_->close(reason);
        sink_.reset();
    }
    input_.reset();
    forget_at_ = is_failure ? now_ + remembered : Time{};
    const auto line = label() + " has ended: " + printable(reason);
    is_failure ? context_.warning(line) : context_.info(line);
}

void Source::turn(Time now) {
    now_ = now;
    if (is_ended_ || !sink_) return;
    if (heard_ == Time{}) heard_ = looked_ = now;
    try {
        input_->read(*this, now);
        if (!held_.empty() && !is_picture_awaited()) release_sound();
        give();
    } catch (const Error& error) {
        return end(error.what(), error.status() != TD_CANCELLED);
    }
    if (now - looked_ >= look_interval || input_->refusal() != refusal_) look_after();
    if (input_->is_over()) return end("the sender has closed its connection", false);
    if (now - heard_ < request_.timeout) return;
    const auto info = shown().info;
    end("no data for " + std::to_string(request_.timeout.count() / 1000) + " ms" +
            (info.empty() || has_begun() ? "" : ": " + info),
        true);
}

void Source::bytes(ByteSpan bytes) {
    heard_ = now_;
    if (!has_begun()) {
        begun_ = now_;
        context_.info(label() + " comes from " + input_->sender());
    }
    demuxer_.push(bytes, *this);
}

void Source::track(const Track& track) {
    give();
    sink_->track(track);
    const std::lock_guard lock(mutex_);
    (track.track.kind == TD_VIDEO ? shown_.has_video : shown_.has_audio) = true;
    if (!is_ended_) shown_.status = running;
}

std::uint8_t* Source::room(std::size_t size) {
    if (buffer_.capacity() - used_ < size) {
        if (buffer_) full_.push_back(std::move(buffer_));
        buffer_ = context_.buffer(std::max(size, usual_buffer));
        used_ = 0;
    }
    auto* const place = buffer_.data() + used_;
    used_ += size;
    return place;
}

/// A recording would begin with sound alone; what was heard just before the first picture belongs to it.
bool Source::is_picture_awaited() const {
    return !has_picture_ && demuxer_.expects_video() && now_ - begun_ < longest_hold;
}

void Source::unit(const Unit& unit, ByteSpan payload) {
    const auto place = timeline_.place(unit.track, unit.pts, unit.dts, in_90_khz(now_));
    td_packet packet{};
    packet.size = sizeof packet;
    packet.track = unit.track;
    packet.flags = unit.flags;
    packet.pts = place.pts;
    packet.dts = place.dts;
    packet.duration = packet.wallclock_us = TD_NO_TIME;
    packet.data = payload.data();
    packet.data_size = static_cast<std::uint32_t>(payload.size());
    packet.buffer = buffer_.get();
    if (unit.track == video_track) has_picture_ = true;
    if (is_picture_awaited()) {
        if (held_.size() == most_held) held_.erase(held_.begin());
        held_.push_back({packet, buffer_});
        return;
    }
    release_sound();
    packets_.push_back(packet);
}

void Source::release_sound() {
    for (auto& held : held_) {
        packets_.push_back(held.packet);
        full_.push_back(std::move(held.buffer));
    }
    held_.clear();
}

void Source::give() {
    if (packets_.empty()) return full_.clear();
    pointers_.clear();
    for (const auto& packet : packets_) pointers_.push_back(&packet);
    struct Forget {
        Source& source;
        ~Forget() {
            source.packets_.clear();
            source.full_.clear();
        }
    } const forget_at_end{*this};
    sink_->packets(pointers_);
}

/// Once a second, and where a sender was refused: what REST shows, and what people should know.
void Source::look_after() {
    looked_ = now_;
    refusal_ = input_->refusal();
    const auto problem = has_begun() ? demuxer_.problem() : std::string();
    const bool is_lasting = !problem.empty() && std::exchange(last_problem_, problem) == problem;
    for (const auto& text : {is_lasting ? problem : std::string(), refusal_}) {
        if (text.empty() || std::ranges::find(warned_, text) != warned_.end()) continue;
        if (warned_.size() < most_warnings) context_.warning(label() + ": " + text);
        warned_.push_back(text);
        if (warned_.size() > most_warnings) warned_.pop_back();
    }
    if (const auto left_out = demuxer_.left_out(); left_out != left_out_) {
        left_out_ = left_out;
        if (!left_out.empty()) context_.info(label() + ": left out: " + left_out);
    }
    const auto silence = std::chrono::duration_cast<std::chrono::seconds>(now_ - heard_);
    std::string info = problem.empty() ? refusal_ : problem;
    if (!has_begun() && info.empty()) info = "nothing has come";
    if (has_begun() && silence.count() >= 2) info = "no data for " + std::to_string(silence.count()) + " s";
    const std::lock_guard lock(mutex_);
    shown_.info = std::move(info);
    shown_.sender = input_->sender();
    shown_.lost = demuxer_.counts().lost;
    shown_.dropped_pictures = demuxer_.dropped_pictures();
    shown_.jumps = timeline_.jumps();
}

std::string Source::label() const {
    return "stream '" + printable(request_.stream) + "' (" + name_of(request_.transport) + ")";
}

Shown Source::shown() const {
    const std::lock_guard lock(mutex_);
    return shown_;
}

}  // namespace tapedeck::mpegts
