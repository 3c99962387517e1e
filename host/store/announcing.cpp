// The second half of the pipeline: further storages, hooks, and the ends of a job.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/text.hpp"
#include "event/dispatcher.hpp"
#include "plugin/blocking_call.hpp"
#include "store/keys.hpp"
#include "store/pipeline.hpp"

namespace tapedeck::host {
namespace {

namespace fs = std::filesystem;

const char* event_name(std::int32_t kind) {
    switch (kind) {
        case TD_RECORD_STARTED:
            return "started";
        case TD_RECORD_STORED:
            return "stored";
        default:
            return "failed";
    }
}

Event event_of(std::int32_t kind, const Recording& facts, const std::string& detail) {
    return {.kind = kind,
            .id = fmt::format("{}-{}", facts.row, event_name(kind)),
            .recording = share(facts),
            .detail = detail};
}

std::int64_t microseconds(std::chrono::system_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

}  // namespace

void Pipeline::event_started(const Recording& recording) {
    const JobPtr job = find(recording.row);
    for (const std::string& hook : parts_.dispatcher.targets()) {
        parts_.dispatcher.send(hook, event_of(TD_RECORD_STARTED, recording, {}), 0, {},
                               [self = shared_from_this(), job, hook](const Dispatcher::Progress& progress) {
                                   if (job) self->rest(job, hook, progress.outcome == Dispatcher::Progress::Retrying);
                               });
    }
}

/// Whether a hook waits for its next attempt for this job.
void Pipeline::rest(const JobPtr& job, const std::string& hook, bool rests) {
    const std::lock_guard lock(mutex_);
    if (rests) {
        job->resting.insert(hook);
        idle_.notify_all();
    } else {
        job->resting.erase(hook);
    }
}

void Pipeline::event_failed(const Recording& recording, const std::string& reason) {
    JobPtr job = find(recording.row);
    const bool is_known = job != nullptr;
    if (!is_known) {
        job = std::make_shared<Job>();
        job->entry.facts = recording;
    }
    for (const std::string& hook : parts_.dispatcher.targets()) {
        const Debt debt{.target = hook, .event = TD_RECORD_FAILED, .attempts = 0, .next_try_us = 0, .detail = reason};
        if (is_known) {
            {
                const std::lock_guard lock(mutex_);
                job->entry.debts.push_back(debt);
            }
            parts_.catalog.update(recording.row, debt);
        }
        send(job, debt);
    }
}

/// Gives one debt to its hook and follows it.
void Pipeline::send(const JobPtr& job, const Debt& debt) {
    Event event;
    std::int64_t row = 0;
    {
        const std::lock_guard lock(mutex_);
        if (!job->sent.emplace(debt.target, debt.event).second) return;
        event = event_of(debt.event, job->entry.facts, debt.detail);
        row = job->entry.facts.row;
    }
    const auto not_before = std::chrono::system_clock::time_point(std::chrono::microseconds(debt.next_try_us));
    parts_.dispatcher.send(debt.target, std::move(event), debt.attempts, not_before,
                           [self = shared_from_this(), job, row, debt](const Dispatcher::Progress& progress) {
                               if (progress.outcome == Dispatcher::Progress::Begun) {
                                   self->rest(job, debt.target, false);
                               } else if (progress.outcome == Dispatcher::Progress::Retrying) {
                                   Debt later = debt;
                                   later.attempts = progress.attempts;
                                   later.next_try_us = microseconds(progress.next_try);
                                   self->parts_.catalog.update(row, later);
                                   self->rest(job, debt.target, true);
                               } else if (self->reached("told", job)) {
                                   self->paid(job, debt);
                               }
                           });
}

void Pipeline::settle(const JobPtr& job) {
    std::vector<Target*> owed;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& target : targets_) {
            for (const Debt& debt : job->entry.debts) {
                if (debt.event == 0 && debt.target == target->name) owed.push_back(target.get());
            }
        }
        // A storage that is no longer in the list is not waited for.
        std::erase_if(job->entry.debts, [&](const Debt& debt) {
            return debt.event == 0 &&
                   std::ranges::none_of(owed, [&](const Target* target) { return target->name == debt.target; });
        });
        job->is_stored = owed.empty();
    }
    for (Target* target : owed) {
        target->workers.post([self = shared_from_this(), job, target](const std::stop_token& stop) {
            self->put_more(job, *target, stop);
        });
    }
    if (owed.empty()) announce(job->entry.facts.media_session);
}

