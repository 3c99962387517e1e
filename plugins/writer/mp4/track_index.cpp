#include "track_index.hpp"

#include <algorithm>

namespace tapedeck::mp4 {
namespace {

constexpr std::uint64_t most_ticks = std::uint64_t{1} << 48;  // years, at any timescale

std::uint32_t number(View table, std::size_t index) {
    const std::uint8_t* at = table.data() + index * 4;
    return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}

View table_box(View stbl, std::uint32_t type) {
    const auto found = find_box(stbl, type);
    if (!found) throw Malformed("a sample table is missing");
    return *found;
}

/// The entries of a full box that begins with their count.
struct Entries {
    std::uint32_t count = 0;
    View bytes;
};
Entries entries_of(View payload, std::size_t size) {
    ByteReader reader(payload);
    reader.take(4);
    Entries entries;
    entries.count = reader.u32();
    if (entries.count > reader.left() / size) throw Malformed("a sample table is shorter than it says");
    entries.bytes = reader.take(entries.count * size);
    return entries;
}

/// The last element that is not behind `value`; the first where there is none.
template <class Run, class Value>
std::size_t last_before(const std::vector<Run>& runs, Value value, Value Run::*member) {
    const auto behind = std::ranges::upper_bound(runs, value, {}, member);
    return behind == runs.begin() ? 0 : static_cast<std::size_t>(behind - runs.begin()) - 1;
}

}  // namespace

TrackIndex::TrackIndex(View stbl) {
    read_sizes(table_box(stbl, fourcc("stsz")));
    read_times(table_box(stbl, fourcc("stts")));
    if (const auto ctts = find_box(stbl, fourcc("ctts"))) read_offsets(*ctts);
    read_chunks(stbl);
    if (const auto stss = find_box(stbl, fourcc("stss"))) {
        all_keys_ = false;
        keys_ = entries_of(*stss, 4).bytes;
    }
    // Pictures are shown in another order than decoded, but never far away from it.
    const std::uint32_t tail = std::min<std::uint32_t>(samples_, 64);
    Cursor cursor(*this, samples_ - tail);
    for (std::uint32_t i = 0; i < tail; ++i) {
        const IndexedSample sample = cursor.next();
        end_time_ = std::max(end_time_, sample.shown_at() + sample.duration);
    }
}

void TrackIndex::read_sizes(View stsz) {
    ByteReader reader(stsz);
    reader.take(4);
    same_size_ = reader.u32();
    samples_ = reader.u32();
    if (same_size_ != 0) return;
    if (samples_ > reader.left() / 4) throw Malformed("stsz is shorter than it says");
    sizes_ = reader.take(std::size_t{samples_} * 4);
}

void TrackIndex::read_times(View stts) {
    const Entries entries = entries_of(stts, 8);
    std::uint64_t first = 0, time = 0;
    for (std::size_t i = 0; i < entries.count && first < samples_; ++i) {
        const std::uint64_t count = std::min<std::uint64_t>(number(entries.bytes, 2 * i), samples_ - first);
        const std::uint32_t duration = number(entries.bytes, 2 * i + 1);
        if (count == 0) continue;
        times_.push_back({static_cast<std::int64_t>(time), static_cast<std::uint32_t>(first), duration});
        first += count;
        time += count * duration;
        if (time > most_ticks) throw Malformed("the track lasts for years");
    }
    if (first < samples_) throw Malformed("stts has not all samples");
    duration_ = static_cast<std::int64_t>(time);
}

// Written as signed numbers whatever the version says: QuickTime does, and no real offset needs the last bit.
void TrackIndex::read_offsets(View ctts) {
    const Entries entries = entries_of(ctts, 8);
    std::uint64_t first = 0;
    std::int32_t least = 0;
    for (std::size_t i = 0; i < entries.count && first < samples_; ++i) {
        const std::uint32_t count = number(entries.bytes, 2 * i);
        if (count == 0) continue;
        const auto offset = static_cast<std::int32_t>(number(entries.bytes, 2 * i + 1));
        offsets_.push_back({static_cast<std::uint32_t>(first), offset});
        least = std::min(least, offset);
        first += count;
    }
    if (first < samples_) offsets_.push_back({static_cast<std::uint32_t>(first), 0});
    shift_ = -std::int64_t{least};
    constexpr std::int64_t most = std::int64_t{1} << 30;
    for (OffsetRun& run : offsets_) {
        const std::int64_t offset = run.offset + shift_;
        if (offset > most) throw Malformed("ctts holds a time that makes no sense");
        run.offset = static_cast<std::int32_t>(offset);
    }
}

void TrackIndex::read_chunks(View stbl) {
    auto positions = find_box(stbl, fourcc("stco"));
    wide_ = !positions;
    if (wide_) positions = table_box(stbl, fourcc("co64"));
    const Entries chunks = entries_of(*positions, wide_ ? 8 : 4);
    chunks_ = chunks.count;
    positions_ = chunks.bytes;

    const Entries runs = entries_of(table_box(stbl, fourcc("stsc")), 12);
    std::uint64_t sample = 0;
    for (std::size_t i = 0; i < runs.count; ++i) {
        const std::uint64_t first = number(runs.bytes, 3 * i);
        const std::uint64_t next = i + 1 < runs.count ? number(runs.bytes, 3 * i + 3) : std::uint64_t{chunks_} + 1;
        const ChunkRun run{sample, static_cast<std::uint32_t>(first - 1), number(runs.bytes, 3 * i + 1),
                           number(runs.bytes, 3 * i + 2)};
        if ((i == 0 && first != 1) || next <= first || next > std::uint64_t{chunks_} + 1 || run.samples == 0)
            throw Malformed("stsc makes no sense");
        chunk_runs_.push_back(run);
        sample += (next - first) * run.samples;
    }
    if (sample < samples_) throw Malformed("the chunks have not all samples");
}

std::size_t TrackIndex::time_run(std::uint32_t sample) const {
    return last_before(times_, sample, &TimeRun::first);
}

std::size_t TrackIndex::offset_run(std::uint32_t sample) const {
    return last_before(offsets_, sample, &OffsetRun::first);
}

std::uint32_t TrackIndex::size_of(std::uint32_t sample) const {
    return same_size_ != 0 ? same_size_ : number(sizes_, sample);
}

std::uint64_t TrackIndex::position_of_chunk(std::uint32_t chunk) const {
    if (!wide_) return number(positions_, chunk);
    return std::uint64_t{number(positions_, 2 * std::size_t{chunk})} << 32 |
           number(positions_, 2 * std::size_t{chunk} + 1);
}

std::uint32_t TrackIndex::decoded_at(std::int64_t time) const {
    const std::size_t at = last_before(times_, time, &TimeRun::time);
    const TimeRun& run = times_[at];
    const std::uint32_t end = at + 1 < times_.size() ? times_[at + 1].first : samples_;
    if (time < run.time) return run.first;
    const std::int64_t steps = run.duration == 0 ? samples_ : (time - run.time) / run.duration;
    return static_cast<std::uint32_t>(std::min<std::int64_t>(run.first + steps, end - 1));
}

std::int64_t TrackIndex::shown_at(std::uint32_t sample) const {
    const TimeRun& run = times_[time_run(sample)];
    const std::int64_t offset = offsets_.empty() ? 0 : offsets_[offset_run(sample)].offset;
    return run.time + std::int64_t{sample - run.first} * run.duration + offset;
}

std::uint32_t TrackIndex::key_at(std::uint32_t sample) const {
    if (all_keys_) return sample;
    const std::size_t behind = keys_before(sample + 1);
    const std::uint32_t key = behind == 0 ? 1 : number(keys_, behind - 1);
    return std::min(sample, key == 0 ? 0 : key - 1);
}

std::size_t TrackIndex::keys_before(std::uint32_t sample) const {
    std::size_t from = 0, to = keys_.size() / 4;  // numbers of samples, which count from 1 and rise
    while (from < to) {
        const std::size_t middle = from + (to - from) / 2;
        if (number(keys_, middle) <= sample)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

TrackIndex::Cursor::Cursor(const TrackIndex& index, std::uint32_t sample)
    : index_(index), sample_(sample), time_(0), chunk_run_(0), key_(0) {
    if (sample_ >= index_.samples_) return;
    time_ = index_.time_run(sample_);
    if (!index_.offsets_.empty()) offset_ = index_.offset_run(sample_);
    chunk_run_ = last_before(index_.chunk_runs_, std::uint64_t{sample_}, &ChunkRun::first_sample);
    const ChunkRun& run = index_.chunk_runs_[chunk_run_];
    const std::uint64_t inside = sample_ - run.first_sample;
    enter_chunk(run.first_chunk + static_cast<std::uint32_t>(inside / run.samples));
    const auto before = static_cast<std::uint32_t>(inside % run.samples);
    for (std::uint32_t i = 0; i < before; ++i) position_ += index_.size_of(sample_ - before + i);
    left_in_chunk_ -= before;
    key_ = index_.keys_before(sample_);
}

void TrackIndex::Cursor::enter_chunk(std::uint32_t chunk) {
    const auto& runs = index_.chunk_runs_;
    if (chunk_run_ + 1 < runs.size() && chunk >= runs[chunk_run_ + 1].first_chunk) ++chunk_run_;
    chunk_ = chunk;
    left_in_chunk_ = runs[chunk_run_].samples;
    position_ = index_.position_of_chunk(chunk);
}

IndexedSample TrackIndex::Cursor::next() {
    const auto& times = index_.times_;
    const auto& offsets = index_.offsets_;
    if (time_ + 1 < times.size() && sample_ >= times[time_ + 1].first) ++time_;
    if (offset_ + 1 < offsets.size() && sample_ >= offsets[offset_ + 1].first) ++offset_;
    if (left_in_chunk_ == 0) enter_chunk(chunk_ + 1);
    IndexedSample sample;
    sample.size = index_.size_of(sample_);
    sample.duration = times[time_].duration;
    sample.decode_time = times[time_].time + std::int64_t{sample_ - times[time_].first} * sample.duration;
    sample.composition = offsets.empty() ? 0 : offsets[offset_].offset;
    sample.key = index_.all_keys_;
    if (key_ < index_.keys_.size() / 4 && number(index_.keys_, key_) == sample_ + 1) {
        sample.key = true;
        ++key_;
    }
    sample.position = position_;
    sample.chunk = chunk_;
    sample.description = index_.chunk_runs_[chunk_run_].description;
    position_ += sample.size;
    --left_in_chunk_;
    ++sample_;
    return sample;
}

}  // namespace tapedeck::mp4
