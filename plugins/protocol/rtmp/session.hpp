// One client's connection, from its first byte to its last.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chunk.hpp"
#include "conversation.hpp"
#include "handshake.hpp"
#include "io_thread.hpp"
#include "media_feed.hpp"
#include "names.hpp"
#include "settings.hpp"
#include "timed_reads.hpp"
#include "transport.hpp"

namespace tapedeck::rtmp {

class Publication;

/// What all sessions of a server share. Outlives them.
struct Shared {
    explicit Shared(Context host_context);
    /// One connection more or less.
    void count(int change);

    Context host;
    Names names;
    std::atomic<std::int64_t> connections{0};
    std::atomic<std::uint64_t> connections_ever{0};

private:
    const td_metrics* metrics_;
    void* gauge_ = nullptr;
};

/// Lives on one io thread; everything but `replace` and `last_heard` is called there. Reads as bytes come until a
/// stream is published, then by the clock (timed_reads.hpp) as long as nobody wants less delay than a recording. Kept
/// alive by the io thread, by pending waits and by its publication until the host has released it.
class Session : public Decisions, public TimedReader, public Replaceable, public std::enable_shared_from_this<Session> {
public:
    /// `tls` null: plain.
    Session(Shared& shared, IoThread& thread, std::shared_ptr<const Settings> settings, Transport::Socket socket,
            std::shared_ptr<TlsContext> tls);
    ~Session() override;

    void begin();
    /// Closes at once.
    void abort(const std::string& why);
    /// About once a second.
    void check_deadlines();

    // Answers of the host, for the publication they belong to.
    void admitted(const std::optional<std::string>& refusal);
    void opened(const Publication& publication, Sink sink);
    void refused(const Publication& publication, const Error& why);
    void demanded(const Publication& publication, std::chrono::microseconds delay);
    void kicked(const Publication& publication, const std::string& why);

    std::size_t timed_read() override;
    std::chrono::steady_clock::time_point last_heard() const override { return last_heard_; }
    void replace(const std::string& newcomer) override;

private:
    using Clock = std::chrono::steady_clock;
    struct KeptMessage {
        Message message;
        std::vector<std::uint8_t> payload;
    };

    void connect(const ConnectRequest& request) override;
    void publish(const PublishRequest& request) override;
    void unpublish(std::string_view how) override;
    void metadata(const amf::Object& values) override;

    void wait_for_bytes();
    std::size_t read(int rounds);
    void ask_to_go_on();
    std::span<std::uint8_t> place_to_read();
    void work(ByteSpan bytes);
    void take_messages(ByteSpan bytes);
    void take(const Batch& batch, const Message& message, std::size_t& coming);
    template <class Action>
    void feed(Action action);
    template <class Action>
    void guarded(Action action);
    void go_on();
    void flush_output();
    void wait_to_write();
    void ask_to_publish();
    bool wait_for_name();
    void choose_reading();
    void end_stream(std::string_view why);
    void fail(const std::string& why);
    void finish(const std::string& why);
    void close();

    Shared& shared_;
    IoThread& thread_;
    std::shared_ptr<const Settings> settings_;
    Transport transport_;
    Handshake handshake_;
    ChunkReader chunks_;
    Conversation conversation_;
    std::string session_id_;

    ConnectRequest connection_;
    PublishRequest request_;
    std::shared_ptr<Publication> publication_;  // null: none asked for
    Sink sink_;
    std::optional<MediaFeed> feed_;
    std::chrono::microseconds demand_{TD_RECORD_DELAY_US};

    std::deque<KeptMessage> kept_;  // came while a decision was awaited
    std::uint64_t received_ = 0;    // after the handshake
    std::atomic<Clock::time_point> last_heard_;
    Clock::time_point begun_, close_at_{}, retry_until_{};
    boost::asio::steady_timer retry_;
    boost::asio::steady_timer pause_;  // until a source ahead of real time may go on
    bool is_behind_ = false;
    bool is_waiting_ = false, is_writing_ = false, is_timed_ = false, is_finishing_ = false, is_closed_ = false,
         is_cancelled_ = false, was_pinged_ = false;
};

}  // namespace tapedeck::rtmp
