#include "webrtc/transport/tcp.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "webrtc/transport/framing.hpp"

namespace tapedeck::webrtc {

namespace {

constexpr std::size_t block_size = 64 << 10, least_read = 8 << 10;
constexpr int accepted_a_turn = 64, backlog = 256;
constexpr int unsent_in_system = 64 << 10;  // bytes; more would only be late
constexpr std::size_t kept_queue = 16 << 10;
constexpr std::size_t word = 4;  // bytes, which libsrtp reads at once

bool must_wait() {
    return errno == EAGAIN || errno == EINTR;
}

}  // namespace

struct TcpConnections::Connection {
    Descriptor descriptor;
    Pair pair;
    Time accepted{};
    Bytes unread, out;  // the beginning of a frame; frames that wait
    bool is_verified = false, is_blocked = false, is_over = false;
};

TcpListener::TcpListener(const Endpoint& address, Place place) : BoundSocket(SOCK_STREAM, address, place) {
    if (::listen(descriptor(), backlog) != 0)
        throw Error("TCP " + address.text() + " takes no connections: " + std::strerror(errno));
}

TcpConnections::TcpConnections(Context context, std::vector<TcpListener> listeners, const TcpLimits& limits,
                               Owner& owner)
    : context_(context),
      listeners_(std::move(listeners)),
      limits_(limits),
      owner_(owner),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (const auto& listener : listeners_) watch(listener.descriptor(), EPOLL_CTL_ADD, EPOLLIN, nullptr);
}

TcpConnections::~TcpConnections() = default;

/// A null `connection` stands for the listeners.
void TcpConnections::watch(int descriptor, int operation, std::uint32_t events, Connection* connection) const {
    epoll_event event{};
    event.events = events;
    event.data.ptr = connection;
    if (::epoll_ctl(epoll_.get(), operation, descriptor, &event) != 0)
        throw Error(std::string("epoll: ") + std::strerror(errno));
}

void TcpConnections::listen(bool is_open) {
    is_paused_ = !is_open;
    for (const auto& listener : listeners_)
        watch(listener.descriptor(), EPOLL_CTL_MOD, is_open ? std::uint32_t{EPOLLIN} : 0u, nullptr);
}

void TcpConnections::turn(Time now) {
    std::array<epoll_event, 64> events{};
    const auto count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i) {
        auto* connection = static_cast<Connection*>(events[i].data.ptr);
        if (connection == nullptr) {
            accept(now);
            continue;
        }
        if (!connection->is_over && (events[i].events & EPOLLOUT) != 0) write(*connection);
        if (!connection->is_over && (events[i].events & ~std::uint32_t{EPOLLOUT}) != 0) read(*connection, now);
    }
}

void TcpConnections::tick(Time now) {
    if (is_paused_) listen(true);
    while (!unverified_.empty() && now - unverified_.front()->accepted >= limits_.patience)
        close(unverified_.front()->pair);
}

