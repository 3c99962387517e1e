// One connection to a server that a stream is pulled from, from its first byte to its last.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "client_conversation.hpp"
#include "connection.hpp"
#include "handshake.hpp"

namespace tapedeck::rtmp {

/// Who has a client session, and outlives it. On its thread.
class ClientOwner {
public:
    virtual ~ClientOwner() = default;
    /// `info` is filled up but for its connection's part; it points into the owner.
    virtual void describe(td_stream_info& info) = 0;
    /// The stream is there, with media of these kinds (bits 1 << TD_VIDEO and so on); again when they change.
    virtual void playing(std::uint32_t kinds) = 0;
    /// The connection is over. `is_final`: somebody here has ended the stream, and it shall not come again.
    virtual void left(const std::string& why, bool is_final) = 0;
    /// The connection is over, and the server wants another one, at once.
    virtual void sent_on(const Onward& where) = 0;
};

/// The client's side. Asks for a stream when the first media come, so that there is none while the server has nothing.
class ClientSession : public Connection, public PlayEvents {
public:
    /// `tls` null: plain; else `server` is the name that its certificate must have. `name`: of the stream, for logs.
    ClientSession(Shared& shared, IoThread& thread, std::shared_ptr<const Settings> settings, Transport::Socket socket,
                  std::shared_ptr<TlsContext> tls, const std::string& server, PlayTarget target, std::string name,
                  std::weak_ptr<ClientOwner> owner);
    ~ClientSession() override;

    void begin() override;
    void abort(const std::string& why) override { leave(why, false); }
    void check_deadlines() override;

    void opened(const Publication& publication, Sink sink) override;
    void refused(const Publication& publication, const Error& why) override;
    void kicked(const Publication& publication, const std::string& why) override;

private:
    void play_ended(const std::string& why) override { over_ = why; }
    void play_goes_on(const Onward& where) override { onward_ = where; }
    void metadata(const amf::Object& values) override;

    Dialogue& dialogue() override { return conversation_; }
    bool shake_hands(ByteSpan& bytes) override;
    bool waits() const override { return publication_ && !sink_; }
    void media_comes() override;
    void media_came() override;
    void worked() override;
    void fail(const std::string& why) override { leave(why, false); }
    void leave(const std::string& why, bool is_final);
    void show_metadata();

    ClientHandshake handshake_;
    ClientConversation conversation_;
    const std::string name_;
    std::weak_ptr<ClientOwner> owner_;
    std::string over_;  // why the server has ended the stream; empty: it has not
    std::optional<Onward> onward_;
    amf::Object metadata_;
    std::uint32_t kinds_ = 0;  // as last told
    Clock::time_point last_media_;
};

}  // namespace tapedeck::rtmp
