// All cameras that are pulled.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "pull.hpp"

namespace tapedeck::rtsp {

/// Thread-safe.
class Pulls {
public:
    /// `loops` and `workers` outlive it.
    Pulls(Context context, std::vector<std::shared_ptr<Loop>>& loops, Workers& workers);

    /// Throws Error: TD_EXISTS where the address is pulled or the stream's name is in use, TD_DENIED beyond
    /// `protocol.rtsp.most`. For a camera that cannot be had another login is taken, and tried at once.
    void start(PullRequest request);
    /// What conf/cameras.yaml lists now: new cameras are pulled, those that it listed before and does not any more end,
    /// and changed ones are connected anew, in the same stream unless that is named or recorded otherwise. Whoever
    /// waits to be tried again is tried now. What cannot be pulled is logged.
    void follow(std::vector<PullRequest> listed);
    /// How many of this address there were.
    std::size_t stop(std::string_view uri, const std::string& reason);
    /// Those of this address, or all where it is empty, without those that are ending.
    std::vector<std::shared_ptr<Pull>> find(std::string_view uri) const;
    /// None is started any more.
    void close();

private:
    struct Entry {
        std::shared_ptr<Pull> pull;
        PullRequest request;  // as it was asked for last
        bool is_ending = false;
    };

    // With `mutex_` held.
    void begin(PullRequest request);
    void end(Entry& entry, const std::string& reason);
    Entry* find_if_pulled(std::string_view uri);
    bool waits_for_an_end(const PullRequest& request) const;
    void over(const Pull& pull);

    Context context_;
    std::vector<std::shared_ptr<Loop>>& loops_;
    Workers& workers_;
    TlsClient tls_;
    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
    std::vector<PullRequest> next_;  // those that wait until an ending one has freed their address or stream
    std::size_t turn_ = 0;
    bool is_closed_ = false;
};

}  // namespace tapedeck::rtsp
