#include "store/cutter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <ctime>
#include <exception>
#include <optional>
#include <utility>

#include "base/at_once.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "plugin/blocking_call.hpp"
#include "plugin/reader.hpp"
#include "store/collage.hpp"
#include "store/cutter_keys.hpp"
#include "store/file.hpp"
#include "store/naming.hpp"

namespace tapedeck::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_waiting = 256;
constexpr auto longest = std::chrono::minutes(10);  // of one part
constexpr auto idle = std::chrono::seconds(30);     // then a reader is closed

/// `11`, `11.5`
std::string seconds(std::int64_t us) {
    std::string text = fmt::format("{}.{:06}", us / 1'000'000, us % 1'000'000);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

/// `-s11-e60.5`
std::string tail_of(const api::RecordCuts::Times& times) {
    std::string tail;
    if (times.from_us) tail += "-s" + seconds(*times.from_us);
    if (times.to_us) tail += "-e" + seconds(*times.to_us);
    return tail;
}

/// What a part is known by: `cam1/stream.mp4?-s11-e60.5`.
std::string asked_of(const std::string& name, const api::RecordCuts::Times& times) {
    return name + '?' + tail_of(times);
}

metrics::Value& counter(std::string_view result) {
    return metrics::counter("tapedeck_cuts_total", fmt::format("result=\"{}\"", result),
                            "Parts of recordings asked for");
}

void count(std::string_view result) {
    counter(result) += 1;
}

void cut_by(Reader& reader, const api::RecordCuts::Times& times, td_file& target) {
    reader.cut(times.from_us.value_or(0), times.to_us.value_or(TD_NO_TIME), true, target);
}

std::string next_etag() {
    static std::atomic<std::uint64_t> number = 0;
    return fmt::format("\"{:x}-{:x}\"", std::time(nullptr), ++number);
}

}  // namespace

std::string Cutter::part_name(std::string_view name, const Times& times) {
    const auto slash = name.rfind('/') + 1;  // 0 without a folder
    const auto last_dot = name.rfind('.');
    const auto dot = last_dot == std::string_view::npos || last_dot < slash ? name.size() : last_dot;
    const std::string tail = tail_of(times) + std::string(name.substr(dot));
    constexpr std::size_t suffix = 3;  // room for `-99`
    const auto stem =
        cut_utf8(name.substr(slash, dot - slash), most_name_bytes - std::min(most_name_bytes, tail.size() + suffix));
    return std::string(name.substr(0, slash)) + std::string(stem) + tail;
}

Cutter::Cutter(Parts parts)
    : parts_(std::move(parts)),
      kept_(parts_.settings, parts_.disk),
      queue_("cutter", static_cast<std::size_t>(parts_.settings.integer(cutter_threads)), most_waiting) {
    tidy();
}

bool Cutter::stop(std::chrono::milliseconds limit) {
    std::vector<std::vector<Told>> given_up;
    {
        const std::lock_guard lock(mutex_);
        for (auto at = waiting_.begin(); at != waiting_.end();) {
            const bool runs = running_.contains(at->first);
            if (!runs) given_up.push_back(std::move(at->second));
            at = runs ? std::next(at) : waiting_.erase(at);
        }
    }
    const Error stopping("the server is stopping", TD_CANCELLED);
    for (const auto& all : given_up)
        for (const Told& told : all) told(nullptr, &stopping);
    const bool ended = queue_.stop(limit);
    try {
        kept_.save();
    } catch (const std::exception& failure) {
        log::warning("{}; the next start knows of parts what it knew before", failure.what());
    }
    return ended;
}

const Extension* Cutter::reader_of(std::string_view name) const {
    const auto dot = name.rfind('.');
    if (dot == std::string_view::npos) return nullptr;
    const std::string_view ending = name.substr(dot + 1);
    const auto letter = [](unsigned char c) { return std::tolower(c); };
    for (const Extension* extension : parts_.extensions("reader")) {
        const std::string known = Reader::file_extension(*extension);
        if (Reader::cuts(*extension) && std::ranges::equal(known, ending, {}, letter, letter)) return extension;
    }
    return nullptr;
}

bool Cutter::can_cut(std::string_view name) const {
    const Extension* reader = reader_of(name);
    if (reader == nullptr) return false;
    return Reader::file_extension(*reader) == "mp4" || parts_.settings.boolean(cutter_other_formats);
}

std::string Cutter::setting_for(std::string_view name) const {
    return reader_of(name) != nullptr && !can_cut(name) ? cutter_other_formats.name : "";
}

void Cutter::cut(const fs::path& source, const std::string& name, const Times& times, Done done) {
    const auto fail = [&](const char* text, td_status status) {
        const Error error(text, status);
        done(nullptr, &error);
    };
    const auto version = version_of(source);
    const Extension* extension = reader_of(name);
    if (!version || extension == nullptr) return fail("no such recording", TD_NOT_FOUND);
    is_local(source);  // for `kept`
    const KeptCuts::Order wanted{asked_of(name, times), part_name(name, times), version->size};
    if (const auto part = kept_.find(wanted.asked, *version)) {
        count("kept");
        return done(&*part, nullptr);
    }
    if (kept_.has(source)) return fail("it is a part itself; take one of its recording", TD_MALFORMED);
    const auto told = [done = std::move(done)](const Made* made, const Error* failure) {
        done(made == nullptr ? nullptr : &made->part, failure);
    };
    const auto make = [this, source, times, extension, wanted, version = *version](const std::stop_token& stop) {
        if (auto part = kept_.find(wanted.asked, version)) {  // made while this one waited
            count("kept");
            return Made{std::move(*part), {}};
        }
        Made made;
        made.part = kept_.make(wanted, [&](File& part) {
            const BlockingCall call(longest, stop);
            FileVersion cut_from;
            read(source, *extension, [&](Reader& reader, const File&, const FileVersion& now) {
                cut_from = now;
                cut_by(reader, times, part);
            });
            return cut_from;
        });
        count("made");
        return made;
    };
    order(fmt::format("{}\t{}\t{}", wanted.asked, version->size, version->modified_ns), source, told, make);
}

