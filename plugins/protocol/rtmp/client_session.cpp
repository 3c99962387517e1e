#include "client_session.hpp"

#include <utility>

#include "publication.hpp"
#include "request.hpp"

namespace tapedeck::rtmp {

ClientSession::ClientSession(Shared& shared, IoThread& thread, std::shared_ptr<const Settings> settings,
                             Transport::Socket socket, std::shared_ptr<TlsContext> tls, const std::string& server,
                             PlayTarget target, std::string name, std::weak_ptr<ClientOwner> owner)
    : Connection(shared, thread, std::move(settings), std::move(socket), std::move(tls), server),
      conversation_(*this, std::move(target)),
      name_(std::move(name)),
      owner_(std::move(owner)),
      last_media_(Clock::now()) {}

ClientSession::~ClientSession() = default;

void ClientSession::begin() {
    ClientHandshake::begin(conversation_.output());
    Connection::begin();
    flush_output();
}

bool ClientSession::shake_hands(ByteSpan& bytes) {
    if (handshake_.done()) return true;
    handshake_.read(bytes, conversation_.output());
    if (handshake_.done()) conversation_.begin();
    return handshake_.done();
}

void ClientSession::media_comes() {
    const auto owner = owner_.lock();
    if (!owner || is_closed_) return;
    auto info = stream_info(name_, "rtmp");
    info.record = settings_->record ? TD_RECORD_YES : TD_RECORD_BY_RULES;
    owner->describe(info);
    ask_for_stream(info);
}

void ClientSession::opened(const Publication& publication, Sink sink) {
    if (publication_.get() != &publication || is_closed_)
        return sink.close("the connection ended before its stream was open");
    take_sink(sink, name_);
    show_metadata();
    go_on();
}

void ClientSession::refused(const Publication& publication, const Error& why) {
    if (publication_.get() == &publication && !is_closed_) leave(why.what(), false);
}

void ClientSession::kicked(const Publication& publication, const std::string& why) {
    if (publication_.get() == &publication && !is_closed_) leave(why, true);
}

void ClientSession::media_came() {
    last_media_ = Clock::now();
    if (!feed_ || feed_->kinds() == kinds_) return;
    kinds_ = feed_->kinds();
    if (const auto owner = owner_.lock()) owner->playing(kinds_);
}

/// The packets that came before the end are in the stream.
void ClientSession::worked() {
    if (onward_ && !is_closed_) {
        Connection::abort("the server wants another connection");
        if (const auto owner = std::exchange(owner_, {}).lock()) owner->sent_on(*onward_);
        return;
    }
    if (!over_.empty() && !waits()) leave(over_, false);
}

void ClientSession::metadata(const amf::Object& values) {
    metadata_ = values;
    show_metadata();
}

void ClientSession::show_metadata() {
    if (!sink_) return;
    for (const auto* key : {"title", "description", "author", "encoder"}) {
        const auto* value = metadata_.find(key);
        if (value && !value->text().empty()) sink_.set(key, value->text());
    }
}

void ClientSession::check_deadlines() {
    if (is_closed_ || waits() || Clock::now() - last_media_ <= settings_->pull_timeout) return;
    const bool has_asked = conversation_.state() == ClientConversation::State::playing || sink_;
    leave(std::string(has_asked ? "the server sends no media" : "the server does not answer") +
              " for longer than setting 'protocol.rtmp.pull_timeout'",
          false);
}

void ClientSession::leave(const std::string& why, bool is_final) {
    if (is_closed_) return;
    Connection::abort(why);
    if (const auto owner = std::exchange(owner_, {}).lock()) owner->left(why, is_final);
}

}  // namespace tapedeck::rtmp
