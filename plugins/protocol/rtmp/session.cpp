#include "session.hpp"

#include <boost/asio/post.hpp>
#include <utility>

#include "publication.hpp"

namespace tapedeck::rtmp {

Session::Session(Shared& shared, IoThread& thread, std::shared_ptr<const Settings> settings, Transport::Socket socket,
                 std::shared_ptr<TlsContext> tls)
    : Connection(shared, thread, std::move(settings), std::move(socket), std::move(tls)),
      conversation_(*this),
      retry_(thread.context()) {
    shared_.count(1);
}

Session::~Session() = default;

bool Session::shake_hands(ByteSpan& bytes) {
    if (!handshake_.done()) handshake_.read(bytes, conversation_.output());
    return handshake_.done();
}

void Session::check_deadlines() {
    const auto now = Clock::now();
    if (is_finishing_) {
        if (now >= close_at_) close();
        return;
    }
    if (is_closed_ || waits()) return;
    if (conversation_.state() == Conversation::State::fresh && now - begun_ > settings_->handshake_timeout)
        return abort("no connect command came in time; setting 'protocol.rtmp.handshake_timeout'");
    const auto silence = now - last_heard_.load();
    if (silence > settings_->idle_timeout)
        return abort("nothing came for longer than setting 'protocol.rtmp.idle_timeout'");
    if (silence > settings_->idle_timeout / 2 && conversation_.state() != Conversation::State::fresh &&
        !std::exchange(was_pinged_, true)) {
        conversation_.ping(static_cast<std::uint32_t>(received_));
        flush_output();
    }
}

void Session::end_stream(std::string_view why) {
    retry_.cancel();
    if (sink_) shared_.names.remove(request_.name, *this);
    Connection::end_stream(why);
}

void Session::fail(const std::string& why) {
    const auto line = transport_.remote() + ": " + printable(why);
    if (conversation_.state() == Conversation::State::fresh)
        shared_.host.debug(line);  // port scanners and other strangers
    else
        shared_.host.warning(line);
    if (conversation_.state() != Conversation::State::fresh) conversation_.kick(why);
    finish(why);
}

void Session::replace(const std::string& newcomer) {
    boost::asio::post(thread_.context(), [self = self(), newcomer] {
        if (!self->is_closed_) self->abort("silent, and replaced by " + newcomer);
    });
}

}  // namespace tapedeck::rtmp
