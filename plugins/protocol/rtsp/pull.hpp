// One camera: connected to, played, tried again.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "dialogue.hpp"
#include "loop.hpp"
#include "reception.hpp"
#include "settings.hpp"
#include "sources/back_off.hpp"
#include "udp_tracks.hpp"
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

/// What REST shows of it.
struct PullStatus {
    std::string status = "NEW";  // PENDING, PLAYING, PLAYBACK_PROBLEM, FAILED, STOPPED
    std::string info;            // why it is not PLAYING, in words
    std::string media_session;   // of the present stream, or empty
    bool is_udp = false;
    std::string video_codec, audio_codec;  // empty: none
    std::uint64_t attempts = 0, jumps = 0;
};

/// Lives on a loop, but for the functions marked [any]. It is tried again until it is stopped: its stream goes on
/// meanwhile for the time of the setting `away`.
class Pull : public Member, public StreamOwner, public std::enable_shared_from_this<Pull>, private Incoming {
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
    PullStatus status() const;                               // [any]
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
    enum class State : std::uint8_t { waiting, searching, connecting, talking, playing };

    bool message(const Message& message) override;
    void packet(std::uint8_t channel, ByteSpan packet, const Buffer& buffer) override;

    void attempt();
    void connect(const Url& url);
    void found(const Address& address);
    template <class Question, class Answer>
    void search(Question question, Answer answer);
    void talk();
    void heard(Dialogue::Event event);
    void described();
    void set_up_next();
    void is_set_up();
    void playing();
    void moved();
    void receive(std::vector<Medium> media);
    void ask_to_publish();
    void read(std::int64_t now_us);
    void send();
    void give(std::int64_t now_us);
    void report(std::int64_t now_us);
    void look_after(std::int64_t now_us);
    void choose_reading(std::int64_t now_us);
    void watch();
    void fail(std::string why, bool is_password = false);
    std::int64_t pause_us(bool is_password);
    void leave();
    void hang_up();
    void close_stream(const std::string& why);
    void show(const std::string& status, const std::string& info);
    template <class Work>
    void guarded(Work work);
    std::string name() const;

    Context context_;
    std::shared_ptr<Loop> loop_;
    Workers& workers_;
    TlsClient tls_;
    Settings settings_;
    PullRequest request_;
    Over over_;

    State state_ = State::waiting;
    bool is_over_ = false;
    std::int64_t retry_us_ = 0, deadline_us_ = 0;
    sources::BackOff back_off_;
    std::uint64_t attempt_ = 0;
    std::atomic<std::uint64_t> search_ = 0;  // of the last question to workers; what they do for others is passed over
    int refusals_ = 1;                       // of the password, and one until it was once accepted
    int redirects_ = 0;
    std::string told_;  // the last failure in the log

    Url origin_;  // whoever the login is for

    // Of one connection.
    Url url_;
    std::optional<Connection> connection_;
    std::optional<Dialogue> dialogue_;
    std::unique_ptr<UdpTracks> udp_;
    std::optional<Reception> reception_;
    std::vector<std::pair<std::uint8_t, std::uint8_t>> channels_;  // of each track, RTP and RTCP
    std::size_t next_track_ = 0;
    bool is_udp_ = false, waits_for_stream_ = false, is_by_clock_ = false;
    std::optional<std::string> fault_;  // found while the connection is read
    bool is_password_wrong_ = false;
    std::int64_t playing_us_ = 0, keep_alive_us_ = 0, next_read_us_ = 0, looked_us_ = 0, last_media_us_ = 0;
    std::uint64_t jumps_told_ = 0;
    std::int64_t jump_told_us_ = 0;

    // Of the stream, which may outlive connections.
    std::shared_ptr<Voice> voice_;
    Sink sink_;
    bool had_media_ = false, is_cancelled_ = false;
    std::int64_t demand_us_ = TD_RECORD_DELAY_US;

    mutable std::mutex mutex_;  // of status_
    PullStatus status_;
};

}  // namespace tapedeck::rtsp
