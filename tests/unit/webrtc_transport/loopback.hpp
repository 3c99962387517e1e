// A server's transport and browsers' ends over loopback.
#pragma once

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>

#include "checks.hpp"
#include "testkit/fake_host.hpp"
#include "webrtc/transport/framing.hpp"
#include "webrtc/transport/transport.hpp"

namespace tapedeck::webrtc {

/// What the server heard of one peer; waits for it.
class Heard : public PeerEvents {
public:
    void connected(Peer&) override { tell("connected;"); }
    void failed(std::string_view reason) override { tell(std::string(reason) + ";"); }
    void ended() override { tell("ended;"); }
    void rtp(const Arrival& arrival) override {
        {
            const std::lock_guard lock(mutex_);
            kept_.emplace_back(arrival.keep(), arrival.packet);
        }
        changed_.notify_all();
    }
    void rtcp(const Arrival&) override {}

    bool wait_for(const std::string& story) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return story_ == story; });
    }
    bool wait_for_packets(std::size_t count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return kept_.size() >= count; });
    }
    /// Of what was kept: how many packets do not begin with a word.
    std::ptrdiff_t crooked() {
        const std::lock_guard lock(mutex_);
        return std::count_if(kept_.begin(), kept_.end(),
                             [](const auto& one) { return (one.second.data() - one.first.data()) % 4 != 0; });
    }
    /// The sequence numbers of what was kept.
    std::vector<int> sequences() {
        const std::lock_guard lock(mutex_);
        std::vector<int> all;
        all.reserve(kept_.size());
        for (const auto& [block, packet] : kept_) all.push_back(packet[2] << 8 | packet[3]);
        return all;
    }

private:
    void tell(const std::string& what) {
        {
            const std::lock_guard lock(mutex_);
            story_ += what;
        }
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string story_;
    std::vector<std::pair<Buffer, std::span<std::uint8_t>>> kept_;
};

/// A browser's end on a socket of its own.
class Client : public PeerEvents, public DatagramOut {
public:
    Client(const testkit::FakeHost& host, const std::shared_ptr<DtlsIdentity>& identity, const Fingerprint& server,
           const std::string& ip = "127.0.0.1")
        : identity_(identity), in_(Context(host.table(), host.context())), ip_(ip) {
        sockets_.emplace_back(Endpoint::parse(ip, 0));
        peer_ = std::make_unique<Peer>(PeerConfig{local_, {}, DtlsRole::client, server, {}}, identity, *this, *this,
                                       Time{});
    }

