#include "fixture.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace tapedeck::host::api::test {

void FakeRecorder::start(const std::string& session, const Settings& settings, Done done) {
    const Error unknown("Stream not found", TD_NOT_FOUND);
    if (std::ranges::count(sessions, session) == 0) return done(&unknown);
    {
        const std::lock_guard lock(mutex_);
        started.emplace_back(session, settings);
    }
    done(nullptr);
}

void FakeRecorder::stop(const std::string& session, Done done) {
    const Error unknown("Stream is not being recorded", TD_NOT_FOUND);
    if (std::ranges::count(sessions, session) == 0) return done(&unknown);
    if (!hold_stops) return done(nullptr);
    const std::lock_guard lock(mutex_);
    held_.push_back(std::move(done));
    changed_.notify_all();
}

std::vector<RecorderControl::Running> FakeRecorder::running() {
    return list;
}

void FakeRecorder::release_stops() {
    std::vector<Done> held;
    {
        const std::lock_guard lock(mutex_);
        held.swap(held_);
    }
    for (const auto& done : held) done(nullptr);
}

void FakeRecorder::await_stops(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return held_.size() >= count; });
}

RecordFiles::Located FakeFiles::locate(const std::string& name) {
    asked.push_back(name);
    Located located{State::Ready, folder / name, {}};
    if (const auto found = running.find(name); found != running.end()) {
        located.state = State::Running;
        located.hold = found->second;
        if (found->second == nullptr) located.path.clear();
    }
    return located;
}

void FakeCuts::cut(const std::filesystem::path&, const std::string& name, const Times& times, Done done) {
    asked.push_back(times);
    if (failure) return done(nullptr, &*failure);
    const auto part = folder / ("part-of-" + name);
    std::ofstream(part) << times.from_us.value_or(-1) << ' ' << times.to_us.value_or(-1);
    done(&part, nullptr);
}

std::optional<RecordCuts::Kept> FakeCuts::kept(const std::filesystem::path&, const std::string&, const Times&) {
    if (made_before.empty()) return {};
    const int descriptor = ::open(made_before.c_str(), O_RDONLY | O_CLOEXEC);
    return Kept{made_before, std::make_shared<const OpenFile>(descriptor, true)};
}

void FakeCuts::snapshot(const RecordFiles::Located& source, const std::string&, const Times& times,
                        const Viewer& viewer, SnapshotDone done) {
    viewers.push_back(viewer);
    if (failure) return done(nullptr, &*failure);
    // An index of its own in front of what the file has.
    std::ofstream(folder / "index") << times.from_us.value_or(-1) << ' ' << times.to_us.value_or(-1) << ' ';
    Snapshot made{{}, "\"made\"", 1};
    for (const auto& path : {folder / "index", source.path}) {
        const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        made.files.push_back({std::make_shared<OpenFile>(descriptor, true), 0, std::filesystem::file_size(path)});
    }
    done(&made, nullptr);
}

ServerTest::ServerTest() {
    std::string name = (std::filesystem::temp_directory_path() / "tapedeck-api-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    files_.folder = folder_ / "records";
    std::filesystem::create_directories(files_.folder);
    cuts_.folder = folder_;
    options_.address = "127.0.0.1";
    options_.http_port = options_.https_port = options_.ws_port = options_.wss_port = 0;
    options_.https = false;
    options_.conf_folder = folder_ / "conf";
}

ServerTest::~ServerTest() {
    if (server_) server_->stop();
    workers_.reset();
    std::filesystem::remove_all(folder_);
}

void ServerTest::start() {
    access_ = std::make_unique<Access>(folder_ / "access.yaml", allowed_clients_);
    workers_ = std::make_unique<Workers>();
    router_ = std::make_unique<Router>(*access_);
    const auto rest = [this] { return rest_; };
    add_recorder_routes(*router_, recorder_, rest);
    add_stream_routes(*router_, streams_, rest);
    add_file_routes(*router_, files_, cuts_, *workers_, rest);
    add_page_routes(*router_, folder_ / "client2", *workers_);
    add_health_routes(*router_, health_);
    add_metrics_routes(*router_, recorder_, streams_, health_);
    server_ = std::make_unique<Server>(options_, *router_, *workers_);
    server_->start();
}

Reply ServerTest::ask(std::string_view method, std::string_view target, std::string_view body,
                      const std::map<std::string, std::string>& headers) const {
    Client once(server_->http_port());
    return once.ask(method, target, body, headers);
}

void ServerTest::write(const std::string& name, std::string_view text) const {
    const auto path = files_.folder / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
}

}  // namespace tapedeck::host::api::test
