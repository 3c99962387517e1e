#include "webrtc/data/sctp.hpp"

#include <netinet/in.h>
#include <usrsctp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "tapedeck/context.hpp"

namespace tapedeck::webrtc {

namespace {

constexpr int buffer_size = 256 * 1024;  // of each direction
constexpr std::int64_t largest_budget = 512 * 1024;
constexpr std::uint32_t path_mtu = 1200;    // what DTLS, UDP and tunnels add stays below 1280
constexpr std::size_t most_outgoing = 256;  // datagrams; the stack repeats what is dropped
constexpr std::array<std::uint16_t, 3> wanted_events{SCTP_ASSOC_CHANGE, SCTP_PARTIAL_DELIVERY_EVENT,
                                                     SCTP_STREAM_RESET_EVENT};

template <class Value>
bool set(struct ::socket* socket, int level, int option, const Value& value) {
    return ::usrsctp_setsockopt(socket, level, option, &value, sizeof value) == 0;
}

sockaddr_conn name_of(void* address, std::uint16_t port) {
    sockaddr_conn name{};
    name.sconn_family = AF_CONN;
    name.sconn_port = htons(port);
    name.sconn_addr = address;
    return name;
}

sockaddr* generic(sockaddr_conn& name) {
    return static_cast<sockaddr*>(static_cast<void*>(&name));
}

/// What a notification begins with; its own length was checked by the stack.
template <class Notification>
Notification read_as(std::span<const std::uint8_t> bytes) {
    Notification read{};
    std::memcpy(&read, bytes.data(), std::min(bytes.size(), sizeof read));
    return read;
}

}  // namespace

/// usrsctp is one for the process: one set of timers, one table of associations. It begins with the first association
/// and stays.
class SctpAssociation::Stack {
public:
    static Stack& get() {
        static auto* stack = new Stack;  // never torn down: its timers may hold what a closed socket left
        return *stack;
    }

    std::mutex mutex;  // of all below, and of every call of usrsctp
    std::unordered_map<void*, SctpAssociation*> associations;
    std::uintptr_t last_address = 0;
    Time ticked{};
    std::vector<std::uint8_t> room = std::vector<std::uint8_t>(largest_message + 1);

    void run_timers(Time now) {
        constexpr Time step = std::chrono::milliseconds(10);
        if (ticked == Time{}) ticked = now;
        if (now - ticked < step) return;
        const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - ticked);
        ticked += passed;
        constexpr std::int64_t most = 60'000;  // nothing waits longer
        ::usrsctp_handle_timers(static_cast<std::uint32_t>(std::min<std::int64_t>(passed.count(), most)));
    }

private:
    Stack() {
        ::usrsctp_init_nothreads(0, &Stack::send, nullptr);
        ::usrsctp_sysctl_set_sctp_blackhole(2);  // no answer to what belongs to no association
        ::usrsctp_sysctl_set_sctp_ecn_enable(0);
        ::usrsctp_sysctl_set_sctp_asconf_enable(0);
        ::usrsctp_sysctl_set_sctp_auth_enable(0);
        ::usrsctp_sysctl_set_sctp_nrsack_enable(0);
        ::usrsctp_sysctl_set_sctp_pktdrop_enable(0);
        ::usrsctp_sysctl_set_sctp_sack_freq_default(1);  // nobody comes to fire a timer of milliseconds
    }

    /// Called with the lock held, by timers also for others than who works now.
    static int send(void* address, void* bytes, std::size_t size, std::uint8_t, std::uint8_t) {
        auto& stack = get();
        const auto found = stack.associations.find(address);
        if (found == stack.associations.end()) return ENOTCONN;
        auto& out = found->second->out_;
        if (out.size() == most_outgoing) return ENOBUFS;
        const auto* first = static_cast<const std::uint8_t*>(bytes);
        out.emplace_back(first, first + size);
        return 0;
    }
};

