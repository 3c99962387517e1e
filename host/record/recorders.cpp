#include "record/recorders.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "record/keys.hpp"
#include "record/rotation.hpp"
#include "store/catalog.hpp"
#include "store/naming.hpp"
#include "store/places.hpp"

namespace tapedeck::host {
namespace {

/// How WCS calls the source of a stream.
std::string provider_of(std::string_view protocol) {
    if (protocol == "webrtc") return "WebRTC";
    if (protocol == "rtmp") return "Flash";
    if (protocol == "rtsp") return "RTSP";
    if (protocol == "mpegts") return "MPEG-TS";
    return std::string(protocol);
}

/// What published and played streams show alike.
api::StreamObject object_of(const StreamInfo& info, const std::vector<const TrackSpec*>& tracks) {
    api::StreamObject object;
    object.media_session = info.media_session;
    object.name = info.name;
    object.session = info.session;
    if (!info.application.empty()) object.application = info.application;
    object.provider = provider_of(info.protocol);
    object.create_date_ms = info.created_us / 1000;
    for (const TrackSpec* spec : tracks) {
        if (spec->track.kind == TD_VIDEO) {
            object.has_video = true;
            object.video_codec = codec_name(spec->track.codec);
            object.width = spec->track.width;
            object.height = spec->track.height;
        } else if (spec->track.kind == TD_AUDIO) {
            object.has_audio = true;
            object.audio_codec = codec_name(spec->track.codec);
        }
    }
    return object;
}

api::StreamObject object_of(const Viewer& viewer) {
    api::StreamObject object = object_of(viewer.info(), viewer.tracks());
    object.published = false;
    if (const std::uint32_t codec = viewer.sound_codec()) {
        object.has_audio = true;
        object.audio_codec = codec_name(codec);
    }
    object.status = viewer.stream().is_publishing() ? "PLAYING" : "PENDING";
    object.metrics["packets"] = viewer.packets();
    object.metrics["bytes"] = viewer.bytes();
    object.metrics["dropped"] = viewer.dropped();
    return object;
}

std::string last_part(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

}  // namespace

Recorders::Recorders(Parts parts) : parts_(parts), settings_(parts.recorder.settings, "") {}

void Recorders::opened(const std::shared_ptr<Stream>& stream) {
    if (resume(stream)) return;
    const Policy& policy = parts_.recorder.policy;
    if (policy.records(stream->info())) record(stream, policy.options(stream->info()));
}

bool Recorders::record(const std::shared_ptr<Stream>& stream, OptionTexts options) {
    const std::string& session = stream->info().media_session;
    std::shared_ptr<Recorder> recorder;
    {
        const std::lock_guard lock(mutex_);
        const auto running = recorders_.find(session);
        if (running != recorders_.end() && running->second->restart(options)) return true;
        if (!stream->hold()) return false;
        recorder = std::make_shared<Recorder>(parts_.recorder, stream, std::move(options),
                                              [this](Recorder& ended) { forget(ended); });
        if (hurried_) recorder->hurry();
        recorders_[session] = recorder;
        std::erase(order_, session);
        order_.push_back(session);
    }
    recorder->begin();
    return true;
}

bool Recorders::resume(const std::shared_ptr<Stream>& stream) {
    const StreamInfo& info = stream->info();
    const std::lock_guard lock(mutex_);
    const auto left = std::ranges::find_if(recorders_, [&](const auto& entry) {
        const auto before = entry.second->stream();
        return before->is_closed() && before->info().name == info.name;
    });
    if (left == recorders_.end() || info.record == TD_RECORD_NO || !stream->hold()) return false;
    if (!left->second->resume(stream)) {
        stream->release(nullptr);
        return false;
    }
    const auto recorder = left->second;
    std::erase(order_, left->first);
    std::erase(order_, info.media_session);
    order_.push_back(info.media_session);
    recorders_.erase(left);
    recorders_[info.media_session] = recorder;
    return true;
}

void Recorders::tick() {
    const std::lock_guard lock(mutex_);
    for (const auto& [session, recorder] : recorders_) {
        if (recorder->awaits_return()) recorder->wake();
    }
}

void Recorders::hurry() {
    {
        const std::lock_guard lock(mutex_);
        hurried_ = true;
    }
    for (const auto& recorder : all()) recorder->hurry();
}

std::vector<std::shared_ptr<Recorder>> Recorders::all() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Recorder>> all;
    all.reserve(order_.size());
    for (const std::string& session : order_) all.push_back(recorders_.at(session));
    return all;
}

void Recorders::forget(Recorder& ended) {
    const std::lock_guard lock(mutex_);
    const std::string session = ended.media_session();
    const auto known = recorders_.find(session);
    if (known == recorders_.end() || known->second.get() != &ended) return;  // a newer one has taken its place
    recorders_.erase(known);
    std::erase(order_, session);
    gone_.notify_all();
}

std::shared_ptr<Recorder> Recorders::find(const std::string& media_session) const {
    const std::lock_guard lock(mutex_);
    const auto found = recorders_.find(media_session);
    return found == recorders_.end() ? nullptr : found->second;
}

void Recorders::start(const std::string& media_session, const Settings& settings, api::Done done) {
    const auto stream = parts_.hub.find_session(media_session);
    if (stream == nullptr || !stream->is_publishing()) {
        const Error missing("Stream not found", TD_NOT_FOUND);
        return done(&missing);
    }
    OptionTexts options = parts_.recorder.policy.options(stream->info());
    try {
        const auto current = parts_.recorder.settings.current();
        for (const auto& [name, value] : settings) {
            if (name == "fileTemplate" && value.empty()) continue;  // the server's own
            try {
                for (auto& [full, text] : texts_of(make_options(*current, {{name, value}}))) options[full] = text;
            } catch (const Error& e) {
                if (name == "fileTemplate" || name == "rotation") throw;
                log::info("recorder/startup: {}; it is ignored", e.what());
            }
        }
        const auto checked = std::make_shared<td_options>(restore_options(*current, options));
        Recording planned = Recorder::plan(parts_.recorder.policy, stream->info(), stream->tracks(), checked.get());
        planned.options = options;
        planned.checked = checked;
        planned.segment = parse_rotation(settings_.text(record_rotation, planned.checked.get())).is_on() ? 1 : 0;
        parts_.recorder.disk.require(parts_.recorder.delivery.home_folder(nullptr));
        parts_.recorder.delivery.require_free_name(planned);
    } catch (const Error& e) {
        return done(&e);
    }
    if (!settings_.boolean(record_streams)) {
        log::info("record_streams is off; '{}' is recorded because REST asks for it", printable(stream->info().name));
    }
    if (record(stream, std::move(options))) return done(nullptr);
    const Error gone("Stream not found", TD_NOT_FOUND);
    done(&gone);
}

void Recorders::stop(const std::string& media_session, api::Done done) {
    const auto recorder = find(media_session);
    if (recorder == nullptr) {
        const Error missing("Recorder not found", TD_NOT_FOUND);
        return done(&missing);
    }
    recorder->stop(std::move(done));
}

std::vector<api::RecorderControl::Running> Recorders::running() {
    std::vector<Running> running;
    for (const auto& recorder : all()) {
        running.push_back({last_part(recorder->file_name()), recorder->media_session()});
    }
    return running;
}

std::vector<api::StreamObject> Recorders::streams() {
    std::vector<api::StreamObject> all;
    for (const auto& stream : parts_.hub.streams()) {
        const StreamInfo& info = stream->info();
        api::StreamObject object = object_of(info, stream->tracks());
        object.status = stream->is_publishing() ? "PUBLISHING" : "PENDING";
        if (const auto recorder = find(info.media_session)) {
            object.record = true;
            if (recorder->is_waiting()) object.info = "waiting for key frame";
        }
        object.metrics["packets"] = stream->packets();
        object.metrics["bytes"] = stream->bytes();
        for (const auto& [key, value] : stream->properties()) object.metrics[key] = value;
        all.push_back(std::move(object));
    }
    for (const auto& viewer : parts_.hub.viewers()) all.push_back(object_of(*viewer));
    return all;
}

bool Recorders::terminate(const std::string& media_session, std::string_view reason) {
    if (const auto stream = parts_.hub.find_session(media_session)) {
        stream->kick(reason);
        return true;
    }
    const auto viewer = parts_.hub.find_viewer(media_session);
    if (viewer != nullptr) viewer->kick(reason);
    return viewer != nullptr;
}

api::RecordFiles::Located Recorders::locate(const std::string& name) {
    std::error_code error;
    const std::filesystem::path path = place_of(name);
    if (!path.empty() && std::filesystem::is_regular_file(path, error)) return {State::Ready, path, {}};
    if (const auto file = parts_.recorder.delivery.under_way(name)) {
        const auto hold = file->places->hold();
        return {State::Running, file->path, hold, fmt::format("{}.{}", file->places->id(), file->places->changes())};
    }
    const bool waits = std::ranges::any_of(all(), [&](const auto& recorder) { return recorder->file_name() == name; });
    return {waits || parts_.catalog.is_claimed(name) ? State::Running : State::Missing, {}, {}};
}

std::filesystem::path Recorders::place_of(const std::string& name) const {
    std::filesystem::path path = parts_.recorder.delivery.home_folder(nullptr) / name;
    return is_part_name(path.filename().string()) ? std::filesystem::path() : path;
}

bool Recorders::wait(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return gone_.wait_for(lock, limit, [&] { return recorders_.empty(); });
}

}  // namespace tapedeck::host
