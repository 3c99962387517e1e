#include "api/websocket.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <utility>

#include "base/log.hpp"
#include "base/text.hpp"

namespace tapedeck::host::api {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;
using Clock = std::chrono::steady_clock;

constexpr std::size_t piece_size = 4096;
constexpr auto close_limit = 2000ms;  // for the other side's close frame

}  // namespace

void WebSocketOutbox::send(std::string_view frame) {
    const std::lock_guard lock(mutex_);
    add(frame);
}

void WebSocketOutbox::finish(CloseCode code, std::string_view utf8_reason) {
    const std::lock_guard lock(mutex_);
    add(close_frame(code, utf8_reason));
    is_finished_ = true;
}

void WebSocketOutbox::add(std::string_view frame) {
    if (is_finished_) return;
    if (frame.size() + waiting_.size() + taken_ > most_) {
        is_finished_ = is_too_slow_ = true;
        waiting_ = {};
    } else {
        waiting_ += frame;
    }
    if (wake_) wake_();
}

WebSocketOutbox::Batch WebSocketOutbox::take() {
    const std::lock_guard lock(mutex_);
    Batch batch{std::exchange(waiting_, {}), is_finished_};
    taken_ = batch.frames.size();
    return batch;
}

bool WebSocketOutbox::is_finished() const {
    const std::lock_guard lock(mutex_);
    return is_finished_;
}

bool WebSocketOutbox::is_too_slow() const {
    const std::lock_guard lock(mutex_);
    return is_too_slow_;
}

void WebSocketOutbox::wake_by(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
    if (!wake_) {
        is_finished_ = true;
        waiting_ = {};
    }
}

/// Whatever ends the conversation, be it the end of the whole server: the peer hears of it.
class WebSocket::Ending {
public:
    explicit Ending(WebSocket& socket) : socket_(socket) {}
    ~Ending() {
        socket_.outbox_.wake_by({});
        socket_.peer_->closed("the connection ended");
    }
    Ending(const Ending&) = delete;
    Ending& operator=(const Ending&) = delete;

private:
    WebSocket& socket_;
};

WebSocket::WebSocket(std::shared_ptr<Wire> wire, std::shared_ptr<WebSocketPeer> peer,
                     std::shared_ptr<const ServerOptions> options)
    : wire_(std::move(wire)),
      peer_(std::move(peer)),
      options_(std::move(options)),
      outbox_(peer_->outbox()),
      timer_(wire_->executor()) {}

awaitable<void> WebSocket::run(std::string accept, std::string received) {
    const Ending ending(*this);
    const auto head = fmt::format(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        "{}\r\nServer: tapedeck\r\n\r\n",
        accept);
    co_await wire_->write(head, options_->write_timeout);
    outbox_.wake_by([executor = wire_->executor(), weak = weak_from_this()] {
        boost::asio::post(executor, [weak] {
            if (const auto self = weak.lock()) self->wake();
        });
    });
    Later<bool> written(wire_->executor());
    boost::asio::co_spawn(wire_->executor(), write(written.slot()), boost::asio::detached);
    std::string reason;
    try {
        reason = co_await read_all(std::move(received));
    } catch (const WebSocketError& broken) {
        reason = broken.what();
        outbox_.finish(broken.code(), reason);
    } catch (const boost::system::system_error& end) {
        reason = outbox_.is_too_slow() ? "the client takes too slowly what is sent to it" : end.code().message();
        wire_->close();
    }
    log::debug("websocket: {}: {}", wire_->remote(), reason);
    peer_->closed(reason);
    is_read_ = true;
    outbox_.finish(CloseCode::Normal, {});
    timer_.cancel();
    co_await written.wait(options_->write_timeout);
}

void WebSocket::go_away() {
    outbox_.finish(CloseCode::GoingAway, "the server is stopping");
}

/// Gives the reason of an end in good order.
awaitable<std::string> WebSocket::read_all(std::string received) {
    using Kind = WebSocketMessage::Kind;
    WebSocketReader reader(options_->message_bytes);
    std::array<char, piece_size> bytes;
    while (true) {
        std::string_view rest = received;
        while (auto message = reader.next(rest)) {
            if (message->kind == Kind::Text && !outbox_.is_finished()) peer_->message(message->payload);
            if (message->kind == Kind::Ping) outbox_.send(pong_frame(message->payload));
            if (message->kind != Kind::Close) continue;
            outbox_.finish(message->code, message->payload);
            co_return fmt::format("the client closed ({}) {}", static_cast<int>(message->code),
                                  printable(message->payload));
        }
        received.erase(0, received.size() - rest.size());
        const auto count = co_await wire_->read(bytes, options_->silence_timeout);
        received.append(bytes.data(), count);
    }
}

/// The writing side, beside `run`. What it finds broken, the reading side finds too.
awaitable<void> WebSocket::write(Later<bool>::Slot ended) {
    const auto self = shared_from_this();
    try {
        co_await write_all();
    } catch (const std::exception&) {
        wire_->close();
    }
    ended.give(true);
}

awaitable<void> WebSocket::write_all() {
    auto next_ping = Clock::now() + options_->silence_timeout / 2;
    while (true) {
        const auto batch = outbox_.take();
        if (!batch.frames.empty()) co_await wire_->write(batch.frames, options_->write_timeout);
        if (batch.last) break;
        if (!batch.frames.empty()) continue;
        if (Clock::now() >= next_ping) {
            next_ping += options_->silence_timeout / 2;
            outbox_.send(ping_frame());
            continue;
        }
        timer_.expires_at(next_ping);
        co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    if (is_read_) co_return;
    timer_.expires_after(close_limit);
    co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (!is_read_) wire_->close();
}

void WebSocket::wake() {
    if (outbox_.is_too_slow()) wire_->close();
    timer_.cancel();
}

}  // namespace tapedeck::host::api