SctpAssociation::SctpAssociation(SctpEvents& events, std::uint16_t remote_port)
    : events_(events), remote_port_(remote_port), budget_(largest_budget) {
    auto& stack = Stack::get();
    const std::lock_guard lock(stack.mutex);
    socket_ = ::usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, nullptr, nullptr, 0, nullptr);
    if (socket_ == nullptr) throw Error(std::string("SCTP: no socket: ") + std::strerror(errno));
    ::usrsctp_set_non_blocking(socket_, 1);
    const int on = 1;
    const linger at_once{1, 0};
    const sctp_initmsg streams{most_streams, most_streams, 0, 0};
    const sctp_assoc_value resets{SCTP_ALL_ASSOC, SCTP_ENABLE_RESET_STREAM_REQ};
    sctp_paddrparams path{};
    path.spp_flags = SPP_PMTUD_DISABLE | SPP_HB_DISABLE;  // whether the peer is there is known by ICE
    path.spp_pathmtu = path_mtu;
    bool is_set = set(socket_, SOL_SOCKET, SO_RCVBUF, buffer_size) &&
                  set(socket_, SOL_SOCKET, SO_SNDBUF, buffer_size) && set(socket_, SOL_SOCKET, SO_LINGER, at_once) &&
                  set(socket_, IPPROTO_SCTP, SCTP_RECVRCVINFO, on) && set(socket_, IPPROTO_SCTP, SCTP_NODELAY, on) &&
                  set(socket_, IPPROTO_SCTP, SCTP_INITMSG, streams) &&
                  set(socket_, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, resets) &&
                  set(socket_, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, path);
    for (const auto event : wanted_events)
        is_set = is_set && set(socket_, IPPROTO_SCTP, SCTP_EVENT, sctp_event{SCTP_ALL_ASSOC, event, 1});
    const auto number = ++stack.last_address;
    std::memcpy(&address_, &number, sizeof address_);
    auto name = name_of(address_, usual_port);
    ::usrsctp_register_address(address_);
    if (!is_set || ::usrsctp_bind(socket_, generic(name), sizeof name) != 0) {
        const std::string why = std::strerror(errno);
        ::usrsctp_close(socket_);
        ::usrsctp_deregister_address(address_);
        throw Error("SCTP: a socket cannot be set up: " + why);
    }
    stack.associations[address_] = this;
}

SctpAssociation::~SctpAssociation() {
    auto& stack = Stack::get();
    const std::lock_guard lock(stack.mutex);
    stack.associations.erase(address_);
    ::usrsctp_close(socket_);
    ::usrsctp_deregister_address(address_);
}

template <class Work>
void SctpAssociation::work(Time now, Work work) {
    auto& stack = Stack::get();
    {
        const std::lock_guard lock(stack.mutex);
        stack.run_timers(now);
        work();
        if (filled_ == Time{}) filled_ = now;
        budget_ += std::max<std::int64_t>((now - filled_).count(), 0) * std::int64_t{bytes_a_second} / 1'000'000;
        budget_ = std::min(budget_, largest_budget);
        filled_ = now;
        read(stack);
    }
    tell();
}

void SctpAssociation::connect(Time now) {
    work(now, [&] {
        auto name = name_of(address_, remote_port_);
        if (::usrsctp_connect(socket_, generic(name), sizeof name) != 0 && errno != EINPROGRESS) state_ = State::over;
    });
}

void SctpAssociation::receive(std::span<const std::uint8_t> datagram, Time now) {
    work(now, [&] { ::usrsctp_conninput(address_, datagram.data(), datagram.size(), 0); });
}

void SctpAssociation::tick(Time now) {
    work(now, [] {});
}

bool SctpAssociation::send(const SctpMessage& message, Time now) {
    bool is_sent = false;
    work(now, [&] {
        sctp_sndinfo info{};
        info.snd_sid = message.stream;
        info.snd_ppid = htonl(message.protocol);
        const auto& bytes = message.bytes;
        is_sent = ::usrsctp_sendv(socket_, bytes.data(), bytes.size(), nullptr, 0, &info, sizeof info,
                                  SCTP_SENDV_SNDINFO, 0) == static_cast<ssize_t>(bytes.size());
    });
    return is_sent;
}

