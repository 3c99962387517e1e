#include "record/converter.hpp"

#include <algorithm>
#include <utility>

#include "base/guarded.hpp"
#include "base/log.hpp"

namespace tapedeck::host {
namespace {

constexpr std::int64_t lag_us = 300'000;

td_track wanted_of(const Rendition& rendition) {
    td_track wanted{};
    wanted.size = sizeof wanted;
    wanted.kind = rendition.source->track.kind;
    wanted.codec = rendition.codec;
    return wanted;
}

}  // namespace

/// One track on its way through a transform, whose sink it is.
struct Converter::Lane : td_sink {
    Lane(Rendition from, const td_options* options, std::deque<TrackSpec>& outputs, Converter& converter)
        : td_sink{&functions}, rendition(from), all_outputs(outputs), owner(converter), input(from.source) {
        transform = std::make_unique<Transform>(*from.transform, options, track_on_grid(*input), wanted_of(from), *this);
    }

    void push(const Timed& timed) {
        td_packet packet = timed.packet.view;
        td_track changed{};
        if (timed.packet.spec != input) {
            input = timed.packet.spec;
            changed = track_on_grid(*input);
            packet.changed = &changed;
            packet.flags |= TD_PACKET_CONFIG_CHANGED;
        }
        if (timed.gap_before) packet.flags |= TD_PACKET_DISCONTINUITY;
        transform->push(packet);
    }

    void flush() {
        try {
            transform->flush();
        } catch (const Error& e) {
            log::error("{}; the end of this track may be missing", e.what());
        }
    }

    void announce(const td_track& track) {
        td_track placed = track;
        placed.index = rendition.source->track.index;
        if (output != nullptr && output->same_parameters(placed)) return;
        // The same as an earlier transform's: files go on across it.
        const auto known = std::ranges::find_if(all_outputs, [&](const TrackSpec& one) {
            return one.track.index == placed.index && one.same_parameters(placed);
        });
        output = known != all_outputs.end() ? &*known : &all_outputs.emplace_back(placed);
    }

    void take(const td_packet& from) {
        if (from.changed != nullptr) announce(*from.changed);
        if (output == nullptr) throw Error("a packet came before its track was announced", TD_MALFORMED);
        if (from.data_size == 0) return;
        Packet packet(from, output);
        packet.own();
        const td_rational source = output->track.time_base, grid = grid_of(*output).time_base;
        td_packet& view = packet.view;
        view.track = output->track.index;
        view.pts = rescale(from.pts, source, grid);
        view.dts = from.dts == TD_NO_TIME ? view.pts : rescale(from.dts, source, grid);
        view.duration =
            from.duration == TD_NO_TIME ? grid_of(*output).frame_ticks : rescale(from.duration, source, grid);
        const std::int64_t pts_us = to_us(view.pts, grid), duration_us = to_us(view.duration, grid);
        const bool gap = (from.flags & TD_PACKET_DISCONTINUITY) != 0;
        reached_us = pts_us + duration_us;
        owner.wait({std::move(packet), grid, pts_us, pts_us, duration_us, gap});
    }

    static Lane& of(td_sink* sink) { return *static_cast<Lane*>(sink); }
    static const td_sink_table functions;

    const Rendition rendition;
    std::deque<TrackSpec>& all_outputs;
    Converter& owner;
    const TrackSpec* input;
    const TrackSpec* output = nullptr;
    std::int64_t reached_us = TD_NO_TIME;  ///< up to where it has come out
    std::unique_ptr<Transform> transform;  ///< last: it may call while it is made
};

const td_sink_table Converter::Lane::functions{
    sizeof(td_sink_table),
    0,
    [](td_sink* sink, const td_track* track, td_error* error) {
        return guarded(error, [&] { of(sink).announce(*track); });
    },
    [](td_sink* sink, const td_packet* const* packets, std::size_t count, td_error* error) {
        return guarded(error, [&] {
            for (std::size_t n = 0; n < count; ++n) of(sink).take(*packets[n]);
        });
    },
    [](td_sink*, td_text, td_text) {},
    [](td_sink*, td_text) {}};

Converter::Converter() = default;
Converter::~Converter() = default;

Converter::Lane* Converter::find(std::uint32_t track) const {
    for (const auto& lane : lanes_) {
        if (lane->rendition.source->track.index == track) return lane.get();
    }
    return nullptr;
}

const TrackSpec* Converter::output(std::uint32_t track) const {
    const Lane* lane = find(track);
    return lane == nullptr ? nullptr : lane->output;
}

bool Converter::fits(const Timed& timed) const {
    const Lane* lane = find(timed.packet.view.track);
    return lane == nullptr || lane->rendition.source->track.codec == timed.packet.spec->track.codec;
}

bool Converter::made(const TrackSpec* spec) const {
    return std::ranges::any_of(outputs_, [spec](const TrackSpec& one) { return &one == spec; });
}

void Converter::adopt(const std::vector<Rendition>& renditions, const td_options* options,
                      std::vector<std::string>& failed) {
    const auto same = [](const Rendition& a, const Rendition& b) {
        return a.source->track.index == b.source->track.index && a.source->track.codec == b.source->track.codec &&
               a.codec == b.codec && a.transform == b.transform;
    };
    std::erase_if(lanes_, [&](const auto& lane) {
        if (std::ranges::any_of(renditions, [&](const Rendition& one) { return same(one, lane->rendition); })) {
            return false;
        }
        lane->flush();
        return true;
    });
    for (const Rendition& one : renditions) {
        if (one.transform == nullptr || find(one.source->track.index) != nullptr) continue;
        try {
            lanes_.push_back(std::make_unique<Lane>(one, options, outputs_, *this));
        } catch (const Error& e) {
            failed.emplace_back(e.what());
        }
    }
}

void Converter::push(Timed timed, std::vector<Timed>& into) {
    newest_us_ = std::max(newest_us_, timed.order_us);
    Lane* lane = find(timed.packet.view.track);
    if (lane == nullptr) {
        wait(std::move(timed));
    } else {
        lane->push(timed);
    }
    release(into);
}

/// Most come at the end.
void Converter::wait(Timed timed) {
    auto place = waiting_.end();
    while (place != waiting_.begin() && std::prev(place)->order_us > timed.order_us) --place;
    waiting_.insert(place, std::move(timed));
}

void Converter::release(std::vector<Timed>& into) {
    std::int64_t until = newest_us_;
    for (const auto& lane : lanes_) until = std::min(until, std::max(lane->reached_us, newest_us_ - lag_us));
    while (!waiting_.empty() && waiting_.front().order_us <= until) {
        into.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
}

void Converter::finish(std::vector<Timed>& into) {
    for (const auto& lane : lanes_) lane->flush();
    lanes_.clear();
    for (Timed& timed : waiting_) into.push_back(std::move(timed));
    waiting_.clear();
    newest_us_ = TD_NO_TIME;
}

}  // namespace tapedeck::host
