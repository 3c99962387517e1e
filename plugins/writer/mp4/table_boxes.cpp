#include "table_boxes.hpp"

#include <algorithm>
#include <limits>

namespace tapedeck::mp4 {
namespace {

/// Equal values behind each other as pairs of count and value, which is what stts and ctts hold.
class Runs {
public:
    void add(std::uint32_t value) {
        if (count_ != 0 && value == value_) {
            ++count_;
            return;
        }
        close();
        value_ = value;
        count_ = 1;
    }
    void write(BoxWriter& writer, std::uint32_t type) {
        close();
        const auto box = writer.full_box(type, 0, 0);
        writer.u32(static_cast<std::uint32_t>(pairs_.size() / 8));
        writer.bytes(pairs_);
    }
    bool only_zero() const { return pairs_.empty() && value_ == 0; }

private:
    void close() {
        if (count_ == 0) return;
        BoxWriter pairs(pairs_);
        pairs.u32(count_);
        pairs.u32(value_);
    }

    Bytes pairs_;
    std::uint32_t count_ = 0, value_ = 0;
};

constexpr std::int64_t longest_stretch = std::numeric_limits<std::uint32_t>::max() / 2;

std::uint32_t clamp32(std::int64_t value) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(value, 0, std::numeric_limits<std::uint32_t>::max()));
}

/// One pass over a table, filling all boxes at once.
class Tables {
public:
    Tables(const SampleTable& table, std::int64_t stretch, std::uint64_t data_at, bool wide) : wide_(wide) {
        sizes_.reserve(static_cast<std::size_t>(table.samples()) * 4);
        std::int64_t expected = table.first_decode_time();
        SampleTable::Cursor cursor(table);
        while (const auto run = cursor.next_run()) {
            add_chunk(data_at + run->position, run->count, run->description);
            // What is missing between two fragments lengthens the sample before it.
            if (samples_ != 0) held_ += std::max<std::int64_t>(run->decode_time - expected, -held_);
            expected = run->decode_time;
            for (std::uint32_t i = 0; i < run->count; ++i) {
                const Sample sample = cursor.next_sample();
                if (samples_ != 0) release();
                held_ = sample.duration + (samples_ == 0 ? stretch : 0);
                expected += sample.duration;
                add_sample(sample);
            }
        }
        release();
    }

    void write(BoxWriter& writer, bool video) {
        durations_.write(writer, fourcc("stts"));
        if (!compositions_.only_zero()) compositions_.write(writer, fourcc("ctts"));
        if (video && keys_.size() / 4 != samples_) write_list(writer, fourcc("stss"), 4, keys_);
        write_list(writer, fourcc("stsc"), 12, chunk_runs_);
        {
            const auto box = writer.full_box(fourcc("stsz"), 0, 0);
            writer.u32(0);
            writer.u32(samples_);
            writer.bytes(sizes_);
        }
        write_list(writer, wide_ ? fourcc("co64") : fourcc("stco"), wide_ ? 8 : 4, chunks_);
    }

    std::uint64_t duration() const { return duration_; }

private:
    static void write_list(BoxWriter& writer, std::uint32_t type, std::size_t item, const Bytes& items) {
        const auto box = writer.full_box(type, 0, 0);
        writer.u32(static_cast<std::uint32_t>(items.size() / item));
        writer.bytes(items);
    }
    void add_chunk(std::uint64_t at, std::uint32_t count, std::uint32_t description) {
        BoxWriter chunks(chunks_);
        if (wide_)
            chunks.u64(at);
        else
            chunks.u32(static_cast<std::uint32_t>(at));
        ++chunk_count_;
        if (count == chunk_samples_ && description == chunk_description_) return;
        BoxWriter runs(chunk_runs_);
        runs.u32(chunk_count_);
        runs.u32(chunk_samples_ = count);
        runs.u32(chunk_description_ = description);
    }
    void add_sample(const Sample& sample) {
        ++samples_;
        BoxWriter(sizes_).u32(sample.size);
        compositions_.add(clamp32(sample.composition));
        if (sample.key) BoxWriter(keys_).u32(samples_);
    }
    void release() {
        durations_.add(clamp32(held_));
        duration_ += clamp32(held_);
    }

    bool wide_;
    Runs durations_, compositions_;
    Bytes sizes_, keys_, chunk_runs_, chunks_;
    std::uint32_t samples_ = 0, chunk_count_ = 0, chunk_samples_ = 0, chunk_description_ = 0;
    std::int64_t held_ = 0;  // duration of the last sample seen, until its successor is known
    std::uint64_t duration_ = 0;
};

}  // namespace

Placement place(const SampleTable& table, bool video, std::int64_t media_time) {
    Placement placement;
    const std::int64_t first = table.first_decode_time();
    const std::int64_t composition = video ? table.first().composition : 0;
    const std::int64_t late = first + composition - media_time;
    if (late <= 0) {
        placement.media_time = media_time - first;
    } else {
        placement.media_time = composition;
        (video && late <= longest_stretch ? placement.stretch : placement.pause) = late;
    }
    return placement;
}

std::uint64_t write_table_boxes(BoxWriter& writer, const SampleTable& table, const Placement& placement, bool video,
                                std::uint64_t data_at, bool wide) {
    Tables tables(table, placement.stretch, data_at, wide);
    tables.write(writer, video);
    return tables.duration();
}

}  // namespace tapedeck::mp4
