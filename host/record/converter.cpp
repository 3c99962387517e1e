#include "record/converter.hpp"

#include <algorithm>
#include <utility>

#include "base/guarded.hpp"
#include "base/log.hpp"
#include "record/fifo.hpp"
#include "tapedeck/media/aac.hpp"

namespace tapedeck::host {
namespace {

constexpr std::int64_t lane_lag_us = 300'000;

/// What a transform is to make; throws Malformed where `like` cannot be read.
td_track wanted_of(const Rendition& rendition, const TrackSpec* like) {
    td_track wanted{};
    wanted.size = sizeof wanted;
    wanted.kind = rendition.source->track.kind;
    wanted.codec = rendition.codec;
    if (like == nullptr) return wanted;
    wanted.sample_rate = like->track.sample_rate;
    wanted.channels = like->track.channels;
    if (like->track.codec == TD_CODEC_AAC) {
        const aac::Config config = aac::parse_config(like->config);
        wanted.sample_rate = config.sample_rate;
        wanted.channels = config.channels;
    }
    return wanted;
}

/// Whether a decoder that was set up for `like` plays this sound.
bool stands_for(const td_track& sound, const TrackSpec& like) {
    if (sound.codec != like.track.codec) return false;
    if (sound.codec == TD_CODEC_AAC) {
        return aac::parse_config({sound.config.data, sound.config.size}) == aac::parse_config(like.config);
    }
    return sound.sample_rate == like.track.sample_rate && sound.channels == like.track.channels;
}

}  // namespace

/// One track on its way through a transform, whose sink it is.
struct Converter::Lane : td_sink {
    Lane(Rendition from, Options of_recording, const TrackSpec* joined, Converter& converter)
        : td_sink{&functions}, rendition(from), options(std::move(of_recording)), like(joined), owner(converter) {
        transform = std::make_unique<Transform>(*from.transform, options.get(), track_on_grid(*from.source),
                                                wanted_of(from, like), *this);
    }

