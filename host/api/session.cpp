#include "api/session.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "api/answers.hpp"
#include "api/range.hpp"
#include "api/websocket.hpp"
#include "api/websocket_frames.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/text.hpp"

namespace tapedeck::host::api {
namespace {

using namespace std::chrono_literals;
using boost::asio::awaitable;

constexpr std::size_t read_size = 4096;
constexpr std::size_t file_piece = 64u << 10;
constexpr auto goodbye_limit = 2000ms;

void count(int status) {
    static auto& good = metrics::counter("tapedeck_http_answers_total", "class=\"2xx\"", "HTTP answers by status");
    static auto& moved = metrics::counter("tapedeck_http_answers_total", "class=\"3xx\"", "HTTP answers by status");
    static auto& refused = metrics::counter("tapedeck_http_answers_total", "class=\"4xx\"", "HTTP answers by status");
    static auto& failed = metrics::counter("tapedeck_http_answers_total", "class=\"5xx\"", "HTTP answers by status");
    (status < 300 ? good : status < 400 ? moved : status < 500 ? refused : failed) += 1;
}

/// For the header Date, which is the same for a second.
const std::string& date_now() {
    static thread_local std::time_t second = 0;
    static thread_local std::string date;
    const auto now = std::time(nullptr);
    if (now != std::exchange(second, now)) date = http_date(now);
    return date;
}

void add_header(std::string& head, std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
}

std::string head_of(const Response& response, bool keep_alive) {
    std::string head;
    head.reserve(512);
    head.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
    head.append(phrase_of(response.status)).append("\r\n");
    for (const auto& [name, value] : response.headers) {
        const bool is_one_line = value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
        if (is_one_line) add_header(head, name, value);  // else it would bring headers of its own
    }
    if (response.status != 304 && response.status != 204) {
        std::uint64_t length = response.body.size();
        for (const FilePart& part : response.files) length += part.count;
        add_header(head, "Content-Length", std::to_string(length));
    }
    add_header(head, "Date", date_now());
    add_header(head, "Server", "tapedeck");
    if (!keep_alive) add_header(head, "Connection", "close");
    head += "\r\n";
    return head;
}

/// Whether a header's list has this word, in whatever case.
bool names(std::string_view list, std::string_view word) {
    if (list.empty()) return false;
    const auto words = list_of(lower(list));
    return std::ranges::find(words, word) != words.end();
}

using Piece = std::shared_ptr<std::vector<char>>;  // shared: a worker may still fill it when the session is gone

/// Reads into `piece` and cuts it to what was read; nothing left of it on a failure.
void read_piece(const OpenFile& file, std::uint64_t at, std::vector<char>& piece) {
    std::size_t got = 0;
    while (got < piece.size()) {
        const auto more =
            ::pread(file.descriptor(), piece.data() + got, piece.size() - got, static_cast<off_t>(at + got));
        if (more < 0 && errno == EINTR) continue;
        if (more <= 0) break;
        got += static_cast<std::size_t>(more);
    }
    piece.resize(got);
}

}  // namespace

Session::Session(std::shared_ptr<Wire> wire, std::shared_ptr<const ServerOptions> options, const Router& router,
                 Workers& workers, const std::atomic<bool>& stopping, Serves serves)
    : wire_(std::move(wire)),
      options_(std::move(options)),
      router_(router),
      workers_(workers),
      stopping_(stopping),
      serves_(serves) {}

awaitable<void> Session::run() {
    try {
        co_await converse();
    } catch (const boost::system::system_error& end) {
        log::debug("http: {}: {}", wire_->remote(), end.code().message());
    } catch (const std::exception& failure) {
        log::error("http: {}: {}", wire_->remote(), failure.what());
    }
    wire_->close();
}

void Session::close() {
    is_closed_ = true;
    wire_->close();
    if (awaited_ != nullptr) awaited_->cancel();
}

void Session::close_when_idle() {
    if (is_idle_) wire_->close();
    if (websocket_) websocket_->go_away();
}

awaitable<void> Session::converse() {
    co_await wire_->open(options_->request_timeout);
    bool goes_on = true;
    while (goes_on && !stopping_) goes_on = co_await exchange();
    if (!is_client_done_) co_await wire_->finish(goodbye_limit);
}

/// One request and its answer. False: the connection is to end.
awaitable<bool> Session::exchange() {
    RequestParser parser({options_->header_bytes, options_->body_bytes});
    Request request;
    bool keep_alive = false;
    Response response;
    try {
        const bool received = co_await receive_head(parser);
        if (!received) co_return false;
        request = parser.head();
        request.remote = wire_->remote();
        request.secure = wire_->is_secure();
        request.upgrade = asks_for_websocket(parser);
        const bool upgrade = request.upgrade;
        const bool wanted = parser.is_done() || router_.wants_body(request);
        if (wanted) {
            co_await receive_body(parser);
            request = parser.take();
            request.remote = wire_->remote();
            request.secure = wire_->is_secure();
            request.upgrade = upgrade;
            keep_alive = parser.keep_alive() && !stopping_;
            is_client_done_ = !parser.keep_alive() && received_.empty() && !wire_->is_secure();
        }
        response = co_await answer(request);
    } catch (const Rejected& rejected) {
        request = parser.head();
        response = error_answer(rejected.http_status(), rejected.what(), request.path);
        response.headers.emplace_back("Access-Control-Allow-Origin", "*");
        if (response.status == 426) {
            response.headers.emplace_back("Upgrade", "websocket");
            response.headers.emplace_back("Sec-WebSocket-Version", "13");
        }
    }
    if (response.socket) {
        co_await converse_by_websocket(request, std::move(response.socket));
        co_return false;
    }
    keep_alive = keep_alive && !response.close;
    co_await send(response, request, keep_alive);
    co_return keep_alive;
}

/// Throws Rejected where it asks wrongly, or for anything else on a port of WebSockets.
bool Session::asks_for_websocket(const RequestParser& parser) const {
    const auto& head = parser.head();
    const bool only = serves_ == Serves::WebSockets;
    if (!names(head.header("upgrade"), "websocket") || !names(head.header("connection"), "upgrade")) {
        if (only) throw Rejected(426, "only WebSockets are served on this port; HTTP has its own");
        return false;
    }
    if (!only && !router_.has_websocket(head.path)) return false;
    if (head.method != "GET" || !parser.is_done() || !parser.keep_alive()) {
        throw Rejected(400, "a WebSocket begins with a GET of HTTP/1.1 without a body");
    }
    if (head.header("sec-websocket-version") != "13") throw Rejected(426, "only version 13 of WebSocket is spoken");
    if (!websocket_accept(head.header("sec-websocket-key"))) {
        throw Rejected(400, "Sec-WebSocket-Key is not 16 bytes in base64");
    }
    return true;
}

awaitable<void> Session::converse_by_websocket(const Request& request, std::shared_ptr<WebSocketPeer> peer) {
    count(101);
    log::debug("http: {} {} -> a WebSocket", request.remote, printable(request.target));
    websocket_ = std::make_shared<WebSocket>(wire_, std::move(peer), options_);
    if (stopping_) websocket_->go_away();
    co_await websocket_->run(*websocket_accept(request.header("sec-websocket-key")), std::move(received_));
    websocket_.reset();
}

/// False when the client ended the connection between two requests.
awaitable<bool> Session::receive_head(RequestParser& parser) {
    if (received_.empty()) {
        received_.shrink_to_fit();  // an idle connection keeps no buffer
        is_idle_ = true;
        try {
            co_await read_more(options_->idle_timeout);
        } catch (const boost::system::system_error&) {
            co_return false;
        }
        is_idle_ = false;
    }
    request_deadline_ = std::chrono::steady_clock::now() + options_->request_timeout;
    while (true) {
        received_.erase(0, parser.feed(received_));
        if (parser.has_head()) co_return true;
        co_await read_more(left_for_request());
    }
}

awaitable<void> Session::receive_body(RequestParser& parser) {
    if (parser.expects_continue()) {
        co_await wire_->write("HTTP/1.1 100 Continue\r\n\r\n", options_->write_timeout);
    }
    while (!parser.is_done()) {
        if (!received_.empty()) {
            const auto used = parser.feed(received_);
            received_.erase(0, used);
            if (used > 0) continue;
        }
        co_await read_more(left_for_request());
    }
}

awaitable<Response> Session::answer(const Request& request) {
    Later<Response> later(wire_->executor());
    router_.handle(request, [slot = later.slot()](Response response) { slot.give(std::move(response)); });
    awaited_ = &later;
    auto response = co_await later.wait(options_->answer_timeout);
    awaited_ = nullptr;
    if (response) co_return std::move(*response);
    if (is_closed_) throw boost::system::system_error(boost::asio::error::operation_aborted);
    log::warning("http: {} {} was not answered within {} ms", printable(request.method, 20), printable(request.path),
                 options_->answer_timeout.count());
    auto late = error_answer(504, "the request was not answered in time", request.path);
    late.headers.emplace_back("Access-Control-Allow-Origin", "*");
    co_return late;
}

awaitable<void> Session::send(const Response& response, const Request& request, bool keep_alive) {
    count(response.status);
    if (log::wants(log::Level::Debug)) {
        log::debug("http: {} {} {} -> {}", request.remote, printable(request.method, 20), printable(request.target),
                   response.status);
    }
    auto head = head_of(response, keep_alive);
    const bool with_body = !response.without_body && response.status != 304 && response.status != 204;
    if (with_body) head += response.body;  // one packet for most answers
    if (with_body && !response.files.empty()) {
        co_await send_files(head, response.files);
    } else {
        co_await wire_->write(head, options_->write_timeout);
    }
}

/// By the kernel where the connection is plain; over TLS the bytes pass through here.
awaitable<void> Session::send_files(const std::string& head, const FileParts& files) {
    const int bypass = wire_->bypass();
    std::shared_ptr<const OpenFile> connection;  // shared: a worker may outlive the session
    std::optional<FullSegments> full_segments;
    if (bypass >= 0) {
        connection = std::make_shared<const OpenFile>(bypass);
        full_segments.emplace(connection);
    }
    co_await wire_->write(head, options_->write_timeout);
    for (const FilePart& part : files) {
        if (connection == nullptr) {
            co_await send_pieces(part);
        } else {
            co_await send_part(connection, part);
        }
    }
}

awaitable<void> Session::send_part(std::shared_ptr<const OpenFile> connection, const FilePart& part) {
    for (std::uint64_t sent = 0; sent < part.count;) {
        const std::uint64_t at = part.first + sent;
        const std::uint64_t count = std::min(sent_at_once, part.count - sent);
        const auto some = is_in_memory(*part.file, at, count)
                              ? send_some(*connection, *part.file, at, count)
                              : co_await send_from_disk(connection, part.file, at, count);
        if (some.failed) throw boost::system::system_error(boost::asio::error::connection_reset);
        sent += some.bytes;
        if (sent == part.count) break;
        if (some.bytes == count) {
            co_await boost::asio::post(wire_->executor(), boost::asio::use_awaitable);  // others have their turn
        } else {
            co_await wire_->writable(options_->write_timeout);
        }
    }
}

awaitable<SentSome> Session::send_from_disk(std::shared_ptr<const OpenFile> connection,
                                            std::shared_ptr<const OpenFile> file, std::uint64_t at,
                                            std::uint64_t count) {
    Later<SentSome> later(wire_->executor());
    const bool accepted = workers_.post(
        [slot = later.slot(), connection, file, at, count] { slot.give(send_some(*connection, *file, at, count)); });
    std::optional<SentSome> some;
    if (accepted) some = co_await later.wait(options_->answer_timeout);
    if (!some) throw Error("a file could not be read to its end; the connection is closed");
    co_return *some;
}

awaitable<void> Session::send_pieces(const FilePart& part) {
    auto at = part.first;
    auto left = part.count;
    auto piece = std::make_shared<std::vector<char>>();
    while (left > 0) {
        piece->resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, file_piece)));
        Later<Piece> later(wire_->executor());
        const bool accepted = workers_.post([slot = later.slot(), file = part.file, at, piece] {
            read_piece(*file, at, *piece);
            slot.give(piece);
        });
        std::optional<Piece> read;
        if (accepted) read = co_await later.wait(options_->answer_timeout);
        if (!read || piece->empty()) {
            throw Error("a file could not be read to its end; the connection is closed");
        }
        co_await wire_->write({piece->data(), piece->size()}, options_->write_timeout);
        at += piece->size();
        left -= piece->size();
    }
}

awaitable<void> Session::read_more(std::chrono::milliseconds limit) {
    std::array<char, read_size> bytes;
    const auto count = co_await wire_->read(bytes, limit);
    received_.append(bytes.data(), count);
}

std::chrono::milliseconds Session::left_for_request() const {
    const auto left = request_deadline_ - std::chrono::steady_clock::now();
    return std::max(1ms, std::chrono::duration_cast<std::chrono::milliseconds>(left));
}

}  // namespace tapedeck::host::api
