#include "base/loop.hpp"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <thread>

#include "base/log.hpp"
#include "base/thread_name.hpp"

namespace tapedeck::host {

namespace net = boost::asio;

class Loop::Body {
public:
    explicit Body(std::string name) : name_(std::move(name)), guard_(io_.get_executor()), thread_([this] { run(); }) {}

    void post(Job job) {
        net::post(io_, [this, job = std::move(job)] { once(job); });
    }
    void after(std::chrono::milliseconds delay, Job job) {
        auto timer = std::make_shared<net::steady_timer>(io_, delay);
        timer->async_wait([this, timer, job = std::move(job)](const boost::system::error_code& error) {
            if (!error) once(job);
        });
    }
    void every(std::chrono::milliseconds period, const Job& job) {
        after(period, [this, period, job] {
            once(job);
            every(period, job);
        });
    }
    void stop() {
        io_.stop();
        if (thread_.joinable()) thread_.join();
    }

private:
    void run() {
        name_thread(name_.substr(0, 15).c_str());
        io_.run();
    }
    void once(const Job& job) const {
        try {
            job();
        } catch (const std::exception& e) {
            log::error("{}: {}", name_, e.what());
        }
    }

    std::string name_;
    net::io_context io_{1};
    net::executor_work_guard<net::io_context::executor_type> guard_;
    std::thread thread_;
};

Loop::Loop(std::string name) : body_(std::make_unique<Body>(std::move(name))) {}
Loop::~Loop() {
    stop();
}
void Loop::post(Job job) {
    body_->post(std::move(job));
}
void Loop::after(std::chrono::milliseconds delay, Job job) {
    body_->after(delay, std::move(job));
}
void Loop::every(std::chrono::milliseconds period, Job job) {
    body_->every(period, job);
}
void Loop::stop() {
    body_->stop();
}

}  // namespace tapedeck::host