std::optional<Cutter::Kept> Cutter::kept(const fs::path& source, const std::string& name, const Times& times) {
    const auto facts = stat_at_once(source);
    const auto version = facts ? version_of(*facts) : std::nullopt;
    if (!version) return {};
    static auto& found = counter("kept");
    auto part = kept_.find_at_once(asked_of(name, times), *version);
    if (part) found += 1;
    return part;
}

void Cutter::snapshot(const api::RecordFiles::Located& source, const std::string& name, const Times& times,
                      const Viewer& viewer, SnapshotDone done) {
    const Extension* extension = reader_of(name);
    if (extension == nullptr) {
        const Error error("no such recording", TD_NOT_FOUND);
        return done(nullptr, &error);
    }
    const std::string what = fmt::format("{}\t{}\t{}", source.path.string(), source.version, tail_of(times));
    if (const auto known = snapshots_.find(what, viewer)) return done(known.get(), nullptr);
    const auto told = [this, what, viewer, done = std::move(done)](const Made* made, const Error* failure) {
        if (made == nullptr) return done(nullptr, failure);
        snapshots_.find(what, {viewer.client, false});  // it is this viewer's from now on
        done(made->snapshot.get(), nullptr);
    };
    // The hold is kept until it is made.
    const auto make = [this, source, times, extension, what](const std::stop_token& stop) {
        snapshots_.require_room();
        const BlockingCall call(longest, stop);
        const auto snapshot = std::make_shared<Snapshot>();
        std::uint64_t memory = 0;
        const auto take = [&](Reader& reader, const File& file, const FileVersion&) {
            Collage part(file);
            cut_by(reader, times, part);
            memory = part.memory();
            snapshot->files = part.parts();
        };
        try {
            readers_.with(source.path, *extension, take);
        } catch (const Error& error) {  // it grows: what is missing may come
            const auto is_missing = {TD_NOT_FOUND, TD_MALFORMED, TD_UNSUPPORTED};
            if (std::ranges::find(is_missing, error.status()) == is_missing.end()) throw;
            throw Error(fmt::format("not yet: {}", error.what()), TD_NOT_FOUND);
        }
        snapshot->etag = next_etag();
        snapshot->made = std::time(nullptr);
        snapshots_.keep(what, snapshot, memory);
        count("snapshot");
        return Made{{}, snapshot};
    };
    order(what, source.path, told, make);
}

/// Makes it once for all who ask meanwhile.
void Cutter::order(const std::string& key, const fs::path& file, Told told, Make make) {
    {
        const std::lock_guard lock(mutex_);
        const auto [known, is_new] = waiting_.try_emplace(key);
        known->second.push_back(std::move(told));
        if (!is_new) return;
    }
    const bool posted = queue_.post(
        file.string(), [this, key, make = std::move(make)](const std::stop_token& stop) { run(key, make, stop); });
    if (posted) return;
    const Error busy("too many parts wait to be made; try again", TD_CANCELLED, true);
    tell(key, nullptr, &busy);
}

void Cutter::run(const std::string& key, const Make& make, const std::stop_token& stop) {
    {
        const std::lock_guard lock(mutex_);
        if (!waiting_.contains(key)) return;  // given up
        running_.insert(key);
    }
    Made made;
    std::optional<Error> failure;
    try {
        std::call_once(swept_, [this] { kept_.remove_leftovers(); });
        made = make(stop);
    } catch (const Error& error) {
        failure = error;
    } catch (const std::exception& error) {
        failure = Error(error.what());
    }
    if (failure) count("failed");
    tell(key, failure ? nullptr : &made, failure ? &*failure : nullptr);
    kept_.clean();
}

void Cutter::tell(const std::string& key, const Made* made, const Error* failure) {
    std::vector<Told> all;
    {
        const std::lock_guard lock(mutex_);
        running_.erase(key);
        if (auto node = waiting_.extract(key)) all = std::move(node.mapped());
    }
    for (const Told& told : all) told(made, failure);
}

/// Runs `use` with the reader of the file.
void Cutter::read(const fs::path& file, const Extension& extension, const OpenReaders::Use& use) {
    bool is_open = false;
    const auto open = [&](Reader& reader, const File& opened, const FileVersion& version) {
        is_open = true;
        use(reader, opened, version);
    };
    try {
        readers_.with(file, extension, open);
    } catch (const Error& error) {
        // What the reader does not find is the part, what it finds malformed is the file.
        if (is_open && error.status() == TD_NOT_FOUND) throw Error(error.what(), TD_MALFORMED);
        if (error.status() == TD_MALFORMED) throw Error(error.what(), TD_FAILED);
        throw;
    }
}

void Cutter::tidy(Workers::Clock::time_point from) {
    queue_.post_at(from, [this](const std::stop_token&) {
        std::call_once(swept_, [this] { kept_.remove_leftovers(); });
        kept_.clean();
        readers_.close_idle(idle);
        snapshots_.drop_old();
        tidy(Workers::Clock::now() + idle);
    });
}

}  // namespace tapedeck::host
