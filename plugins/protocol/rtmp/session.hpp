// One publisher's connection, from its first byte to its last.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "connection.hpp"
#include "conversation.hpp"
#include "handshake.hpp"

namespace tapedeck::rtmp {

/// The server's side. Everything but `replace` and `last_heard` is called on its io thread.
class Session : public Connection, public Decisions, public Replaceable {
public:
    /// `tls` null: plain.
    Session(Shared& shared, IoThread& thread, std::shared_ptr<const Settings> settings, Transport::Socket socket,
            std::shared_ptr<TlsContext> tls);
    ~Session() override;

    void check_deadlines() override;

    void admitted(const std::optional<std::string>& refusal);
    void opened(const Publication& publication, Sink sink) override;
    void refused(const Publication& publication, const Error& why) override;
    void kicked(const Publication& publication, const std::string& why) override;

    std::chrono::steady_clock::time_point last_heard() const override { return last_heard_; }
    void replace(const std::string& newcomer) override;

private:
    void connect(const ConnectRequest& request) override;
    void publish(const PublishRequest& request) override;
    void unpublish(std::string_view how) override;
    void metadata(const amf::Object& values) override;

    Dialogue& dialogue() override { return conversation_; }
    bool shake_hands(ByteSpan& bytes) override;
    bool waits() const override { return conversation_.waits(); }
    void fail(const std::string& why) override;
    void closed() override { shared_.count(-1); }
    void end_stream(std::string_view why) override;

    std::shared_ptr<Session> self() { return std::static_pointer_cast<Session>(shared_from_this()); }
    void ask_to_publish();
    bool wait_for_name();

    Handshake handshake_;
    Conversation conversation_;
    ConnectRequest connection_;
    PublishRequest request_;
    Clock::time_point retry_until_{};
    boost::asio::steady_timer retry_;
};

}  // namespace tapedeck::rtmp