void TcpConnections::accept(Time now) {
    for (const auto& listener : listeners_) {
        for (int i = 0; i < accepted_a_turn; ++i) {
            sockaddr_storage here{}, there{};
            socklen_t here_size = sizeof here, there_size = sizeof there;
            const auto name = [](sockaddr_storage& of) { return static_cast<sockaddr*>(static_cast<void*>(&of)); };
            Descriptor made(::accept4(listener.descriptor(), name(there), &there_size, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (!made && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
                return listen(false);
            if (!made && must_wait()) break;
            if (!made || ::getsockname(made.get(), name(here), &here_size) != 0) continue;
            set_option(made.get(), IPPROTO_TCP, TCP_NODELAY, 1);
            set_option(made.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, unsent_in_system);
            add({std::move(made), {Endpoint::of(here), Endpoint::of(there), true}, now, {}});
        }
    }
}

/// For one more without a check: nobody closes the way in for others.
void TcpConnections::make_room(const Endpoint& remote) {
    const auto is_same = [&, source = remote.source()](const Connection* one) {
        return one->pair.remote.source() == source;
    };
    const auto of_one = static_cast<std::size_t>(std::count_if(unverified_.begin(), unverified_.end(), is_same));
    if (of_one >= limits_.unverified_of_one)
        close((*std::find_if(unverified_.begin(), unverified_.end(), is_same))->pair);
    else if (unverified_.size() >= limits_.unverified)
        close(unverified_.front()->pair);
}

TcpConnections::Connection& TcpConnections::add(TcpStream stream) {
    if (const auto earlier = connections_.find(stream.pair); earlier != connections_.end())
        lose(*earlier->second);  // its end was not seen yet
    make_room(stream.pair.remote);
    auto made = std::make_unique<Connection>();
    made->descriptor = std::move(stream.descriptor);
    made->pair = stream.pair;
    made->accepted = stream.accepted;
    watch(made->descriptor.get(), EPOLL_CTL_ADD, EPOLLIN, made.get());
    unverified_.push_back(made.get());
    return *connections_.try_emplace(stream.pair, std::move(made)).first->second;
}

void TcpConnections::adopt(TcpStream stream, Time now) try {
    const auto unread = std::move(stream.unread);
    auto& connection = add(std::move(stream));
    const auto bytes = room(unread).first(unread.size());
    read_ = unread.size();
    work(connection, bytes, now);
} catch (const Error& e) {
    context_.error(std::string("a connection is lost between two threads: ") + e.what());
}

/// Where to read into, behind `unread`, which is put there.
std::span<std::uint8_t> TcpConnections::room(const Bytes& unread) {
    constexpr auto first = word - frame_header;  // so that the packet begins with a word
    if (std::exchange(is_kept_, false)) used_ += (read_ + word - 1) / word * word;
    if (const auto least = unread.size() + least_read; block_.capacity() < used_ + least) {
        block_ = context_.buffer(std::max(block_size, first + least));
        used_ = first;
    }
    std::copy(unread.begin(), unread.end(), block_.data() + used_);
    return {block_.data() + used_, block_.capacity() - used_};
}

void TcpConnections::read(Connection& connection, Time now) {
    const auto into = room(connection.unread);
    const auto before = connection.unread.size();
    const auto count = ::recv(connection.descriptor.get(), into.data() + before, into.size() - before, 0);
    if (count < 0 && must_wait()) return;
    if (count <= 0) return lose(connection);
    read_ = before + static_cast<std::size_t>(count);
    work(connection, into.first(read_), now);
}

/// A media packet, moved to where a word begins: over what nobody keeps, the end of the tag of the frame before.
std::span<std::uint8_t> TcpConnections::aligned(std::span<std::uint8_t> frame) const {
    const auto off = static_cast<std::size_t>(frame.data() - block_.data()) % word;
    if (off == 0 || frame[0] < 128) return frame;
    std::memmove(frame.data() - off, frame.data(), frame.size());
    return {frame.data() - off, frame.size()};
}

void TcpConnections::work(Connection& connection, std::span<std::uint8_t> bytes, Time now) {
    try {
        while (!connection.is_over) {
            unworked_ = bytes;
            const auto frame = take_frame(bytes);
            if (!frame) break;
            if (frame->empty()) continue;  // says nothing (RFC 4571 section 2)
            const bool is_taken = owner_.take(connection.pair, Arrival(aligned(*frame), now, block_, is_kept_));
            if (connection.is_over) return;
            if (!is_taken) return close(connection.pair);
            if (!std::exchange(connection.is_verified, true)) std::erase(unverified_, &connection);
        }
    } catch (const Malformed&) {
        return lose(connection);
    } catch (...) {
        lose(connection);
        throw;
    }
    connection.unread.assign(bytes.begin(), bytes.end());
}

void TcpConnections::send(const Pair& to, ByteSpan packet) {
    const auto found = connections_.find(to);
    if (found == connections_.end() || found->second->out.size() + frame_header + packet.size() > limits_.queued) {
        ++dropped_;
        return;
    }
    auto& connection = *found->second;
    if (connection.out.empty()) unsent_.push_back(&connection);
    append_frame(connection.out, packet);
}

void TcpConnections::write(Connection& connection) {
    auto& out = connection.out;
    const auto count = ::send(connection.descriptor.get(), out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (connection.is_over) return;
    if (count < 0 && !must_wait()) return lose(connection);
    out.erase(out.begin(), out.begin() + std::max<std::ptrdiff_t>(count, 0));
    if (out.empty() && out.capacity() > kept_queue) Bytes().swap(out);
    if (connection.is_blocked == out.empty()) {
        connection.is_blocked = !out.empty();
        watch(connection.descriptor.get(), EPOLL_CTL_MOD, EPOLLIN | (out.empty() ? 0u : std::uint32_t{EPOLLOUT}),
              &connection);
    }
}

void TcpConnections::flush() {
    for (auto* connection : unsent_) write(*connection);
    unsent_.clear();
    over_.clear();
}

void TcpConnections::lose(const Connection& connection) {
    owner_.gone(connection.pair);
    close(connection.pair);
}

void TcpConnections::close(const Pair& pair) {
    const auto found = connections_.find(pair);
    if (found == connections_.end()) return;
    found->second->is_over = true;
    if (!found->second->is_verified) std::erase(unverified_, found->second.get());
    over_.push_back(std::move(found->second));
    connections_.erase(found);
}

TcpStream TcpConnections::release(const Pair& pair) {
    auto& connection = *connections_.at(pair);
    watch(connection.descriptor.get(), EPOLL_CTL_DEL, 0, nullptr);
    TcpStream stream{std::move(connection.descriptor), pair, connection.accepted, {unworked_.begin(), unworked_.end()}};
    connection.out.clear();
    close(pair);
    return stream;
}

}  // namespace tapedeck::webrtc