void Pipeline::put_more(const JobPtr& job, Target& target, const std::stop_token& stop) {
    Debt debt;
    {
        const std::lock_guard lock(mutex_);
        const auto found = std::ranges::find_if(
            job->entry.debts, [&](const Debt& one) { return one.event == 0 && one.target == target.name; });
        if (found == job->entry.debts.end()) return;
        debt = *found;
    }
    try {
        const BlockingCall call(settings_.duration(storage_timeout), stop);
        target.storage.put(job->entry.facts.abi(), job->entry.facts.name, true);
    } catch (const Error& error) {
        const auto delay = delay_after(++debt.attempts);
        debt.next_try_us = microseconds(std::chrono::system_clock::now() + delay);
        log::warning("{}; attempt {}, again in {} ms", error.what(), debt.attempts,
                     std::chrono::duration_cast<std::chrono::milliseconds>(delay).count());
        parts_.catalog.update(job->entry.facts.row, debt);
        {
            const std::lock_guard lock(mutex_);
            for (Debt& one : job->entry.debts) {
                if (one.event == 0 && one.target == target.name) one = debt;
            }
        }
        target.workers.post([self = shared_from_this(), job,
                             &target](const std::stop_token& again) { self->put_more(job, target, again); },
                            Workers::Clock::now() + delay);
        return;
    }
    parts_.catalog.settle(job->entry.facts.row, debt);
    bool all = false;
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(job->entry.debts, [&](const Debt& one) { return one.event == 0 && one.target == target.name; });
        all = std::ranges::none_of(job->entry.debts, [](const Debt& one) { return one.event == 0; });
        if (all) job->is_stored = true;
    }
    if (all) announce(job->entry.facts.media_session);
}

/// Tells hooks of all files of the session whose turn it is. One thread, so that the order holds.
void Pipeline::announce(const std::string& session) {
    clock_.post([self = shared_from_this(), session](const std::stop_token&) {
        for (;;) {
            JobPtr job;
            {
                const std::lock_guard lock(self->mutex_);
                const auto lane = self->lanes_.find(session);
                if (lane == self->lanes_.end()) return;
                if (!lane->second.front()->is_stored) return;
                job = lane->second.front();
                lane->second.pop_front();
                if (lane->second.empty()) self->lanes_.erase(lane);
            }
            self->tell_hooks(job);
        }
    });
}

void Pipeline::tell_hooks(const JobPtr& job) {
    std::vector<Debt> debts;
    {
        const std::lock_guard lock(mutex_);
        debts = job->entry.debts;
    }
    if (debts.empty()) return done(job);
    // What failed is told before what was stored.
    std::ranges::stable_sort(debts, std::ranges::greater(), &Debt::event);
    for (const Debt& debt : debts) send(job, debt);
}

void Pipeline::paid(const JobPtr& job, const Debt& debt) {
    bool last = false;
    std::int64_t row = 0;  // the recording may still run, and `facts` change with its end
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(job->entry.debts,
                      [&](const Debt& one) { return one.target == debt.target && one.event == debt.event; });
        job->resting.erase(debt.target);
        row = job->entry.facts.row;
        last = job->entry.debts.empty() && job->entry.state == State::Stored && job->is_stored && jobs_.contains(row);
    }
    parts_.catalog.settle(row, debt);
    if (last) done(job);
}

void Pipeline::done(const JobPtr& job) {
    const Recording& facts = job->entry.facts;
    std::error_code ignored;  // leftovers are only in the way
    if (home_folder(&facts).empty() && !facts.uri.starts_with("file://")) fs::remove(facts.path, ignored);
    {
        const std::lock_guard lock(mutex_);
        job->entry.state = State::Done;
        job->entry.debts.clear();
    }
    parts_.catalog.save(job->entry);
    drop(job);
}

void Pipeline::drop(const JobPtr& job) {
    const std::string& session = job->entry.facts.media_session;
    {
        const std::lock_guard lock(mutex_);
        if (jobs_.erase(job->entry.facts.row) > 0 && job->is_closed) --closed_;
        if (const auto lane = lanes_.find(session); lane != lanes_.end()) {
            std::erase(lane->second, job);
            if (lane->second.empty()) lanes_.erase(lane);
        }
        idle_.notify_all();
    }
    announce(session);
}

void Pipeline::quarantine(const JobPtr& job, const std::string& why) {
    Recording& facts = job->entry.facts;
    job->writer.reset();
    job->file.reset();
    const std::string aside = facts.path + ".quarantined";
    std::error_code failed;
    fs::rename(facts.path, aside, failed);
    log::error("{} of {}: {}; {}", printable(facts.path, 512), printable(facts.stream), why,
               failed ? "it stays where it is" : "it is kept as " + printable(aside, 512));
    staging_.forget(fs::path(facts.path).filename().string());
    if (!failed) facts.path = aside;
    lost(job, why);
}

/// Killed between making the file and its first byte: nobody can want it.
void Pipeline::erase(const JobPtr& job) {
    const Recording& facts = job->entry.facts;
    log::info("{} of {} is empty and deleted", printable(facts.path, 512), printable(facts.stream));
    std::error_code ignored;  // an empty file is only in the way
    fs::remove(facts.path, ignored);
    staging_.forget(fs::path(facts.path).filename().string());
    parts_.catalog.forget(facts.row);
    drop(job);
}

void Pipeline::lost(const JobPtr& job, const std::string& why) {
    static auto& counter = metrics::counter("tapedeck_recordings_lost_total", "", "Files that could not be finished");
    counter.fetch_add(1, std::memory_order_relaxed);
    const bool is_aside = job->entry.facts.path.ends_with(".quarantined");
    if (!is_aside) log::error("{}: {}", printable(job->entry.facts.path, 512), why);
    {
        const std::lock_guard lock(mutex_);
        job->entry.state = is_aside ? State::Quarantined : State::Failed;
        job->entry.debts.clear();
        job->shown.name.clear();
    }
    parts_.catalog.save(job->entry);
    tell(job);
    drop(job);
}

}  // namespace tapedeck::host
