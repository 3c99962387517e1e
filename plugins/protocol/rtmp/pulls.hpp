// All streams that are pulled, and the REST calls that begin, show and end them (/rest-api/pull).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pull.hpp"
#include "sources/rest.hpp"

namespace tapedeck::rtmp {

/// Requests come on threads of the host.
class Pulls {
public:
    using CurrentSettings = std::function<std::shared_ptr<const Settings>()>;
    using NextThread = std::function<IoThread&()>;

    /// Opens its routes, where the host has HTTP. Both functions are called on any thread.
    Pulls(Shared& shared, CurrentSettings settings, NextThread next_thread);

    /// [control] Ends all; none begins afterwards.
    void stop();

private:
    void pull(std::string_view body);
    std::string find_all();
    void terminate(std::string_view body);
    void require_unpublished(const std::string& stream) const;
    void require_free(const PullRequest& request) const;
    void forget_ended();

    Shared& shared_;
    CurrentSettings settings_;
    NextThread next_thread_;
    std::mutex mutex_;  // of the rest
    std::vector<std::shared_ptr<Pull>> pulls_;
    bool is_stopping_ = false;
    std::optional<Http> http_;
};

}  // namespace tapedeck::rtmp
