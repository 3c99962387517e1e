// One stream that is received and published.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "mpegts/demuxer.hpp"
#include "mpegts/input.hpp"
#include "mpegts/request.hpp"
#include "mpegts/timeline.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::mpegts {

/// Work for the thread of the sources; anybody may give some. False once that thread has ended.
using Post = std::function<bool(std::function<void()>)>;

/// Lives on the thread of the sources, which all members but those marked [any] are called on.
class Source : public std::enable_shared_from_this<Source>, InputOut, MediaOut {
public:
    /// Null: the stream is open. Else why not.
    using Opened = std::function<void(const Error*)>;

    Source(Context context, Request request, std::unique_ptr<Input> input, std::string uri);

    /// Publishes; `opened` is called once, on the thread.
    void open(const Post& post, Opened opened);
    /// Reads what has come. `now` as of all its calls.
    void turn(Time now);
    /// The stream's end, for good. `is_failure`: it stays to be found for a while, with its reason.
    void end(const std::string& reason, bool is_failure);
    bool is_ended() const { return is_ended_; }
    /// Nothing is left to be shown.
    bool is_gone(Time now) const { return is_ended_ && now >= forget_at_; }

    const Request& request() const { return request_; }                  ///< [any]
    const std::string& uri() const { return uri_; }                      ///< [any]
    const std::string& media_session() const { return media_session_; }  ///< [any]
    Shown shown() const;                                                 ///< [any]

private:
    class Voice;
    struct Held {
        td_packet packet;
        Buffer buffer;
    };

    void opened(Sink sink);
    void refused(const Error& reason);
    void bytes(ByteSpan bytes) override;
    void lost() override { demuxer_.lose(); }
    void track(const Track& track) override;
    std::uint8_t* room(std::size_t size) override;
    void unit(const Unit& unit, ByteSpan payload) override;
    void release_sound();
    bool is_picture_awaited() const;
    bool has_begun() const { return begun_ != Time{}; }
    void give();
    void look_after();
    std::string label() const;

    const Context context_;
    const Request request_;
    const std::string uri_, media_session_;
    std::unique_ptr<Input> input_;
    std::optional<Sink> sink_;
    std::shared_ptr<Voice> voice_;
    Opened opened_;

    Demuxer demuxer_;
    Timeline timeline_;
    Buffer buffer_;  // payloads are put into it until it is full
    std::size_t used_ = 0;
    std::vector<Buffer> full_;  // until their packets are given
    std::vector<td_packet> packets_;
    std::vector<const td_packet*> pointers_;
    std::vector<Held> held_;  // sound from before the first picture
    bool has_picture_ = false;

    Time now_{};
    Time begun_{};  // when the first bytes came
    Time heard_{}, looked_{}, forget_at_{};
    bool is_ended_ = false;
    std::vector<std::string> warned_;
    std::string last_problem_, left_out_, refusal_;

    mutable std::mutex mutex_;
    Shown shown_;
};

}  // namespace tapedeck::mpegts
