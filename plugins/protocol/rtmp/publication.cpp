#include "publication.hpp"

#include <boost/asio/post.hpp>

#include "session.hpp"

namespace tapedeck::rtmp {

template <class Call>
void Publication::post(Call call) {
    const auto thread = thread_.lock();
    if (thread == nullptr) return;
    boost::asio::post(
        *thread, [self = shared_from_this(), session = session_, call = std::move(call)] { call(*session, *self); });
}

void Publication::opened(Sink sink) {
    post([sink](Session& session, const Publication& self) { session.opened(self, sink); });
}

void Publication::refused(const Error& reason) {
    post([reason](Session& session, const Publication& self) { session.refused(self, reason); });
}

void Publication::demand(std::chrono::microseconds delay) {
    post([delay](Session& session, const Publication& self) { session.demanded(self, delay); });
}

void Publication::kick(std::string_view reason) {
    post([text = std::string(reason)](Session& session, const Publication& self) { session.kicked(self, text); });
}

/// RTMP has no message that could tell the client the recording's name. The session ends on its own thread.
void Publication::released(const td_recording* /*recording*/) {
    if (const auto thread = thread_.lock()) boost::asio::post(*thread, [session = std::move(session_)] {});
}

}  // namespace tapedeck::rtmp
