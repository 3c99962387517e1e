#include "pulled_stream.hpp"

#include <utility>

#include "socket.hpp"

namespace tapedeck::rtsp {

void PulledStream::ask(std::shared_ptr<Voice> voice, const std::string& media_session, int descriptor,
                       const std::vector<Medium>& media) {
    is_cancelled_ = false;
    auto info = stream_info(name_, "rtsp");
    info.media_session = text_of(media_session);
    const auto remote = remote_address(descriptor).text();
    const auto session = "/" + remote + "/" + local_address(descriptor).text();
    info.session = text_of(session);
    info.remote = text_of(remote);
    info.record = record_;
    for (const auto& one : media) info.expects |= 1u << one.kind;
    voice_ = std::move(voice);
    publish(context_, info, voice_);
}

void PulledStream::open(Sink sink) {
    sink_ = sink;
    had_media_ = false;
    last_media_us_ = monotonic_us();
}

void PulledStream::drop_question() {
    if (!sink_) voice_.reset();
}

void PulledStream::close(const std::string& why) {
    if (sink_) std::exchange(sink_, Sink()).close(why);
    voice_.reset();
    had_media_ = false;
    demand_us_ = TD_RECORD_DELAY_US;
}

bool PulledStream::came(std::int64_t packet_us) {
    if (packet_us <= last_media_us_) return false;
    last_media_us_ = packet_us;
    had_media_ = true;
    return true;
}

void PulledStream::give(Reception& reception, std::int64_t now_us) {
    if (is_cancelled_) return;
    try {
        reception.give(sink_, now_us);
    } catch (const Error& e) {
        if (e.status() != TD_CANCELLED) throw;
        is_cancelled_ = true;  // `kicked` tells why
    }
}

void PulledStream::finish(Reception& reception, std::int64_t now_us) {
    if (sink_ && !is_cancelled_) reception.finish(sink_, now_us);
}

}  // namespace tapedeck::rtsp
