#include "listener.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <cstring>

#include "publish_session.hpp"

namespace tapedeck::rtsp {

namespace {

constexpr std::int64_t pause_us = 200'000;  // when the system has no more sockets

Descriptor bound(const Context& context) {
    const std::string address(context.text(keys::address));
    try {
        return listen_on(Address::parse(address, static_cast<std::uint16_t>(context.integer(keys::port))));
    } catch (const Error& e) {
        throw Error(std::string("settings 'protocol.rtsp.address' and 'rtsp.port': ") + e.what());
    }
}

}  // namespace

Listener::Listener(Context context, std::vector<std::shared_ptr<Loop>>& loops)
    : context_(context), loops_(loops), socket_(bound(context)) {}

void Listener::start() {
    loops_.front()->post([self = shared_from_this()] {
        self->loops_.front()->add(self);
        self->loops_.front()->watch(self->socket_.get(), EPOLLIN, self);
    });
}

void Listener::ready(int, std::uint32_t, std::int64_t now_us) {
    for (;;) {
        Descriptor socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket) {
            if (errno == EMFILE || errno == ENFILE) {
                context_.error(std::string("RTSP takes no connection: ") + std::strerror(errno));
                loops_.front()->forget(socket_.get());
                pause_until_us_ = now_us + pause_us;
            }
            return;
        }
        const auto most = context_.integer(keys::max_publishers);
        if (++*count_ > most) {
            --*count_;
            if (now_us - told_us_ > 1'000'000)
                context_.warning("a publisher is turned away: " + std::to_string(most) +
                                 " are connected; setting 'protocol.rtsp.max_publishers'");
            told_us_ = now_us;
            continue;
        }
        const auto& loop = loops_[turn_++ % loops_.size()];
        const auto session = std::make_shared<PublishSession>(context_, *loop, loop, Settings::read(context_),
                                                              std::move(socket), count_);
        loop->post([session] { session->begin(); });
    }
}

void Listener::tick(std::int64_t now_us) {
    if (pause_until_us_ == 0 || now_us < pause_until_us_) return;
    pause_until_us_ = 0;
    loops_.front()->watch(socket_.get(), EPOLLIN, shared_from_this());
}

void Listener::end(const std::string&) {}

}  // namespace tapedeck::rtsp
