// One thread for what must come later or from elsewhere: callbacks to plugins, ticks, time limits.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace tapedeck::host {

/// Runs short jobs one after another. A job that throws is logged and forgotten. `post`, `after` and `every` from any
/// thread. The destructor drops what has not begun and joins.
class Loop {
public:
    using Job = std::function<void()>;

    explicit Loop(std::string name);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void post(Job job);
    void after(std::chrono::milliseconds delay, Job job);
    /// For as long as the loop lives.
    void every(std::chrono::milliseconds period, Job job);
    /// Ends the thread after the running job; nothing runs afterwards. Idempotent; not from a job.
    void stop();

private:
    class Body;
    std::unique_ptr<Body> body_;
};

}  // namespace tapedeck::host
