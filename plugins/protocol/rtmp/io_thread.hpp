// One thread that serves connections, and what they share while it works on one of them.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <unordered_set>
#include <vector>

#include "message.hpp"
#include "packet_batch.hpp"
#include "tapedeck/context.hpp"
#include "timed_reads.hpp"

namespace tapedeck::rtmp {

class Connection;

/// Owns its connections. A read of any of them goes through one buffer and one batch, so a quiet connection needs no
/// memory of its own for them. All members but `context` and `start` are used on the thread itself.
class IoThread {
public:
    explicit IoThread(Context context);
    ~IoThread();

    /// May be posted to from any thread.
    boost::asio::io_context& context() { return *context_; }
    /// For callbacks that may come late: posting to it is harmless after `stop`.
    std::shared_ptr<boost::asio::io_context> shared_context() const { return context_; }

    void start();
    /// [control] Ends all connections with this reason, then joins. No call to the host comes afterwards.
    void stop(std::string_view reason);

    void add(std::shared_ptr<Connection> connection);
    void remove(const std::shared_ptr<Connection>& connection);

    std::vector<std::uint8_t>& read_buffer() { return read_buffer_; }
    Batch& batch() { return batch_; }
    PacketBatch& packets() { return packets_; }
    TimedReads& timed_reads() { return timed_reads_; }

private:
    void look_after();

    Context host_;
    std::shared_ptr<boost::asio::io_context> context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    TimedReads timed_reads_;
    boost::asio::steady_timer care_;  // once a second while there are connections
    bool is_caring_ = false;
    std::unordered_set<std::shared_ptr<Connection>> connections_;
    std::vector<std::uint8_t> read_buffer_;
    Batch batch_;
    PacketBatch packets_;
    Thread thread_;
};

}  // namespace tapedeck::rtmp
