// One camera: connected to, played, tried again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inquiry.hpp"
#include "loop.hpp"
#include "pauses.hpp"
#include "pull_session.hpp"
#include "pull_status.hpp"
#include "pulled_stream.hpp"
#include "settings.hpp"
#include "voice.hpp"
#include "workers.hpp"

namespace tapedeck::rtsp {

/// What is asked for, by REST or by conf/cameras.yaml. The first three never change while it is pulled.
struct PullRequest {
    std::string uri;     // as it is shown: without the password
    std::string stream;  // the stream's name
    std::uint32_t record = TD_RECORD_BY_RULES;
    std::optional<Transport> transport;  // else the setting
    std::optional<Url> url;              // where it is pulled from; else:
    /// Asks a camera known by ONVIF for it, before each attempt, which may take seconds. Throws Error, TD_DENIED where
    /// the login is refused. `is_wanted` is false once nobody waits for the answer any more; any thread.
    std::function<Url(const std::function<bool()>& is_wanted)> find;
    std::string listed;  // all that conf/cameras.yaml says of it, its password too; empty: it came by REST
};

/// Lives on a loop, but for the functions marked [any]. It is tried again until it is stopped: its stream goes on
/// meanwhile for the time of the setting `away`.
class Pull : public Member, public StreamOwner, public std::enable_shared_from_this<Pull>, private PullSession::Owner {
public:
    /// Its end, on the loop.
    using Over = std::function<void(const Pull&)>;

    Pull(Context context, std::shared_ptr<Loop> loop, Workers& workers, TlsClient tls, Settings settings,
         PullRequest request, Over over);

    void start();                          // [any] Once
    void stop(const std::string& reason);  // [any] Ends the stream with it
    /// [any] Reached by another url, login or transport from now on: it is connected anew at once, in the same stream.
    void change(const PullRequest& request);
    void hurry();                                            // [any] Where it waits to be tried again: now
    PullStatus status() const { return status_.get(); }      // [any]
    const PullRequest& request() const { return request_; }  // [any] What never changes of it

    void ready(int descriptor, std::uint32_t events, std::int64_t now_us) override;
    void tick(std::int64_t now_us) override;
    void end(const std::string& reason) override;

    void opened(const Voice& voice, Sink sink) override;
    void refused(const Voice& voice, const Error& why) override;
    void kicked(const Voice& voice, const std::string& why) override;
    void demanded(const Voice& voice, std::int64_t delay_us) override;
    void key_wanted(const Voice& voice) override;

private:
    void described(const std::vector<Medium>& media) override;
    void playing(bool is_udp) override;
    void media_came() override { pauses_.media_came(); }
    void jumped(std::uint64_t count) override { status_.jumped(count); }
    void problem(const std::string& problem) override;

    void attempt();
    void find(const Url& url);
    void connect(const Url& url, const Address& address);
    void follow();
    void fail(std::string why, bool is_password = false);
    void leave();
    void hang_up();
    void close_stream(const std::string& why);
    void show(const std::string& status, const std::string& info);
    template <class Question, class Answer>
    void search(Question question, Answer answer);
    template <class Work>
    void guarded(Work work);
    std::string name() const;

    Context context_;
    std::shared_ptr<Loop> loop_;
    TlsClient tls_;
    Settings settings_;
    PullRequest request_;
    Over over_;

    bool is_over_ = false;
    std::optional<std::int64_t> retry_us_;  // while it waits: until when
    Pauses pauses_;
    Inquiry inquiry_;
    PulledStream stream_;
    std::string told_;  // the last failure in the log

    // Of one attempt.
    std::uint64_t attempt_ = 0;
    Url origin_;  // whoever the login is for
    int redirects_ = 0;
    Transport transport_ = Transport::automatic;
    std::optional<PullSession> session_;

    ShownStatus status_;
};

}  // namespace tapedeck::rtsp
