#include "sample_table.hpp"

#include <algorithm>

namespace tapedeck::mp4 {

// The log of a run: distance to the last run's position, sample count, description, jump of the decode time; then for
// each sample: size and key, change of duration, change of composition. Numbers take 7 bits a byte, least first;
// differences have their sign in the lowest bit. Unsigned arithmetic, so that no value of a torn file can overflow.

void SampleTable::put(std::uint64_t value) {
    do {
        if (used_ == blocks_.size() * block_size) blocks_.push_back(std::make_unique<Block>());
        const bool more = value > 0x7f;
        (*blocks_.back())[used_++ % block_size] = static_cast<std::uint8_t>((value & 0x7f) | (more ? 0x80 : 0));
        value >>= 7;
    } while (value != 0);
}

void SampleTable::put_difference(std::int64_t value) {
    put(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
}

void SampleTable::append(const Run& run, std::span<const Sample> samples) {
    if (runs_ == 0) {
        first_decode_time_ = time_ = end_time_ = run.decode_time;
        first_ = samples.front();
    }
    put(run.position - head_.position);
    put(samples.size());
    put(run.description);
    put_difference(run.decode_time - time_);
    head_ = run;
    time_ = run.decode_time;
    for (const Sample& sample : samples) {
        put(std::uint64_t{sample.size} << 1 | (sample.key ? 1 : 0));
        put_difference(std::int64_t{sample.duration} - last_.duration);
        put_difference(std::int64_t{sample.composition} - last_.composition);
        last_ = sample;
        end_time_ = std::max(end_time_, time_ + sample.composition + sample.duration);
        time_ += sample.duration;
    }
    ++runs_;
    samples_ += samples.size();
}

std::uint64_t SampleTable::Cursor::number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        const std::uint8_t byte = (*table_.blocks_[at_ / block_size])[at_ % block_size];
        ++at_;
        value |= std::uint64_t{byte & 0x7fu} << shift;
        if (byte < 0x80) return value;
    }
}

std::int64_t SampleTable::Cursor::difference() {
    const std::uint64_t value = number();
    return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1));
}

std::optional<SampleTable::Cursor::Head> SampleTable::Cursor::next_run() {
    if (runs_ == table_.runs_) return std::nullopt;
    if (runs_++ == 0) time_ = table_.first_decode_time_;
    head_.position += number();
    head_.count = static_cast<std::uint32_t>(number());
    head_.description = static_cast<std::uint32_t>(number());
    time_ += difference();
    head_.decode_time = time_;
    return head_;
}

Sample SampleTable::Cursor::next_sample() {
    const std::uint64_t size_and_key = number();
    last_.size = static_cast<std::uint32_t>(size_and_key >> 1);
    last_.key = (size_and_key & 1) != 0;
    last_.duration = static_cast<std::uint32_t>(last_.duration + difference());
    last_.composition = static_cast<std::int32_t>(last_.composition + difference());
    time_ += last_.duration;
    return last_;
}

}  // namespace tapedeck::mp4
