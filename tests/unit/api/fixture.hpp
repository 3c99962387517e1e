// A server on loopback with fakes behind it.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "access/access.hpp"
#include "api/controls.hpp"
#include "api/router.hpp"
#include "api/routes.hpp"
#include "api/server.hpp"
#include "client.hpp"

namespace tapedeck::host::api::test {

/// Knows the sessions in `sessions`; keeps what it was asked.
class FakeRecorder : public RecorderControl {
public:
    void start(const std::string& session, const Settings& settings, Done done) override;
    void stop(const std::string& session, Done done) override;
    std::vector<Running> running() override;

    /// Calls `done` of the stops that wait, see `hold_stops`.
    void release_stops();
    /// Waits until so many stops wait.
    void await_stops(std::size_t count);

    std::vector<std::string> sessions;
    std::vector<Running> list;
    std::vector<std::pair<std::string, Settings>> started;
    bool hold_stops = false;

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Done> held_;
};

class FakeStreams : public StreamDirectory {
public:
    std::vector<StreamObject> streams() override { return list; }
    bool terminate(const std::string& session, std::string_view reason) override {
        ended.emplace_back(session, reason);
        return true;
    }
    std::vector<StreamObject> list;
    std::vector<std::pair<std::string, std::string>> ended;
};

/// Names under `folder`, and those that still run.
class FakeFiles : public RecordFiles {
public:
    Located locate(const std::string& name) override;
    std::filesystem::path place_of(const std::string& name) const override {
        return running.contains(name) ? std::filesystem::path() : folder / name;
    }
    std::filesystem::path folder;
    std::map<std::string, std::shared_ptr<const void>> running;  ///< with their holds; without one nothing is written
    std::vector<std::string> asked;
};

/// Cuts files that end with `.mp4`: a part is a file of its own with its times in it. `failure`, when set, is told.
class FakeCuts : public RecordCuts {
public:
    bool can_cut(std::string_view name) const override { return name.ends_with(".mp4"); }
    std::string setting_for(std::string_view name) const override {
        return name.ends_with(".webm") ? "cutter.other_formats" : "";
    }
    void cut(const std::filesystem::path& source, const std::string& name, const Times& times, Done done) override;
    std::optional<Kept> kept(const std::filesystem::path& source, const std::string& name, const Times& times) override;
    void snapshot(const RecordFiles::Located& source, const std::string& name, const Times& times, const Viewer& viewer,
                  SnapshotDone done) override;
    std::filesystem::path folder;
    std::filesystem::path made_before;  ///< the part of everything
    std::vector<Times> asked;
    std::vector<Viewer> viewers;
    std::optional<Error> failure;
};

class FakeHealth : public Health {
public:
    bool ready() override { return is_ready; }
    boost::json::object report() override { return {{"ports", {{"http", 8081}}}}; }
    bool is_ready = true;
};

class ServerTest : public testing::Test {
protected:
    ServerTest();
    ~ServerTest() override;

    /// Starts the server with `options`; port and address are set here.
    void start();
    Client client() const { return Client(server_->http_port()); }
    /// One request over a connection of its own.
    Reply ask(std::string_view method, std::string_view target, std::string_view body = {},
              const std::map<std::string, std::string>& headers = {}) const;
    void write(const std::string& name, std::string_view text) const;

    std::filesystem::path folder_;
    std::string allowed_clients_ = "127.0.0.0/8, ::1";
    ServerOptions options_;
    RestOptions rest_;
    FakeRecorder recorder_;
    FakeStreams streams_;
    FakeFiles files_;
    FakeCuts cuts_;
    FakeHealth health_;
    std::unique_ptr<Access> access_;
    std::unique_ptr<Workers> workers_;
    std::unique_ptr<Router> router_;
    std::unique_ptr<Server> server_;
};

}  // namespace tapedeck::host::api::test
