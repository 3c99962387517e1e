#include "store/recovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "plugin/blocking_call.hpp"
#include "store/keys.hpp"
#include "store/naming.hpp"
#include "store/pipeline.hpp"

namespace tapedeck::host {
namespace {

namespace fs = std::filesystem;

/// Who may have begun it: the row's writer, or all of the extension.
std::vector<const Extension*> writers_of(const fs::path& path, const Recording& known, const Extensions& extensions) {
    const std::string extension = path.extension().string().substr(path.has_extension() ? 1 : 0);
    std::vector<const Extension*> all = extensions("writer");
    std::erase_if(all, [&](const Extension* one) {
        return known.writer.empty() ? WriterFacts(*one).extension != extension : one->id != known.writer;
    });
    if (!all.empty()) return all;
    throw Error(fmt::format("recovery of {}: no writer {} is enabled", printable(path.string(), 512),
                            known.writer.empty() ? "of the extension '" + printable(extension) + "'"
                                                 : "'" + printable(known.writer) + "'"),
                TD_NOT_FOUND);
}

/// What a file that says nothing about itself can still be called.
Recording unknown_recording(const fs::path& path) {
    Recording facts;
    std::string stem = path.stem().string();
    if (stem.ends_with(".part")) stem.resize(stem.size() - 5);
    facts.stream = facts.media_session = stem;
    facts.protocol = "recovered";
    return facts;
}

}  // namespace

Torn recover(const fs::path& path, const Recording& known, const Extensions& extensions) {
    const auto writers = writers_of(path, known, extensions);
    Torn torn;
    torn.file = std::make_unique<File>(path, File::Mode::Open);
    if (torn.file->length() == 0) {  // locked by now, so that it is nobody's who is about to write
        torn.is_empty = true;
        return torn;
    }
    const Extension* extension = nullptr;
    std::optional<Writer::Recovered> recovered;
    for (const Extension* one : writers) {  // a writer finds packets in files of its own only
        auto writer = std::make_unique<Writer>(*one);
        auto found = writer->recover(*torn.file, known.abi());
        if (!found) continue;
        extension = one;
        recovered = std::move(found);
        torn.writer = std::move(writer);
        if (recovered->packets > 0) break;
    }
    if (!recovered) throw Error(writers.front()->name() + " cannot recover files", TD_UNSUPPORTED);
    torn.packets = recovered->packets;
    torn.facts = known;
    if (known.row == 0 && !recovered->memo.empty()) {
        try {
            torn.facts = Recording::from_json(recovered->memo);
            torn.has_memo = true;
        } catch (const Error& error) {
            log::warning("recovery of {}: {}", printable(path.string(), 512), error.what());
        }
    }
    if (known.row == 0 && !torn.has_memo) torn.facts = unknown_recording(path);
    torn.facts.path = path.string();
    torn.facts.writer = extension->id;
    torn.facts.extension = WriterFacts(*extension).extension;
    torn.facts.flags |= TD_RECORDING_RECOVERED | TD_RECORDING_FINAL;
    torn.facts.bytes = torn.file->length();
    if (recovered->duration_us != TD_NO_TIME) {
        Recording& facts = torn.facts;
        facts.duration_us = recovered->duration_us;
        if (facts.start_us != TD_NO_TIME) facts.end_us = facts.start_us + facts.duration_us;
        if (facts.media_start_us != TD_NO_TIME) facts.media_end_us = facts.media_start_us + facts.duration_us;
    }
    return torn;
}

RecoveredFile recover_one(const fs::path& path, const Extensions& extensions) {
    const BlockingCall call(std::chrono::hours(1));
    const fs::path absolute = fs::absolute(path);
    Torn torn = recover(absolute, {}, extensions);
    if (torn.packets == 0) {
        throw Error(fmt::format("{}: there is no whole packet in it", printable(path.string(), 512)), TD_MALFORMED);
    }
    torn.writer->finish();
    torn.file->commit();
    RecoveredFile result{.path = absolute, .packets = torn.packets, .duration_us = torn.facts.duration_us};
    std::string stem = absolute.stem().string();
    if (!stem.ends_with(".part")) return result;
    stem.resize(stem.size() - 5);
    for (unsigned copy = 1; copy == 1 || fs::exists(result.path); ++copy) {
        result.path = absolute.parent_path() /
                      (copy == 1 ? stem : fmt::format("{}-{}", stem, copy)).append(absolute.extension().string());
    }
    fs::rename(absolute, result.path);
    sync_folder(result.path.parent_path());
    return result;
}

void Pipeline::sweep() {
    {
        const std::lock_guard lock(mutex_);
        sweeping_ = true;
    }
    recovery_.post([self = shared_from_this()](const std::stop_token& stop) {
        for (Entry& entry : self->parts_.catalog.unfinished(stop)) self->resume(std::move(entry));
        if (!stop.stop_requested()) {
            for (const fs::path& path : self->staging_.strays(self->homes())) self->adopt(path);
        }
        const std::lock_guard lock(self->mutex_);
        self->sweeping_ = false;
        self->idle_.notify_all();
    });
}

/// A row that an earlier process did not bring to its end.
void Pipeline::resume(Entry entry) {
    auto job = std::make_shared<Job>();
    job->recovered = true;
    job->entry = std::move(entry);
    Recording& facts = job->entry.facts;
    if (!facts.options.empty()) {
        facts.checked = std::make_shared<td_options>(restore_options(*parts_.settings.current(), facts.options));
    }
    job->shown = facts;
    for (Debt& debt : job->entry.debts) debt.next_try_us = 0;  // whoever restarts the server has put something right
    if (job->entry.state != State::Stored) {
        staging_.know(fs::path(facts.path).filename().string());
        // The home storage may be another one now. Nobody else knows the job yet.
        if (job->entry.state != State::Recording) home_debt(job).target = home().name;
    }
    {
        const std::lock_guard lock(mutex_);
        if (!jobs_.emplace(facts.row, job).second) return;
    }
    line_up(job);
    log::info("recovery: {} of {} was {}", printable(facts.path, 512), printable(facts.stream),
              text_of(job->entry.state));
    if (job->entry.state == State::Stored) {
        post(job, &Pipeline::stored, clock_);
    } else {
        post(job, &Pipeline::revive, finishing_);
    }
}

/// A file without a row: the catalogue was lost, or the kill was faster than its first commit.
void Pipeline::adopt(const fs::path& path) {
    auto job = std::make_shared<Job>();
    job->recovered = true;
    try {
        Torn torn = recover(path, {}, parts_.extensions);
        if (torn.is_empty) {
            log::info("recovery: {} is empty and deleted", printable(path.string(), 512));
            fs::remove(path);
            return;
        }
        Recording& facts = job->entry.facts = std::move(torn.facts);
        bool is_new = facts.row != 0;
        if (is_new) {
            const std::lock_guard lock(mutex_);
            is_new = !jobs_.contains(facts.row);
        }
        // A row that is done is another file's: this one is told under a number of its own.
        if (!is_new || parts_.catalog.find(facts.row)) facts.row = parts_.catalog.next_row();
        if (!facts.options.empty()) {
            facts.checked = std::make_shared<td_options>(restore_options(*parts_.settings.current(), facts.options));
        }
        if (const fs::path folder = home_folder(&facts); !folder.empty()) torn.file->set_target(folder);
        job->shown = facts;
        if (torn.packets > 0) {
            job->file = std::move(torn.file);
            job->writer = std::move(torn.writer);
        }
    } catch (const std::exception& error) {
        log::error("recovery: {}; the file {} stays as it is", error.what(), printable(path.string(), 512));
        return;
    }
    staging_.know(path.filename().string());
    {
        const std::lock_guard lock(mutex_);
        jobs_.emplace(job->entry.facts.row, job);
    }
    line_up(job);
    log::info("recovery: {} has no row; it is of {}", printable(path.string(), 512),
              printable(job->entry.facts.stream));
    if (job->file == nullptr) return quarantine(job, "there is no whole packet in it");
    post(job, &Pipeline::name, finishing_);
}

void Pipeline::revive(const JobPtr& job, const std::stop_token& stop) {
    Recording& facts = job->entry.facts;
    std::error_code ignored;  // what cannot be seen is not there
    if (!fs::exists(facts.path, ignored)) {
        const auto twins = staging_.twins(facts.path, homes());
        if (!twins.empty()) facts.path = twins.front().string();
    }
    const bool is_there = fs::exists(facts.path, ignored);
    if (!is_there && job->entry.state == State::Recording) return lost(job, "the file is gone");
    // Finished, or moved by the storage before the kill: to put it again tells.
    if (!is_there || job->entry.state == State::Finished) return post(job, &Pipeline::put, home().workers);
    try {
        const BlockingCall call(settings_.duration(storage_timeout), stop);
        Torn torn = recover(facts.path, facts, parts_.extensions);
        if (torn.is_empty) return erase(job);
        if (torn.packets == 0) {
            torn.file.reset();
            return quarantine(job, "there is no whole packet in it");
        }
        if (const fs::path folder = home_folder(&facts); !folder.empty()) torn.file->set_target(folder);
        torn.facts.checked = facts.checked;
        if (job->entry.state == State::Named) torn.facts.name = facts.name;
        {
            const std::lock_guard lock(mutex_);
            facts = std::move(torn.facts);
            job->shown = facts;
        }
        job->file = std::move(torn.file);
        job->writer = std::move(torn.writer);
    } catch (const Error& error) {
        if (error.status() == TD_NOT_FOUND || error.status() == TD_UNSUPPORTED) {
            // Its writer is not enabled now: the row waits for a start where it is.
            log::error("recovery: {}; the file {} stays as it is", error.what(), printable(facts.path, 512));
            return drop(job);
        }
        if (!retry(job, error, &Pipeline::revive, finishing_)) quarantine(job, error.what());
        return;
    }
    post(job, job->entry.state == State::Named ? &Pipeline::seal : &Pipeline::name, finishing_);
}

}  // namespace tapedeck::host
