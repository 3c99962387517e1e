// One connection whose peer sends media: its bytes, its messages and the way of its packets into a stream.
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
#include "dialogue.hpp"
#include "io_thread.hpp"
#include "media_feed.hpp"
#include "names.hpp"
#include "settings.hpp"
#include "timed_reads.hpp"
#include "transport.hpp"

namespace tapedeck::rtmp {

class Publication;

/// What all connections of a server share. Outlives them.
struct Shared {
    explicit Shared(Context host_context);
    /// One client more or less.
    void count(int change);

    Context host;
    Names names;
    std::atomic<std::int64_t> connections{0};
    std::atomic<std::uint64_t> connections_ever{0};

private:
    const td_metrics* metrics_;
    void* gauge_ = nullptr;
};

/// Lives on one io thread, where all its functions are called. Reads as bytes come until a stream is published, then by
/// the clock (timed_reads.hpp) as long as nobody wants less delay than a recording. Kept alive by the io thread, by
/// pending waits and by its publication until the host has released it. Who began to talk, and what is said, is the
/// matter of the classes derived from it.
class Connection : public TimedReader, public std::enable_shared_from_this<Connection> {
public:
    ~Connection() override;

    virtual void begin();
    /// Closes at once.
    virtual void abort(const std::string& why);
    /// About once a second.
    virtual void check_deadlines() = 0;

    // Answers of the host, for the publication they belong to.
    virtual void opened(const Publication& publication, Sink sink) = 0;
    virtual void refused(const Publication& publication, const Error& why) = 0;
    virtual void kicked(const Publication& publication, const std::string& why) = 0;
    void demanded(const Publication& publication, std::chrono::microseconds delay);

    std::size_t timed_read() override;

protected:
    using Clock = std::chrono::steady_clock;

    /// `tls` null: plain. `server`: as of Transport.
    Connection(Shared& shared, IoThread& thread, std::shared_ptr<const Settings> settings, Transport::Socket socket,
               std::shared_ptr<TlsContext> tls, const std::string& server = {});

    virtual Dialogue& dialogue() = 0;
    /// Takes the bytes of the handshake from the front of `bytes`. Whether it is over.
    virtual bool shake_hands(ByteSpan& bytes) = 0;
    /// Whether an answer of the host is awaited: messages are kept back until `go_on`.
    virtual bool waits() const = 0;
    /// A read brings media.
    virtual void media_comes() {}
    /// Media were given to the stream.
    virtual void media_came() {}
    /// A read was worked off, or what was kept back; the connection may be ended.
    virtual void worked() {}
    /// Something that this connection cannot go on after.
    virtual void fail(const std::string& why) = 0;
    virtual void closed() {}
    virtual void end_stream(std::string_view why);

    /// Asks the host for a stream; the publication is in `publication_`.
    void ask_for_stream(td_stream_info& info);
    /// The host's answer is there: media go to `sink`, once `go_on` was called.
    void take_sink(Sink sink, const std::string& name);
    void go_on();
    void flush_output();
    void choose_reading();
    void finish(const std::string& why);
    void close();

    Shared& shared_;
    IoThread& thread_;
    std::shared_ptr<const Settings> settings_;
    Transport transport_;
    std::string session_id_;

    std::shared_ptr<Publication> publication_;  // null: none asked for
    Sink sink_;
    std::optional<MediaFeed> feed_;
    std::uint64_t received_ = 0;  // after the handshake
    std::atomic<Clock::time_point> last_heard_;
    Clock::time_point begun_, close_at_{};
    bool is_finishing_ = false, is_closed_ = false, was_pinged_ = false;

private:
    struct KeptMessage {
        Message message;
        std::vector<std::uint8_t> payload;
    };

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
    void wait_to_write();

    ChunkReader chunks_;
    std::chrono::microseconds demand_{TD_RECORD_DELAY_US};
    std::deque<KeptMessage> kept_;     // came while a decision was awaited
    boost::asio::steady_timer pause_;  // until a source ahead of real time may go on
    bool is_behind_ = false, is_waiting_ = false, is_writing_ = false, is_timed_ = false, is_cancelled_ = false;
};

}  // namespace tapedeck::rtmp
