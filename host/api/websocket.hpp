// The conversation over one WebSocket: messages in, frames out, both at once (RFC 6455).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "api/later.hpp"
#include "api/server.hpp"
#include "api/websocket_frames.hpp"
#include "api/wire.hpp"

namespace tapedeck::host::api {

/// What is to go to one client. Thread-safe; may outlive the connection, and drops what comes then.
class WebSocketOutbox {
public:
    /// `most`: bytes that may wait; a client that leaves more is cut off.
    explicit WebSocketOutbox(std::size_t most) : most_(most) {}

    void send(std::string_view frame);
    /// What was sent before still goes out, then a close frame; only the first one counts.
    void finish(CloseCode code, std::string_view utf8_reason);

    struct Batch {
        std::string frames;
        bool last = false;  ///< nothing will follow
    };
    /// Everything that waits; it counts as waiting until the next call.
    Batch take();
    bool is_finished() const;
    bool is_too_slow() const;
    /// `wake` is called when there is something to take or the client is too slow, with a lock held: it posts. Empty:
    /// nobody takes any more.
    void wake_by(std::function<void()> wake);

private:
    void add(std::string_view frame);

    mutable std::mutex mutex_;
    const std::size_t most_;
    std::string waiting_;
    std::size_t taken_ = 0;  // bytes of the last batch
    bool is_finished_ = false, is_too_slow_ = false;
    std::function<void()> wake_;
};

/// Who uses a WebSocket. Called on the connection's executor, but for the destructor.
class WebSocketPeer {
public:
    virtual ~WebSocketPeer() = default;
    virtual WebSocketOutbox& outbox() = 0;
    virtual void message(std::string_view utf8) = 0;
    /// The end, once for each `run`. `reason` is printable.
    virtual void closed(std::string_view reason) noexcept = 0;
};

/// Lives on its wire's executor.
class WebSocket : public std::enable_shared_from_this<WebSocket> {
public:
    WebSocket(std::shared_ptr<Wire> wire, std::shared_ptr<WebSocketPeer> peer,
              std::shared_ptr<const ServerOptions> options);

    /// Answers the upgrade with `accept` and serves the WebSocket to its end; the wire is the caller's to finish.
    /// `received`: what came behind the request. What ends a connection is no failure.
    boost::asio::awaitable<void> run(std::string accept, std::string received);
    /// Tells the client that the server goes.
    void go_away();

private:
    class Ending;
    boost::asio::awaitable<std::string> read_all(std::string received);
    boost::asio::awaitable<void> write_all();
    boost::asio::awaitable<void> write(Later<bool>::Slot ended);
    void wake();

    std::shared_ptr<Wire> wire_;
    std::shared_ptr<WebSocketPeer> peer_;
    std::shared_ptr<const ServerOptions> options_;
    WebSocketOutbox& outbox_;
    boost::asio::steady_timer timer_;  // of the writing side
    bool is_read_ = false;             // nothing comes any more
};

}  // namespace tapedeck::host::api
