#include "io_thread.hpp"

#include <boost/asio/post.hpp>
#include <chrono>

#include "connection.hpp"

namespace tapedeck::rtmp {

namespace {
constexpr std::size_t read_size = 256u << 10;
}

IoThread::IoThread(Context context)
    : host_(context),
      context_(std::make_shared<boost::asio::io_context>(1)),
      work_(boost::asio::make_work_guard(*context_)),
      timed_reads_(*context_),
      care_(*context_),
      read_buffer_(read_size),
      packets_(context) {}

IoThread::~IoThread() {
    stop("the server stops");
}

void IoThread::start() {
    thread_ = Thread(host_, "rtmp", [this](const std::stop_token&) {
        while (!context_->stopped()) {
            try {
                context_->run();
            } catch (const std::exception& e) {
                host_.error(std::string("a connection failed in an unforeseen way: ") + e.what());
            }
        }
    });
}

void IoThread::stop(std::string_view reason) {
    boost::asio::post(*context_, [this, text = std::string(reason)] {
        const auto connections = connections_;
        for (const auto& connection : connections) connection->abort(text);
        timed_reads_.stop();
        care_.cancel();
        work_.reset();
        context_->stop();
    });
    thread_ = {};
}

void IoThread::add(std::shared_ptr<Connection> connection) {
    connections_.insert(std::move(connection));
    if (!is_caring_) look_after();
}

void IoThread::remove(const std::shared_ptr<Connection>& connection) {
    connections_.erase(connection);
}

/// Deadlines of all connections from one timer.
void IoThread::look_after() {
    is_caring_ = !connections_.empty();
    if (!is_caring_) return;
    care_.expires_after(std::chrono::seconds(1));
    care_.async_wait([this](auto error) {
        if (error) return;
        const auto connections = connections_;
        for (const auto& connection : connections) connection->check_deadlines();
        look_after();
    });
}

}  // namespace tapedeck::rtmp
