// The conversation with one client: requests in, answers out, over one connection.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "api/file_sender.hpp"
#include "api/later.hpp"
#include "api/request_parser.hpp"
#include "api/router.hpp"
#include "api/server.hpp"
#include "api/wire.hpp"

namespace tapedeck::host::api {

/// What a listener's connections are for.
enum class Serves { Requests, WebSockets };

class WebSocket;

/// Lives on its wire's executor.
class Session {
public:
    /// `options` are a snapshot; router and workers are borrowed, `stopping` becomes true when no further request may
    /// be taken.
    Session(std::shared_ptr<Wire> wire, std::shared_ptr<const ServerOptions> options, const Router& router,
            Workers& workers, const std::atomic<bool>& stopping, Serves serves);

    /// Serves the connection until it ends. Never throws; what ends a connection is no failure of the server.
    boost::asio::awaitable<void> run();

    /// Ends the connection at once. On the wire's executor.
    void close();
    boost::asio::any_io_executor executor() { return wire_->executor(); }
    /// Ends the connection if it waits for a request or is a WebSocket; otherwise it ends after its answer. On the
    /// wire's executor.
    void close_when_idle();

private:
    boost::asio::awaitable<void> converse();
    boost::asio::awaitable<bool> exchange();
    bool asks_for_websocket(const RequestParser& parser) const;
    boost::asio::awaitable<void> converse_by_websocket(const Request& request, std::shared_ptr<WebSocketPeer> peer);
    boost::asio::awaitable<bool> receive_head(RequestParser& parser);
    boost::asio::awaitable<void> receive_body(RequestParser& parser);
    boost::asio::awaitable<Response> answer(const Request& request);
    boost::asio::awaitable<void> send(const Response& response, const Request& request, bool keep_alive);
    boost::asio::awaitable<void> send_files(const std::string& head, const FileParts& files);
    boost::asio::awaitable<void> send_part(std::shared_ptr<const OpenFile> connection, const FilePart& part);
    boost::asio::awaitable<SentSome> send_from_disk(std::shared_ptr<const OpenFile> connection,
                                                    std::shared_ptr<const OpenFile> file, std::uint64_t at,
                                                    std::uint64_t count);
    boost::asio::awaitable<void> send_pieces(const FilePart& part);
    boost::asio::awaitable<void> read_more(std::chrono::milliseconds limit);
    std::chrono::milliseconds left_for_request() const;

    std::shared_ptr<Wire> wire_;
    std::shared_ptr<const ServerOptions> options_;
    const Router& router_;
    Workers& workers_;
    const std::atomic<bool>& stopping_;
    const Serves serves_;
    std::string received_;  // bytes that no request took yet
    std::chrono::steady_clock::time_point request_deadline_;
    bool is_idle_ = false;
    bool is_closed_ = false;
    bool is_client_done_ = false;         // it has said that it sends no more, and all it sent was read
    Later<Response>* awaited_ = nullptr;  // while a handler works
    std::shared_ptr<WebSocket> websocket_;
};

}  // namespace tapedeck::host::api
