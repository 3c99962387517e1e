#include "fragment.hpp"

#include <algorithm>

#include "private_boxes.hpp"

namespace tapedeck::mp4 {
namespace {

enum : std::uint32_t {
    tfhd_description = 0x02,
    tfhd_duration = 0x08,
    tfhd_size = 0x10,
    tfhd_flags = 0x20,
    tfhd_base_is_moof = 0x020000,
    trun_offset = 0x001,
    trun_first_flags = 0x004,
    trun_duration = 0x100,
    trun_size = 0x200,
    trun_flags = 0x400,
    trun_composition = 0x800,
};

std::uint32_t flags_of(const Sample& sample) {
    return sample.key ? sample_flags_key : sample_flags_other;
}

/// Appends the traf and gives the place of its data offset.
std::size_t write_traf(BoxWriter& writer, const TrackRun& run) {
    const auto& samples = run.samples;
    const std::uint32_t duration = samples.front().duration;
    const bool even = std::ranges::all_of(samples, [&](const Sample& s) { return s.duration == duration; });
    const bool usual_key = !run.track->video;
    const auto differs = [&](const Sample& s) { return s.key != usual_key; };

    std::uint32_t head = tfhd_base_is_moof | tfhd_description;
    std::uint32_t each = trun_offset | trun_size;
    if (!even) each |= trun_duration;
    if (even && duration != run.track->frame) head |= tfhd_duration;
    if (std::ranges::any_of(samples.subspan(1), differs))
        each |= trun_flags;
    else if (differs(samples.front()))
        each |= trun_first_flags;
    if (std::ranges::any_of(samples, [](const Sample& s) { return s.composition != 0; })) each |= trun_composition;

    const auto traf = writer.box(fourcc("traf"));
    {
        const auto tfhd = writer.full_box(fourcc("tfhd"), 0, head);
        writer.u32(run.track->id);
        writer.u32(1);
        if ((head & tfhd_duration) != 0) writer.u32(duration);
    }
    {
        const auto tfdt = writer.full_box(fourcc("tfdt"), 1, 0);
        writer.u64(static_cast<std::uint64_t>(run.decode_time));
    }
    const auto trun = writer.full_box(fourcc("trun"), 1, each);
    writer.u32(static_cast<std::uint32_t>(samples.size()));
    const std::size_t offset_at = writer.position();
    writer.u32(0);
    if ((each & trun_first_flags) != 0) writer.u32(flags_of(samples.front()));
    for (const Sample& sample : samples) {
        if ((each & trun_duration) != 0) writer.u32(sample.duration);
        writer.u32(sample.size);
        if ((each & trun_flags) != 0) writer.u32(flags_of(sample));
        if ((each & trun_composition) != 0) writer.i32(sample.composition);
    }
    return offset_at;
}

/// What holds for every sample of a traf that does not say otherwise.
struct Defaults {
    std::uint32_t duration = 0;
    std::uint32_t flags = 0;
};

std::vector<Sample> read_samples(ByteReader& trun, std::uint32_t flags, const Defaults& defaults, std::uint32_t count,
                                 std::uint32_t first_flags) {
    std::size_t each = 4;
    for (const auto field : {trun_duration, trun_flags, trun_composition})
        if ((flags & field) != 0) each += 4;
    if (count == 0 || count > trun.left() / each) throw Malformed("trun: more samples than fit");
    std::vector<Sample> samples(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        Sample& sample = samples[i];
        sample.duration = (flags & trun_duration) != 0 ? trun.u32() : defaults.duration;
        sample.size = trun.u32();
        std::uint32_t bits = i == 0 ? first_flags : defaults.flags;
        if ((flags & trun_flags) != 0) bits = trun.u32();
        sample.key = (bits & 0x00010000) == 0;
        if ((flags & trun_composition) != 0) sample.composition = static_cast<std::int32_t>(trun.u32());
    }
    return samples;
}

FoundRun read_traf(View traf, std::span<const TrackHead> tracks) {
    FoundRun run;
    const auto tfhd = find_box(traf, fourcc("tfhd"));
    const auto tfdt = find_box(traf, fourcc("tfdt"));
    const auto trun = find_box(traf, fourcc("trun"));
    if (!tfhd || !tfdt || !trun) throw Malformed("traf: a box is missing");

    ByteReader head(*tfhd);
    const std::uint32_t head_flags = head.u32();
    run.track_id = head.u32();
    const auto track = std::ranges::find(tracks, run.track_id, &TrackHead::id);
    if (track == tracks.end()) throw Malformed("traf: an unknown track");
    if ((head_flags & tfhd_base_is_moof) == 0) throw Malformed("tfhd: its offsets do not count from the moof");
    Defaults defaults{track->frame, track->video ? sample_flags_other : sample_flags_key};
    if ((head_flags & tfhd_description) != 0) head.u32();
    if ((head_flags & tfhd_duration) != 0) defaults.duration = head.u32();
    if ((head_flags & tfhd_size) != 0) head.u32();
    if ((head_flags & tfhd_flags) != 0) defaults.flags = head.u32();

    ByteReader time(*tfdt);
    if (time.u32() != 0x01000000) throw Malformed("tfdt: not version 1");
    const std::uint64_t decode_time = time.u64();
    if (decode_time > std::uint64_t{1} << 48) throw Malformed("tfdt: a time beyond all measure");
    run.decode_time = static_cast<std::int64_t>(decode_time);

    ByteReader list(*trun);
    const std::uint32_t flags = list.u32() & 0xffffff;
    if ((flags & trun_offset) == 0 || (flags & trun_size) == 0) throw Malformed("trun: no offset or no sizes");
    const std::uint32_t count = list.u32();
    run.data_offset = static_cast<std::int32_t>(list.u32());
    const std::uint32_t first_flags = (flags & trun_first_flags) != 0 ? list.u32() : defaults.flags;
    run.samples = read_samples(list, flags, defaults, count, first_flags);
    return run;
}

}  // namespace

void append_fragment(Bytes& out, std::uint32_t sequence, std::span<const TrackRun> runs, Fragments fragments) {
    const bool is_open = fragments == Fragments::Open;
    BoxWriter writer(out);
    const std::size_t start = writer.position();
    std::vector<std::size_t> offsets;
    offsets.reserve(runs.size());
    {
        const auto moof = writer.box(is_open ? fourcc("moof") : fourcc("uuid"));
        if (!is_open) write_id(writer, Private::Fragment);
        {
            const auto mfhd = writer.full_box(fourcc("mfhd"), 0, 0);
            writer.u32(sequence);
        }
        for (const TrackRun& run : runs) offsets.push_back(write_traf(writer, run));
    }
    const std::size_t mdat = writer.position();
    std::size_t at = mdat + box_header_size;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        writer.put_u32(offsets[i], static_cast<std::uint32_t>(at - start));
        for (const Sample& sample : runs[i].samples) at += sample.size;
    }
    writer.u32(static_cast<std::uint32_t>(at - mdat));
    writer.u32(fourcc("mdat"));
}

std::optional<FoundFragment> parse_moof(View payload, std::span<const TrackHead> tracks) {
    FoundFragment found;
    try {
        while (const auto box = next_box(payload)) {
            if (box->type == fourcc("traf")) found.runs.push_back(read_traf(box->payload, tracks));
            if (box->type != fourcc("mfhd")) continue;
            ByteReader mfhd(box->payload);
            mfhd.u32();
            found.sequence = mfhd.u32();
        }
    } catch (const Malformed&) {
        return std::nullopt;
    }
    if (found.runs.empty()) return std::nullopt;
    return found;
}

}  // namespace tapedeck::mp4
