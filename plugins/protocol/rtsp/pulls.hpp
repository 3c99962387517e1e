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
    /// `protocol.rtsp.most`.
    void start(PullRequest request);
    /// Those of this address, or all where it is empty.
    std::vector<std::shared_ptr<Pull>> find(std::string_view uri) const;
    /// None is started any more.
    void close();

private:
    Context context_;
    std::vector<std::shared_ptr<Loop>>& loops_;
    Workers& workers_;
    TlsClient tls_;
    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<Pull>> pulls_;
    std::size_t turn_ = 0;
    bool is_closed_ = false;
};

}  // namespace tapedeck::rtsp
