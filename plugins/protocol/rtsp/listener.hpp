// The port that encoders publish to.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "loop.hpp"
#include "settings.hpp"

namespace tapedeck::rtsp {

/// Lives on the first loop; connections are spread over all of them.
class Listener : public Member, public std::enable_shared_from_this<Listener> {
public:
    /// Binds to the settings `address` and `port`. Throws Error naming them.
    Listener(Context context, std::vector<std::shared_ptr<Loop>>& loops);

    std::uint16_t port() const { return local_address(socket_.get()).port(); }
    /// [control] Once.
    void start();

    void ready(int descriptor, std::uint32_t events, std::int64_t now_us) override;
    void tick(std::int64_t now_us) override;
    void end(const std::string& reason) override;

private:
    Context context_;
    std::vector<std::shared_ptr<Loop>>& loops_;
    Descriptor socket_;
    std::shared_ptr<std::atomic<std::int64_t>> count_ = std::make_shared<std::atomic<std::int64_t>>(0);
    std::size_t turn_ = 0;
    std::int64_t pause_until_us_ = 0, told_us_ = 0;
};

}  // namespace tapedeck::rtsp
