#include "publication.hpp"

#include <boost/asio/post.hpp>

#include "connection.hpp"

namespace tapedeck::rtmp {

template <class Call>
void Publication::post(Call call) {
    const auto thread = thread_.lock();
    if (thread == nullptr) return;
    boost::asio::post(*thread, [self = shared_from_this(), connection = connection_, call = std::move(call)] {
        call(*connection, *self);
    });
}

void Publication::opened(Sink sink) {
    post([sink](Connection& connection, const Publication& self) { connection.opened(self, sink); });
}

void Publication::refused(const Error& reason) {
    post([reason](Connection& connection, const Publication& self) { connection.refused(self, reason); });
}

void Publication::demand(std::chrono::microseconds delay) {
    post([delay](Connection& connection, const Publication& self) { connection.demanded(self, delay); });
}

void Publication::kick(std::string_view reason) {
    post([text = std::string(reason)](Connection& connection, const Publication& self) {
        connection.kicked(self, text);
    });
}

/// RTMP has no message that could tell the client the recording's name. The connection ends on its own thread.
void Publication::released(const td_recording* /*recording*/) {
    if (const auto thread = thread_.lock()) boost::asio::post(*thread, [connection = std::move(connection_)] {});
}

}  // namespace tapedeck::rtmp