    void push(const Timed& timed) {
        while (!recent.empty() && recent.front().pts_us + recent.front().duration_us <= owner.released_us_) {
            recent.pop_front();
        }
        recent.push_back(timed);
        if (begun_us == TD_NO_TIME) begun_us = timed.pts_us;
        td_packet packet = timed.packet.view;
        td_track changed{};
        if (timed.packet.spec != rendition.source) {
            rendition.source = timed.packet.spec;
            changed = track_on_grid(*rendition.source);
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
        time_base = track.time_base;
        if (like != nullptr && stands_for(track, *like)) {
            output = like;
            return;
        }
        td_track placed = track;
        placed.index = rendition.source->track.index;
        if (output != nullptr && output->same_parameters(placed)) return;
        // The same as an earlier transform's: files go on across it.
        std::deque<TrackSpec>& all = owner.outputs_;
        const auto known = std::ranges::find_if(
            all, [&](const TrackSpec& one) { return one.track.index == placed.index && one.same_parameters(placed); });
        output = known != all.end() ? &*known : &all.emplace_back(placed);
    }

    void take(const td_packet& from) {
        if (from.changed != nullptr) announce(*from.changed);
        if (output == nullptr) throw Error("a packet came before its track was announced", TD_MALFORMED);
        if (from.data_size == 0) return;
        Packet packet(from, output);
        packet.own();
        const td_rational grid = grid_of(*output).time_base;
        td_packet& view = packet.view;
        view.track = output->track.index;
        view.pts = rescale(from.pts, time_base, grid);
        view.dts = from.dts == TD_NO_TIME ? view.pts : rescale(from.dts, time_base, grid);
        view.duration =
            from.duration == TD_NO_TIME ? grid_of(*output).frame_ticks : rescale(from.duration, time_base, grid);
        const std::int64_t pts_us = to_us(view.pts, grid), duration_us = to_us(view.duration, grid);
        const bool gap = (from.flags & TD_PACKET_DISCONTINUITY) != 0;
        reached_us = pts_us + duration_us;
        if (like != nullptr && pts_us + duration_us / 2 < begun_us) return;  // priming, where other sound stands
        owner.wait({std::move(packet), grid, pts_us, pts_us, duration_us, gap, source_at(pts_us)});
    }

    /// What came in at this time.
    const TrackSpec* source_at(std::int64_t at_us) const {
        for (const Timed& one : recent) {
            if (one.pts_us + one.duration_us > at_us) return one.packet.spec;
        }
        return rendition.source;
    }

    static Lane& of(td_sink* sink) { return *static_cast<Lane*>(sink); }
    static const td_sink_table functions;

    Rendition rendition;  ///< its source is that of the newest packet
    const Options options;
    const TrackSpec* const like;  ///< the track of the file that it joined; null: none
    Converter& owner;
    const TrackSpec* output = nullptr;
    td_rational time_base{1, 1000};        ///< of what comes out
    std::int64_t begun_us = TD_NO_TIME;    ///< where the first packet lies
    std::int64_t reached_us = TD_NO_TIME;  ///< up to where it has come out
    Fifo<Timed> recent;                    ///< came in, and may not have come out to the end
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
    if (lane == nullptr || lane->rendition.source->track.codec == timed.packet.spec->track.codec) return true;
    return Transform::accepts(*lane->rendition.transform, lane->options.get(), track_on_grid(*timed.packet.spec),
                              lane->rendition.codec) != TD_TRANSFORM_NO;
}

bool Converter::goes_on(const Lane& lane, const std::vector<Rendition>& renditions) {
    const Rendition& now = lane.rendition;
    return std::ranges::any_of(renditions, [&](const Rendition& one) {
        const bool alike = one.codec == now.codec && one.transform == now.transform;
        return one.source->track.index == now.source->track.index &&
               one.source->track.codec == now.source->track.codec && (alike || lane.like != nullptr);
    });
}

bool Converter::suits(const std::vector<Rendition>& renditions) const {
    return std::ranges::all_of(lanes_,
                               [&](const auto& lane) { return lane->like == nullptr && goes_on(*lane, renditions); });
}

void Converter::adopt(const std::vector<Rendition>& renditions, const Options& options,
                      std::vector<std::string>& failed) {
    std::erase_if(lanes_, [&](const auto& lane) {
        const bool over = !goes_on(*lane, renditions);
        if (over) lane->flush();
        return over;
    });
    for (const Rendition& one : renditions) {
        if (one.transform == nullptr || find(one.source->track.index) != nullptr) continue;
        try {
            lanes_.push_back(std::make_unique<Lane>(one, options, nullptr, *this));
        } catch (const Error& e) {
            failed.emplace_back(e.what());
        }
    }
}

bool Converter::join(const Rendition& rendition, const Options& options, const TrackSpec& like) {
    try {
        auto lane = std::make_unique<Lane>(rendition, options, &like, *this);
        if (lane->output != &like) return false;
        lanes_.push_back(std::move(lane));
        return true;
    } catch (const std::exception& e) {
        log::debug("a track cannot join: {}", e.what());
        return false;
    }
}

void Converter::push(Timed timed, std::vector<Timed>& into) {
    if (find(timed.packet.view.track) != nullptr) {
        feed(timed);
    } else {
        newest_us_ = std::max(newest_us_, timed.order_us);
        wait(std::move(timed));
    }
    release(into);
}

void Converter::feed(const Timed& timed) {
    newest_us_ = std::max(newest_us_, timed.order_us);
    find(timed.packet.view.track)->push(timed);
}

/// Most come at the end.
void Converter::wait(Timed timed) {
    auto place = waiting_.end();
    while (place != waiting_.begin() && std::prev(place)->order_us > timed.order_us) --place;
    waiting_.insert(place, std::move(timed));
}

void Converter::release(std::vector<Timed>& into) {
    std::int64_t until = newest_us_;
    for (const auto& lane : lanes_) until = std::min(until, std::max(lane->reached_us, newest_us_ - lane_lag_us));
    while (!waiting_.empty() && waiting_.front().order_us <= until) {
        into.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    released_us_ = until;
}

void Converter::finish(std::vector<Timed>& into) {
    for (const auto& lane : lanes_) lane->flush();
    for (Timed& timed : waiting_) into.push_back(std::move(timed));
    clear();
}

void Converter::end(std::int64_t at_us, std::vector<Timed>& made, std::vector<Timed>& rest) {
    for (const auto& lane : lanes_) lane->flush();
    for (Timed& timed : waiting_) {
        if (timed.source == nullptr) {
            rest.push_back(std::move(timed));
        } else if (timed.order_us < at_us) {
            made.push_back(std::move(timed));
        }
    }
    for (const auto& lane : lanes_) {
        for (const Timed& one : lane->recent) {
            if (one.pts_us + one.duration_us > at_us) rest.push_back(one);
        }
    }
    clear();
}

void Converter::clear() {
    lanes_.clear();
    waiting_.clear();
    newest_us_ = released_us_ = TD_NO_TIME;
}

}  // namespace tapedeck::host