void SctpAssociation::reset(std::uint16_t stream, Time now) {
    work(now, [&] {
        std::array<std::uint8_t, sizeof(sctp_reset_streams) + sizeof stream> option{};
        sctp_reset_streams head{};
        head.srs_flags = SCTP_STREAM_RESET_OUTGOING;
        head.srs_number_streams = 1;
        std::memcpy(option.data(), &head, sizeof head);
        std::memcpy(option.data() + sizeof head, &stream, sizeof stream);
        ::usrsctp_setsockopt(socket_, IPPROTO_SCTP, SCTP_RESET_STREAMS, option.data(), option.size());
    });
}

/// Under the lock; what is not read closes the peer's window.
void SctpAssociation::read(Stack& stack) {
    while (budget_ > 0 && state_ != State::over) {
        sctp_rcvinfo info{};
        socklen_t from_size = 0, info_size = sizeof info;
        unsigned kind = 0;
        int flags = 0;
        const auto got = ::usrsctp_recvv(socket_, stack.room.data(), stack.room.size(), nullptr, &from_size, &info,
                                         &info_size, &kind, &flags);
        if (got <= 0) {
            if (got == 0) state_ = State::over;
            return;
        }
        const std::span bytes(stack.room.data(), static_cast<std::size_t>(got));
        budget_ -= got + static_cast<std::int64_t>(message_cost);
        if ((flags & MSG_NOTIFICATION) != 0)
            notified(bytes);
        else if (kind == SCTP_RECVV_RCVINFO)
            take({info.rcv_sid, ntohl(info.rcv_ppid), bytes}, (flags & MSG_EOR) != 0);
    }
}

/// Pieces of one message follow each other.
void SctpAssociation::take(const SctpMessage& piece, bool is_end) {
    if (!passes_over_ && partial_.size() + piece.bytes.size() > largest_message) {
        passes_over_ = true;
        ++oversized_;
        partial_.clear();
    }
    if (!passes_over_) partial_.insert(partial_.end(), piece.bytes.begin(), piece.bytes.end());
    if (!is_end) return;
    if (!std::exchange(passes_over_, false))
        came_.push_back({piece.stream, piece.protocol, std::exchange(partial_, {}), false});
}

void SctpAssociation::notified(std::span<const std::uint8_t> notification) {
    const auto head = read_as<sctp_notification::sctp_tlv>(notification);
    if (head.sn_type == SCTP_ASSOC_CHANGE) {
        const auto state = read_as<sctp_assoc_change>(notification).sac_state;
        if (state == SCTP_COMM_UP) state_ = State::connected;
        if (state == SCTP_COMM_LOST || state == SCTP_SHUTDOWN_COMP || state == SCTP_CANT_STR_ASSOC)
            state_ = State::over;
    } else if (head.sn_type == SCTP_PARTIAL_DELIVERY_EVENT) {  // the sender gave up the rest
        partial_.clear();
        passes_over_ = false;
    } else if (head.sn_type == SCTP_STREAM_RESET_EVENT && (head.sn_flags & SCTP_STREAM_RESET_INCOMING_SSN) != 0 &&
               (head.sn_flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED)) == 0) {
        for (auto rest = notification.subspan(std::min(notification.size(), sizeof(sctp_stream_reset_event)));
             rest.size() >= sizeof(std::uint16_t); rest = rest.subspan(sizeof(std::uint16_t)))
            came_.push_back({read_as<std::uint16_t>(rest), 0, {}, true});
    }
}

/// Without the lock. What is done from within comes out of the same loop.
void SctpAssociation::tell() {
    if (is_telling_) return;
    is_telling_ = true;
    struct Told {
        bool& is_telling;
        ~Told() { is_telling = false; }
    } told{is_telling_};
    for (;;) {
        std::deque<std::vector<std::uint8_t>> out;
        {
            const std::lock_guard lock(Stack::get().mutex);
            out.swap(out_);
        }
        const auto came = std::exchange(came_, {});
        if (out.empty() && came.empty()) return;
        for (const auto& datagram : out) events_.datagram(datagram);
        for (const auto& one : came) {
            if (one.is_close)
                events_.closed(one.stream);
            else
                events_.message({one.stream, one.protocol, one.bytes});
        }
    }
}

}  // namespace tapedeck::webrtc
