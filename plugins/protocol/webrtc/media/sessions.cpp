#include "webrtc/media/sessions.hpp"

#include "webrtc/media/play.hpp"
#include "webrtc/media/publication.hpp"

namespace tapedeck::webrtc {

MediaSessions::MediaSessions(Context context, const TransportConfig& config, MediaSettings settings)
    : core_(std::make_shared<Core>(context, std::move(settings))) {
    auto transport = std::make_unique<Transport>(context, config);
    addresses_ = transport->addresses();
    core_->run(std::move(transport));
}

MediaSessions::~MediaSessions() {
    const auto all = core_->stop();
    for (const auto& session : all) session->stop(false, "Stopped by session disconnect");
    core_->take_transport().reset();  // all peers end, and give their streams back
    for (const auto& session : all) core_->events.post([session] { session->abandon(); });
    core_->events.stop();
}

void MediaSessions::open(SessionRequest request, std::shared_ptr<SessionEvents> events) {
    const auto name = request.media_session, remote = request.remote;
    std::shared_ptr<Session> session;
    if (request.publishes)
        session = std::make_shared<Publication>(core_, std::move(request), events);
    else
        session = std::make_shared<Play>(core_, std::move(request), events);
    if (const auto refusal = core_->enlist(name, session, remote))
        core_->events.post([events, refusal] { events->ended(true, *refusal, {}); });
    else
        core_->events.post([session] { session->begin(); });
}

void MediaSessions::close(const std::string& media_session, const std::string& reason) {
    if (const auto session = core_->find(media_session)) session->stop(false, reason);
}

TransportCounters MediaSessions::counters() const {
    TransportCounters counters;
    core_->with_transport([&](const Transport& transport) { counters = transport.counters(); });
    return counters;
}

}  // namespace tapedeck::webrtc
