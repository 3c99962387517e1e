#include "event/dispatcher.hpp"

#include <algorithm>
#include <deque>
#include <exception>
#include <map>
#include <mutex>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/text.hpp"
#include "event/keys.hpp"
#include "event/workers.hpp"
#include "plugin/blocking_call.hpp"
#include "plugin/context.hpp"

namespace tapedeck::host {
namespace {

struct Item {
    Event event;
    std::uint32_t attempts;
    std::chrono::system_clock::time_point not_before;
    Dispatcher::Report report;
};

const char* name_of(std::int32_t kind) {
    switch (kind) {
        case TD_RECORD_STARTED:
            return "started";
        case TD_RECORD_STORED:
            return "stored";
        case TD_RECORD_FAILED:
            return "failed";
        default:
            return "event";
    }
}

std::size_t workers_of(const Scope& settings, const Hook& hook) {
    if (const auto own = hook.extension().context->settings.find("workers"); own && own->type == TD_INTEGER) {
        return static_cast<std::size_t>(std::max<std::int64_t>(1, own->number));
    }
    return static_cast<std::size_t>(settings.integer(hook_workers));
}

}  // namespace

/// What waits for one hook, a queue per media session; the first of each queue is with the workers.
struct Dispatcher::Line {
    Line(std::shared_ptr<const Hook> one, std::size_t threads)
        : hook(std::move(one)), target(hook->extension().name()), workers(target, threads) {}

    const std::shared_ptr<const Hook> hook;
    const std::string target;
    std::map<std::string, std::deque<Item>> sessions;
    Workers workers;
};

struct Dispatcher::Shared {
    explicit Shared(Scope scope) : settings(std::move(scope)) {}

    Scope settings;
    std::mutex mutex;
    std::map<std::string, std::unique_ptr<Line>, std::less<>> lines;  // by target; never erased
};

Dispatcher::Dispatcher(const SettingsSource& settings, const Hooks& hooks)
    : shared_(std::make_shared<Shared>(Scope(settings, ""))) {
    add(hooks);
}

Dispatcher::~Dispatcher() {
    stop(std::chrono::seconds(10));
}

void Dispatcher::add(const Hooks& hooks) {
    const std::lock_guard lock(shared_->mutex);
    for (const auto& hook : hooks) {
        if (!hook->listens()) continue;
        shared_->lines.try_emplace(hook->extension().name(),
                                   std::make_unique<Line>(hook, workers_of(shared_->settings, *hook)));
    }
}

std::vector<std::string> Dispatcher::targets() const {
    const std::lock_guard lock(shared_->mutex);
    std::vector<std::string> names;
    for (const auto& [name, line] : shared_->lines) names.push_back(name);
    return names;
}

void Dispatcher::send(const std::string& target, Event event, std::uint32_t attempts,
                      std::chrono::system_clock::time_point not_before, Report report) {
    std::unique_lock lock(shared_->mutex);
    const auto found = shared_->lines.find(target);
    if (found == shared_->lines.end()) {
        lock.unlock();
        report({.outcome = Progress::GaveUp, .attempts = attempts, .next_try = {}, .error = "no such hook is enabled"});
        return;
    }
    Line& line = *found->second;
    std::string session(view(event.recording->media_session));
    auto& queue = line.sessions[session];
    queue.push_back({std::move(event), attempts, not_before, std::move(report)});
    if (queue.size() == 1) next(shared_, line, session);
}

/// Hands the first event of a session to the workers. Called with the lock.
void Dispatcher::next(const std::shared_ptr<Shared>& shared, Line& line, const std::string& session) {
    const auto wait = line.sessions.at(session).front().not_before - std::chrono::system_clock::now();
    const auto due = Workers::Clock::now() + std::chrono::duration_cast<Workers::Clock::duration>(
                                                 std::max(wait, std::chrono::system_clock::duration::zero()));
    line.workers.post([shared, &line, session](const std::stop_token& stop) { attempt(shared, line, session, stop); },
                      due);
}

void Dispatcher::attempt(const std::shared_ptr<Shared>& shared, Line& line, const std::string& session,
                         const std::stop_token& stop) {
    Item* item = nullptr;
    {
        const std::lock_guard lock(shared->mutex);
        item = &line.sessions.at(session).front();  // only this attempt touches it; a deque does not move it
    }
    if (item->attempts > 0) {
        item->report({.outcome = Progress::Begun, .attempts = item->attempts, .next_try = {}, .error = {}});
    }
    Progress progress{.outcome = Progress::Delivered, .attempts = ++item->attempts, .next_try = {}, .error = {}};
    const std::string what = fmt::format("{}: {} {} of {}", line.target, name_of(item->event.kind), item->event.id,
                                         printable(view(item->event.recording->stream)));
    bool retryable = true;
    try {
        const BlockingCall call(shared->settings.duration(hook_timeout), stop);
        const td_event event{.size = sizeof(td_event),
                             .kind = item->event.kind,
                             .attempt = item->attempts,
                             .reserved = 0,
                             .id = text_of(item->event.id),
                             .recording = item->event.recording.get(),
                             .detail = text_of(item->event.detail)};
        line.hook->event(event);
    } catch (const Error& error) {
        progress.outcome = Progress::Retrying;
        progress.error = error.what();
        retryable = error.retryable() || error.status() == TD_CANCELLED || error.status() == TD_TIMEOUT;
    } catch (const std::exception& error) {  // short of memory, say: the session's other events must not wait for ever
        progress.outcome = Progress::Retrying;
        progress.error = error.what();
    }
    if (progress.outcome != Progress::Delivered) {
        metrics::counter("tapedeck_hook_failures_total", fmt::format("hook=\"{}\"", line.target),
                         "Calls of hooks that failed")
            .fetch_add(1, std::memory_order_relaxed);
        const bool stopped = stop.stop_requested();  // ended by us: that attempt does not count against the hook
        if (!stopped && (!retryable || item->attempts >= shared->settings.integer(hook_max_attempts))) {
            progress.outcome = Progress::GaveUp;
            log::error("{}: {}; given up after attempt {}", what, progress.error, item->attempts);
        } else {
            auto delay = shared->settings.duration(hook_retry_delay);
            for (std::uint32_t n = 1; n < item->attempts && delay < std::chrono::minutes(10); ++n) delay *= 2;
            delay = std::min<std::chrono::microseconds>(delay, std::chrono::minutes(10));
            progress.next_try = std::chrono::system_clock::now() + (stopped ? std::chrono::microseconds(0) : delay);
            item->not_before = progress.next_try;
            log::warning("{}: {}; attempt {}, again in {} ms", what, progress.error, item->attempts,
                         std::chrono::duration_cast<std::chrono::milliseconds>(delay).count());
        }
    }
    item->report(progress);
    std::deque<Item> finished;  // its last event may own much; it goes without the lock
    const std::lock_guard lock(shared->mutex);
    auto& queue = line.sessions.at(session);
    if (progress.outcome != Progress::Retrying) {
        finished.push_back(std::move(queue.front()));
        queue.pop_front();
    }
    if (queue.empty()) {
        line.sessions.erase(session);
    } else {
        next(shared, line, session);
    }
}

void Dispatcher::stop(std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    std::vector<Line*> lines;
    {
        const std::lock_guard lock(shared_->mutex);
        for (const auto& [name, line] : shared_->lines) lines.push_back(line.get());
    }
    for (Line* line : lines) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        line->workers.stop(std::max(left, std::chrono::milliseconds(0)));
    }
}

}  // namespace tapedeck::host