    /// The config with which the server expects this client.
    PeerConfig expected() const { return {server_, "peer", DtlsRole::server, identity_->fingerprint(), {}}; }
    void to(const Endpoint& server) { to_ = {sockets_.back().local(), server}; }
    /// Checks and nominates, and does so again until an answer comes.
    bool check(const Endpoint& server) {
        to(server);
        answers_ = 0;
        return wait([&] { return answers_ > 0; }, [&] { send(check_of(server_)); });
    }
    bool connect(const Endpoint& server) {
        if (!check(server)) return false;
        const auto own = check_of(local_);
        peer_->check(stun::parse(own).value(), to_, {}, false);
        return wait([&] { return story_ == "connected;"; });
    }
    void move() { sockets_.emplace_back(Endpoint::parse(ip_, 0)); }
    /// From now on by TCP, until `use_udp`. With `receive_buffer` bytes in the system, 0: as many as it likes.
    bool use_tcp(const Endpoint& server, int receive_buffer = 0) {
        tcp_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        is_closed_ = false;
        stream_.clear();
        set_option(tcp_.get(), IPPROTO_TCP, TCP_NODELAY, 1);
        if (receive_buffer != 0) set_option(tcp_.get(), SOL_SOCKET, SO_RCVBUF, receive_buffer);
        sockaddr_storage name{};
        auto size = Endpoint::parse(ip_, 0).store(name);
        if (::bind(tcp_.get(), static_cast<const sockaddr*>(static_cast<const void*>(&name)), size) != 0) return false;
        size = server.store(name);
        return ::connect(tcp_.get(), static_cast<const sockaddr*>(static_cast<const void*>(&name)), size) == 0;
    }
    void use_udp() { tcp_ = Descriptor(); }
    bool wait_for_close() {
        return wait([&] { return is_closed_; });
    }
    /// The frame of a packet, which does not leave.
    Bytes framed_rtp(std::uint8_t sequence) {
        is_held_ = true;
        send_rtp(sequence);
        is_held_ = false;
        return std::exchange(held_, {});
    }
    void send_stream(ByteSpan bytes) { ::send(tcp_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
    void send_rtp(std::uint8_t sequence) {
        Bytes packet{0x80, 96, 0, sequence, 0, 0, 0, 1, 0, 0, 0, 1};
        packet.resize(300);
        EXPECT_TRUE(peer_->send_rtp(packet));
    }
    void send(ByteSpan bytes) {
        if (is_held_) return append_frame(held_, bytes);
        if (tcp_) {
            Bytes framed;
            append_frame(framed, bytes);
            return send_stream(framed);
        }
        sockaddr_storage name{};
        const auto size = to_.remote.store(name);
        ::sendto(sockets_.back().descriptor(), bytes.data(), bytes.size(), 0,
                 static_cast<const sockaddr*>(static_cast<const void*>(&name)), size);
    }
    template <class Predicate, class Again>
    bool wait(Predicate is_done, Again again) {
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!is_done() && std::chrono::steady_clock::now() < limit) {
            again();
            pollfd poll{tcp_ && !is_closed_ ? tcp_.get() : sockets_.back().descriptor(), POLLIN, 0};
            ::poll(&poll, 1, 50);
            take();
            peer_->tick({});
        }
        return is_done();
    }
    template <class Predicate>
    bool wait(Predicate is_done) {
        return wait(is_done, [] {});
    }
    void take() {
        if (tcp_) return take_stream();
        for (const auto& datagram : in_.receive(sockets_.back())) {
            last_from_ = datagram.via.remote;
            if (datagram.bytes[0] <= 3) ++answers_;
            peer_->receive(to_local(datagram.via), in_.arrival(datagram, {}));
        }
    }

    void connected(Peer&) override { story_ += "connected;"; }
    void failed(std::string_view reason) override { story_ += std::string(reason) + ";"; }
    void ended() override { story_ += "ended;"; }
    void rtp(const Arrival&) override { ++packets_; }
    void rtcp(const Arrival&) override {}
    std::span<std::uint8_t> room() override { return room_; }
    void commit(const Pair&, std::size_t size) override {
        if (room_[0] > 3) send(ByteSpan(room_).first(size));
    }

    IceCredentials local_ = IceCredentials::make(), server_ = IceCredentials::make();
    std::string story_;
    int answers_ = 0, packets_ = 0;
    Endpoint last_from_;
    bool is_closed_ = false;  // the server has closed the TCP connection

private:
    /// The client keeps its first pair, wherever it moved.
    Pair to_local(const Pair& via) { return peer_->ice().selected() != nullptr ? *peer_->ice().selected() : via; }

    std::shared_ptr<DtlsIdentity> identity_;
    ReceiveBatch in_;
    std::string ip_;
    std::vector<UdpSocket> sockets_;
    Pair to_;
    void take_stream() {
        std::array<std::uint8_t, 16384> part{};
        const auto count = ::recv(tcp_.get(), part.data(), part.size(), MSG_DONTWAIT);
        is_closed_ = is_closed_ || count == 0 || (count < 0 && errno != EAGAIN);
        stream_.insert(stream_.end(), part.begin(), part.begin() + std::max<std::ptrdiff_t>(count, 0));
        std::span<std::uint8_t> rest(stream_);
        bool is_kept = false;
        while (const auto frame = take_frame(rest)) {
            if ((*frame)[0] <= 3) ++answers_;
            peer_->receive(to_local(to_), Arrival(*frame, {}, block_, is_kept));
        }
        stream_.erase(stream_.begin(), stream_.end() - static_cast<std::ptrdiff_t>(rest.size()));
    }

    Descriptor tcp_;  // in use where it is open
    Bytes stream_, held_;
    bool is_held_ = false;
    Buffer block_;
    std::array<std::uint8_t, 1500> room_{};
    std::unique_ptr<Peer> peer_;
};

class Loopback : public ::testing::Test {
protected:
    TransportConfig on(const std::string& ip, unsigned threads = 1) const {
        return {{Endpoint::parse(ip, 0)}, threads, identity_, true, {}};
    }
    std::shared_ptr<DtlsIdentity> identity_ = DtlsIdentity::make(std::chrono::milliseconds(20)),
                                  theirs_ = DtlsIdentity::make(std::chrono::milliseconds(20));
    testkit::FakeHost host_;
    Context context_{host_.table(), host_.context()};
    std::shared_ptr<Heard> heard_ = std::make_shared<Heard>();
};

}  // namespace tapedeck::webrtc
