// Records one stream, from the first key frame to the end, and what it comes back as.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "record/converter.hpp"
#include "record/error_budget.hpp"
#include "record/interleaver.hpp"
#include "record/media_pool.hpp"
#include "record/opening.hpp"
#include "record/policy.hpp"
#include "record/returned_stream.hpp"
#include "record/rotation.hpp"
#include "record/segment.hpp"
#include "store/disk.hpp"
#include "stream/by_track.hpp"
#include "stream/stream.hpp"

namespace tapedeck::host {

/// Runs on the media pool, woken by its feed in batches. `begin`, `restart`, `stop`, `resume` and `hurry` are for any
/// thread and return at once.
class Recorder : public MediaTask, public std::enable_shared_from_this<Recorder> {
public:
    struct Parts {
        const SettingsSource& settings;
        const Policy& policy;
        Delivery& delivery;
        Disk& disk;
        MediaPool& pool;
    };
    /// Null: the recording is closed and has its name. Else what went wrong.
    using Done = std::function<void(const Error*)>;

    /// Takes over a hold of the stream. `options` are the settings of this recording as REST or a rule gives them,
    /// already checked. `ended` comes once, when nothing more will be written, on a thread of the pool.
    Recorder(Parts parts, std::shared_ptr<Stream> stream, OptionTexts options, std::function<void(Recorder&)> ended);
    ~Recorder() override;

    /// What is known of a recording before it begins: without its settings.
    static Recording plan(const Policy& policy, const StreamInfo& info, const std::vector<const TrackSpec*>& tracks,
                          const td_options* options);

    /// Once, after construction.
    void begin();
    /// Goes on in a new file with new settings, numbered anew, at the next key frame (R72). False: it is ending
    /// already.
    bool restart(OptionTexts options);
    /// Ends the recording after what has arrived by now.
    void stop(Done done);
    /// The publisher has left and is back as `stream`, which goes on with the recording (record_reconnect_timeout).
    /// Takes over a hold of it. False: the recording does not wait, or has ended; the hold is the caller's.
    bool resume(const std::shared_ptr<Stream>& stream);
    /// The server stops: no publisher is waited for any more.
    void hurry();
    /// Whether a publisher is waited for. It must be woken now and then.
    bool awaits_return() const { return awaits_return_.load(); }
    void wake() { parts_.pool.wake(shared_from_this()); }

    /// The one recorded now.
    std::shared_ptr<Stream> stream() const;
    /// By which REST finds it: of the newest stream.
    std::string media_session() const;
    /// The file's name as far as it is known, with folders (R81).
    std::string file_name() const;
    /// Whether the first key frame is still awaited (R143).
    bool is_waiting() const { return state_.load() == State::Waiting; }

    void run() override;
    std::uint64_t device() const override { return device_.load(); }

private:
    enum class State { Waiting, Recording, Paused, Over };
    struct Source {
        std::shared_ptr<Stream> stream;
        std::shared_ptr<Feed> feed;
    };
    using Timed = Interleaver::Timed;

    void work();
    std::shared_ptr<Feed> subscribe(Stream& stream);
    bool await_return();
    void go_on_with(Source next);
    void place_returned();
    void give_back_next();
    bool has_space();
    void adopt_options();
    void handle(Timed timed);
    void await_start(Timed timed);
    Opening::Outlook outlook() const;
    void begin_file(const Opening::Beginning& beginning);
    void record_what_came();
    void convert(Timed timed);
    void pass_on(std::vector<Timed>& converted);
    void meet(const TrackSpec* spec);
    bool join(const TrackSpec* spec);
    bool is_refused(std::uint32_t track) const;
    void flush_converter();
    void end_conversion(std::int64_t at_us);
    bool write(const Timed& timed);
    bool is_whole(const Timed& timed);
    bool is_decodable(const Timed& timed);
    bool wants_cut(const Timed& timed);
    bool goes_on(const Timed& timed);
    void check_rotation();
    bool cut(const Timed& timed);
    bool take_next_options();
    Policy::Choice choose();
    Policy::Choice without_doubtful(Policy::Choice choice);
    void open_segment(const Policy::Choice& choice, std::int64_t origin_us);
    enum class Last { No, Yes };
    void close_segment(Last last = Last::No);
    void named(const Recording& recording);
    void settle();
    void check_disk();
    void count_error(const Error& error);
    void give_up(const std::string& reason);
    void pause_or_give_up(const std::string& reason);
    void finish();
    std::vector<const TrackSpec*> tracks();
    Recording facts();
    void report_drops(const Feed& feed);
    std::string label() const;

    const Parts parts_;
    const Scope settings_;
    const std::shared_ptr<Stream> first_;  // names the recording
    const std::function<void(Recorder&)> ended_;
    std::atomic<State> state_ = State::Waiting;
    std::atomic<std::uint64_t> device_ = 0;
    std::atomic<std::int64_t> return_us_ = 0;  // so long a publisher is waited for
    std::atomic<bool> awaits_return_ = false, hurried_ = false;

    mutable std::mutex mutex_;        // what other threads say and ask
    std::shared_ptr<Stream> stream_;  // changed by the pool's thread alone, as is feed_
    std::shared_ptr<Feed> feed_;
    std::optional<Source> next_;  // what the stream came back as
    bool leaving_ = false;        // it is too late to come back
    bool stopping_ = false;
    std::vector<Done> stop_done_;
    bool restarting_ = false;
    OptionTexts next_options_;
    std::string shown_name_;
    std::int64_t shown_row_ = 0;  // of the file that has it; 0: none yet
    int closing_ = 0;             // files handed over that have no name yet
    bool settled_ = false;
    std::shared_ptr<const td_recording> last_named_;

    // Of the pool's thread:
    OptionTexts options_;
    std::shared_ptr<const td_options> checked_;
    Rotation rotation_;
    std::int64_t limit_us_ = 0;                  // of the file in hand, where files of seconds are wanted
    bool overdue_told_ = false;                  // of it
    std::int64_t reached_us_ = 0;                // up to where everything has come
    Feed::TimePoint left_at_{}, heard_until_{};  // of a publisher that left
    bool returns_ = false;                       // the next packets are the first after a return
    ReturnedStream returned_;
    std::vector<Packet> batch_;
    std::vector<Timed> ready_;
    std::int64_t newest_us_ = 0;  // the stream's time of the last one
    Interleaver interleaver_;
    Opening opening_;
    bool told_waiting_ = false;
    Converter converter_;
    std::vector<Timed> converted_, carried_;  // carried: to be converted once more
    std::unique_ptr<Segment> segment_;
    ByTrack<const TrackSpec*> seen_;                 // of the newest packet up to the one in hand, or of the first
    std::vector<std::uint32_t> refused_tracks_;      // those that the container cannot take; told once
    std::vector<const TrackSpec*> doubtful_tracks_;  // those that a writer did not take into a running file
    std::uint32_t segments_ = 0;
    bool cut_wanted_ = false;
    bool restart_wanted_ = false;
    bool await_key_ = false;                             // after an error
    std::chrono::steady_clock::time_point resume_at_{};  // not before, while Paused
    std::vector<std::filesystem::path> folders_;         // that must have space before it goes on
    bool started_told_ = false;
    ErrorBudget errors_;
    std::uint64_t drops_told_ = 0;
};

}  // namespace tapedeck::host
