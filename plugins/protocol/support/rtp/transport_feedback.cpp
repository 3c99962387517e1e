#include "rtp/transport_feedback.hpp"

#include <algorithm>

#include "rtp/extend.hpp"
#include "rtp/wire.hpp"

namespace tapedeck::rtp {

namespace {

constexpr std::int64_t missing = TransportFeedback::missing;
constexpr std::int64_t tick_us = 250, reference_tick_us = 64'000;
constexpr std::int64_t window = 4096;  // statuses that wait for one feedback
constexpr std::size_t most_statuses = 4096, longest_run = 0x1fff, vector_size = 7;

enum Status : std::uint8_t { not_received = 0, small_delta = 1, large_delta = 2 };

void append_chunks(Bytes& into, const std::vector<Status>& statuses) {
    for (std::size_t at = 0; at < statuses.size();) {
        std::size_t run = 1;
        while (at + run < statuses.size() && run < longest_run && statuses[at + run] == statuses[at]) ++run;
        if (run >= vector_size || at + run == statuses.size()) {
            append_number(into, static_cast<unsigned>(statuses[at]) << 13 | run, 2);
            at += run;
            continue;
        }
        unsigned chunk = 0xc000;  // a vector of two-bit statuses
        for (std::size_t i = 0; i < vector_size && at < statuses.size(); ++i, ++at)
            chunk |= static_cast<unsigned>(statuses[at]) << (12 - 2 * i);
        append_number(into, chunk, 2);
    }
}

}  // namespace

TransportFeedback parse_transport_feedback(std::uint32_t sender, std::uint32_t media, ByteSpan body) {
    ByteReader reader(body);
    TransportFeedback feedback;
    feedback.sender = sender;
    feedback.media = media;
    feedback.base = reader.u16();
    const std::size_t count = reader.u16();
    if (count > most_statuses) throw Malformed("transport feedback: so many packets in one");
    const auto reference = static_cast<std::int32_t>(reader.u24());
    feedback.reference_us = (reference >= 0x800000 ? reference - 0x1000000 : reference) * reference_tick_us;
    feedback.count = reader.u8();

    std::vector<std::uint8_t> statuses;
    while (statuses.size() < count) {
        const unsigned chunk = reader.u16();
        const auto left = count - statuses.size();
        if ((chunk & 0x8000u) == 0) {
            statuses.insert(statuses.end(), std::min<std::size_t>(chunk & longest_run, left), chunk >> 13 & 3u);
            if ((chunk & longest_run) == 0) throw Malformed("transport feedback: a run of nothing");
            continue;
        }
        const unsigned bits = (chunk & 0x4000u) != 0 ? 2 : 1;
        for (std::size_t i = 0; i < std::min<std::size_t>(14 / bits, left); ++i)
            statuses.push_back(static_cast<std::uint8_t>(chunk >> (14 - bits * (i + 1)) & (bits == 2 ? 3u : 1u)));
    }
    std::int64_t time_us = 0;
    feedback.arrivals_us.reserve(statuses.size());
    for (const auto status : statuses) {
        if (status == small_delta) {
            time_us += reader.u8() * tick_us;
        } else if (status == large_delta) {
            time_us += static_cast<std::int16_t>(reader.u16()) * tick_us;
        }
        feedback.arrivals_us.push_back(status == small_delta || status == large_delta ? time_us : missing);
    }
    return feedback;
}

void TransportFeedbackBuilder::arrived(std::uint16_t sequence, std::int64_t now_us) {
    if (!started_) {
        started_ = true;
        base_ = sequence;
    }
    const auto end = base_ + static_cast<std::int64_t>(arrivals_us_.size());
    const auto extended = nearest<16>(end, sequence);
    if (extended >= end + window) {  // the sender began anew
        arrivals_us_.clear();
        base_ = extended;
    }
    if (extended < base_ || extended - base_ >= window) return;
    const auto index = static_cast<std::size_t>(extended - base_);
    if (index >= arrivals_us_.size()) arrivals_us_.resize(index + 1, missing);
    if (arrivals_us_[index] == missing) arrivals_us_[index] = now_us;
}

void TransportFeedbackBuilder::append(Bytes& into, std::uint32_t sender, std::uint32_t media) {
    for (std::size_t from = 0; from < arrivals_us_.size();) from = append_one(into, sender, media, from);
    base_ += static_cast<std::int64_t>(arrivals_us_.size());
    arrivals_us_.clear();
}

/// From the status `from` to the last that this message can tell; gives the one behind.
std::size_t TransportFeedbackBuilder::append_one(Bytes& into, std::uint32_t sender, std::uint32_t media,
                                                 std::size_t from) {
    const auto first = std::find_if(arrivals_us_.begin() + static_cast<std::ptrdiff_t>(from), arrivals_us_.end(),
                                    [](std::int64_t at) { return at != missing; });
    const auto reference = *first / reference_tick_us;
    auto ticks = reference * (reference_tick_us / tick_us);  // of the last arrival told
    std::vector<Status> statuses;
    std::vector<std::int64_t> deltas;
    std::size_t end = from;
    for (; end < arrivals_us_.size() && statuses.size() < most_statuses; ++end) {
        if (arrivals_us_[end] == missing) {
            statuses.push_back(not_received);
            continue;
        }
        const auto delta = arrivals_us_[end] / tick_us - ticks;
        if (delta < INT16_MIN || delta > INT16_MAX) break;
        ticks += delta;
        deltas.push_back(delta);
        statuses.push_back(delta >= 0 && delta <= 0xff ? small_delta : large_delta);
    }

    const auto at = into.size();
    into.insert(into.end(), {0x8f, 205, 0, 0});
    append_number(into, sender, 4);
    append_number(into, media, 4);
    append_number(into, static_cast<std::uint64_t>(base_) + from, 2);
    append_number(into, statuses.size(), 2);
    append_number(into, static_cast<std::uint64_t>(reference), 3);
    append_number(into, count_++, 1);
    append_chunks(into, statuses);
    for (const auto delta : deltas)
        append_number(into, static_cast<std::uint64_t>(delta), delta >= 0 && delta <= 0xff ? 1 : 2);
    if (const auto padding = (4 - (into.size() - at) % 4) % 4; padding != 0) {
        into[at] |= 0x20;
        into.resize(into.size() + padding, 0);
        into.back() = static_cast<std::uint8_t>(padding);
    }
    put16(into.data() + at + 2, static_cast<std::uint16_t>((into.size() - at) / 4 - 1));
    return end;
}

}  // namespace tapedeck::rtp
