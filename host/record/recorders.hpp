// All recordings that are running; what REST can do with them.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/controls.hpp"
#include "record/recorder.hpp"
#include "stream/hub.hpp"

namespace tapedeck::host {

class Catalog;

/// Starts a recorder for each stream that the rules say so of and for each that REST asks for; at most one at a time
/// for a stream. Thread-safe.
class Recorders : public StreamListener,
                  public api::RecorderControl,
                  public api::StreamDirectory,
                  public api::RecordFiles {
public:
    struct Parts {
        Recorder::Parts recorder;
        Hub& hub;
        const Catalog& catalog;
    };
    explicit Recorders(Parts parts);

    void opened(const std::shared_ptr<Stream>& stream) override;
    void tick() override;
    /// The server stops: what waits for a publisher ends, and nothing waits from now on.
    void hurry();

    void start(const std::string& media_session, const Settings& settings, api::Done done) override;
    void stop(const std::string& media_session, api::Done done) override;
    std::vector<Running> running() override;

    std::vector<api::StreamObject> streams() override;
    bool terminate(const std::string& media_session, std::string_view reason) override;

    Located locate(const std::string& name) override;
    std::filesystem::path place_of(const std::string& name) const override;

    /// Waits until no recorder is left, or the time is over: then false.
    bool wait(std::chrono::milliseconds limit);

private:
    /// Starts a recorder, or lets the running one go on with new settings. False: the stream has ended.
    bool record(const std::shared_ptr<Stream>& stream, OptionTexts options);
    /// Whether a recording of this name was waiting for it and goes on.
    bool resume(const std::shared_ptr<Stream>& stream);
    std::vector<std::shared_ptr<Recorder>> all() const;
    void forget(Recorder& ended);
    std::shared_ptr<Recorder> find(const std::string& media_session) const;

    const Parts parts_;
    const Scope settings_;
    mutable std::mutex mutex_;
    std::condition_variable gone_;
    std::map<std::string, std::shared_ptr<Recorder>> recorders_;  // by media session
    std::vector<std::string> order_;                              // media sessions in order of start
    bool hurried_ = false;
};

}  // namespace tapedeck::host
