// One stream that is pulled from another server, from the request on until it is ended: connection after connection.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "client_session.hpp"
#include "pull_address.hpp"
#include "sources/back_off.hpp"

namespace tapedeck::rtmp {

struct PullRequest {
    std::string uri;     // as it is shown: without user and password
    std::string stream;  // the name under which it is published
    PullAddress address;
    bool record = false;
};

/// Lives on one io thread; functions marked [any] are for all. Names are resolved beside that thread (Asio's resolver),
/// and nothing here waits. Each connection publishes anew: whether its recording goes on is the host's matter, as for
/// every publisher that returns. Kept alive by whoever asked for it, its waits and its connection.
class Pull : public ClientOwner, public std::enable_shared_from_this<Pull> {
public:
    enum class State : std::uint8_t { connecting, playing, waiting, over };
    struct Status {
        State state = State::connecting;
        std::string reason;         // of waiting and over
        std::string media_session;  // of the stream, or the next one
        std::uint32_t kinds = 0;    // bits 1 << TD_VIDEO and so on
        std::chrono::steady_clock::time_point next_try{};
    };

    /// `tls` null: plain. It keeps `settings` until its end.
    Pull(Shared& shared, IoThread& thread, std::shared_ptr<const Settings> settings, std::shared_ptr<TlsContext> tls,
         PullRequest request);

    void start();                  // [any]
    void end(std::string reason);  // [any] Soon; the last of it is `over`
    Status status() const;         // [any]
    const PullRequest& request() const { return request_; }

private:
    using Tcp = boost::asio::ip::tcp;
    using Clock = std::chrono::steady_clock;

    void describe(td_stream_info& info) override;
    void playing(std::uint32_t kinds) override;
    void left(const std::string& why, bool is_final) override;
    void sent_on(const Onward& where) override;

    void attempt();
    void connect(const Tcp::resolver::results_type& addresses);
    void talk();
    void retry(const std::string& why);
    void give_up(const std::string& why);
    void set(State state, const std::string& reason = {}, Clock::time_point next_try = {});
    bool is_over() const { return status().state == State::over; }

    Shared& shared_;
    IoThread& thread_;
    const std::shared_ptr<const Settings> settings_;
    std::shared_ptr<TlsContext> tls_;  // null: not needed until now
    const PullRequest request_;
    PullAddress address_;   // where the next connection goes: the request's, until a server sends on
    std::string login_;     // what a server asked for; empty: nothing
    unsigned sent_on_ = 0;  // times since the request's own address

    Tcp::resolver resolver_;
    Tcp::socket socket_;               // until its session has it
    boost::asio::steady_timer timer_;  // the deadline of an attempt, or the pause before it
    std::uint64_t turn_ = 0;           // which attempt: what an earlier one brings counts no more
    std::shared_ptr<ClientSession> session_;
    sources::BackOff back_off_;
    Clock::time_point away_since_;
    std::string told_;  // the reason last logged

    mutable std::mutex mutex_;
    Status status_;  // of mutex_
};

}  // namespace tapedeck::rtmp
