#include "timed_reads.hpp"

#include <algorithm>

namespace tapedeck::rtmp {

using std::chrono::microseconds;
using std::chrono::steady_clock;

namespace {
/// The shortest interval is `longest` divided by this.
constexpr int finest = 128;
constexpr int first = 8;
constexpr std::size_t few_bytes = 64u << 10, many_bytes = 192u << 10;
}  // namespace

microseconds next_interval(microseconds current, microseconds longest, std::size_t bytes) {
    if (bytes > many_bytes) return std::max({current / 2, longest / finest, microseconds(1)});
    if (bytes < few_bytes) return std::min(current * 2, longest);
    return current;
}

steady_clock::time_point next_time(steady_clock::time_point now, microseconds interval) {
    const auto since = std::chrono::duration_cast<microseconds>(now.time_since_epoch());
    return steady_clock::time_point(since - since % interval + interval);
}

void TimedReads::add(std::shared_ptr<TimedReader> reader, microseconds longest) {
    const auto interval = std::max(longest / first, microseconds(1));
    entries_.push_back({std::move(reader), interval, longest, next_time(steady_clock::now(), interval)});
    if (!is_walking_) arm();
}

void TimedReads::remove(const TimedReader& reader) {
    const auto found = std::ranges::find(entries_, &reader, [](const Entry& entry) { return entry.reader.get(); });
    if (found == entries_.end()) return;
    if (is_walking_)
        found->reader = nullptr;
    else
        entries_.erase(found);
}

void TimedReads::stop() {
    for (auto& entry : entries_) entry.reader = nullptr;  // a walk over the list may be under way
    timer_.cancel();
}

void TimedReads::tick() {
    const auto now = steady_clock::now();
    is_walking_ = true;
    std::size_t next = 0;
    while (next < entries_.size()) {  // which a read may make longer
        const auto i = next++;
        if (!entries_[i].reader || entries_[i].due > now) continue;
        const auto reader = entries_[i].reader;  // the read may end it
        const auto bytes = reader->timed_read();
        auto& entry = entries_[i];
        entry.interval = next_interval(entry.interval, entry.longest, bytes);
        entry.due = next_time(now, entry.interval);
    }
    is_walking_ = false;
    std::erase_if(entries_, [](const Entry& entry) { return !entry.reader; });
    arm();
}

void TimedReads::arm() {
    if (entries_.empty()) return;  // until somebody is added
    const auto earliest = std::ranges::min_element(entries_, {}, &Entry::due)->due;
    timer_.expires_at(earliest);
    timer_.async_wait([this](auto error) {
        if (!error) tick();
    });
}

}  // namespace tapedeck::rtmp
