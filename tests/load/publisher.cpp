#include "publisher.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <system_error>

namespace tapedeck::load {
namespace {

constexpr std::size_t handshake_size = 1536;
constexpr char amf_null = 5;

std::string amf_key(std::string_view text) {
    return big_endian(text.size(), 2) + std::string(text);
}
std::string amf_text(std::string_view text) {
    return '\2' + amf_key(text);
}
std::string amf_number(double value) {
    return '\0' + big_endian(std::bit_cast<std::uint64_t>(value), 8);
}
const std::string amf_end_of_object("\0\0\x09", 3);

/// Where the answer to this transaction begins, behind its number.
std::size_t result_of(const std::string& in, double transaction) {
    const std::string wanted = amf_text("_result") + amf_number(transaction);
    const std::size_t at = in.find(wanted);
    return at == std::string::npos ? at : at + wanted.size();
}

}  // namespace

Publisher::~Publisher() {
    if (socket_ >= 0) close(socket_);
}

void Publisher::end(std::string failure) {
    failure_ = std::move(failure);
    over_ = true;
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
}

void Publisher::connect() {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) throw std::system_error(errno, std::generic_category(), "socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(plan_.port);
    if (inet_pton(AF_INET, plan_.host.c_str(), &address.sin_addr) != 1)
        throw std::system_error(EINVAL, std::generic_category(), plan_.host);
    // Loopback connects at once; the listen queue holds a ramp of publishers.
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::system_error(errno, std::generic_category(), "connect " + plan_.host);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    out_ = '\3' + std::string(handshake_size, '\0');
    flush();
}

/// True when nothing is left to send.
bool Publisher::flush() {
    while (!out_.empty()) {
        const ssize_t n = send(socket_, out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            if (errno == EAGAIN) {
                full_ = true;
                return false;
            }
            end("send failed");
            return false;
        }
        out_.erase(0, static_cast<std::size_t>(n));
    }
    full_ = false;
    return true;
}

void Publisher::command(std::string_view name, double transaction, std::string_view arguments, std::uint32_t stream) {
    const std::string body = amf_text(name) + amf_number(transaction) + std::string(arguments);
    out_ += ChunkWriter(plan_.chunk_size).message(3, 20, 0, body, stream);
}

void Publisher::receive(std::uint64_t now_ms) {
    std::array<char, 4096> buffer;
    while (!over_) {
        const ssize_t n = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) return end(step_ >= Step::Goodbye ? "" : "closed by the server");
        if (step_ >= Step::Media) continue;  // acknowledgements
        in_.append(buffer.data(), static_cast<std::size_t>(n));
        answer(now_ms);
    }
}

void Publisher::answer(std::uint64_t now_ms) {
    if (step_ == Step::Handshake && in_.size() >= 1 + 2 * handshake_size) {
        out_ += in_.substr(1, handshake_size);
        in_.erase(0, 1 + 2 * handshake_size);
        out_ += ChunkWriter(128).message(2, 1, 0, big_endian(plan_.chunk_size, 4), 0);
        const std::string url = "rtmp://" + plan_.host + ":" + std::to_string(plan_.port) + "/live";
        command("connect", 1,
                '\3' + amf_key("app") + amf_text("live") + amf_key("type") + amf_text("nonprivate") +
                    amf_key("flashVer") + amf_text("FMLE/3.0 (compatible; rtmp_load)") + amf_key("tcUrl") +
                    amf_text(url) + amf_end_of_object);
        step_ = Step::Connect;
    }
    if (step_ == Step::Connect && result_of(in_, 1) != std::string::npos) {
        command("releaseStream", 2, amf_null + amf_text(name_));
        command("FCPublish", 3, amf_null + amf_text(name_));
        command("createStream", 4, std::string(1, amf_null));
        step_ = Step::Create;
    }
    if (step_ == Step::Create) {
        const std::size_t at = result_of(in_, 4);  // then null and the number of the stream
        if (at != std::string::npos && in_.size() >= at + 10) {
            std::uint64_t bits = 0;
            for (std::size_t i = at + 2; i < at + 10; ++i) bits = bits << 8 | static_cast<unsigned char>(in_[i]);
            stream_ = static_cast<std::uint32_t>(std::bit_cast<double>(bits));
            if (stream_ != 1) return end("the server gave a stream other than 1");
            command("publish", 5, amf_null + amf_text(name_) + amf_text("live"), stream_);
            step_ = Step::Publish;
        }
    }
    if (step_ == Step::Publish && in_.find("NetStream.Publish.Start") != std::string::npos) {
        step_ = Step::Media;
        began_ms_ = now_ms;
        in_.clear();
    }
}

void Publisher::send_due(std::uint64_t now_ms) {
    constexpr std::size_t most_at_once = 65536;
    while (step_ == Step::Media && !over_) {
        const auto& list = pass_ == 0 ? clip_.first : clip_.again;
        if (next_ == list.size()) {
            next_ = 0;
            ++pass_;
            continue;
        }
        // Everything that is due goes in one call, as far as it lies in one piece.
        const auto time = [&](std::size_t i) { return pass_ * clip_.length_ms + list[i].time_ms; };
        const auto due = [&](std::size_t i) {
            return (plan_.media_ms == 0 || time(i) < plan_.media_ms) && (!plan_.paced || time(i) <= now_ms - began_ms_);
        };
        const bool once = plan_.media_ms == 0 && plan_.media_bytes == 0;
        const bool enough = once                  ? pass_ > 0
                            : plan_.media_ms != 0 ? time(next_) >= plan_.media_ms
                                                  : sent_.bytes >= plan_.media_bytes;
        if (enough) {
            if (finished_ms_ == 0) finished_ms_ = now_ms;
            if (now_ms - finished_ms_ < plan_.hold_ms) return;
            command("FCUnpublish", 6, amf_null + amf_text(name_));
            command("deleteStream", 7, amf_null + amf_number(stream_));
            step_ = Step::Goodbye;
            return;
        }
        if (part_ == 0 && !due(next_)) return;
        std::size_t size = list[next_].size - part_;
        for (std::size_t i = next_ + 1; i < list.size() && size < most_at_once && due(i); ++i) size += list[i].size;
        const ssize_t n = send(socket_, clip_.bytes.data() + list[next_].at + part_, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            full_ = true;
            return;
        }
        if (n < 0) return end("send failed");
        sent_.bytes += static_cast<std::uint64_t>(n);
        part_ += static_cast<std::size_t>(n);
        while (next_ < list.size() && part_ >= list[next_].size) {
            part_ -= list[next_].size;
            sent_.video += list[next_].kind == Kind::Video;
            sent_.audio += list[next_].kind == Kind::Audio;
            ++next_;
        }
    }
}

void Publisher::work(std::uint64_t now_ms) {
    receive(now_ms);
    if (over_) return;
    full_ = false;
    if (!flush()) return;
    if (step_ == Step::Media) send_due(now_ms);
    if (!over_ && step_ == Step::Goodbye && flush()) {
        shutdown(socket_, SHUT_WR);
        step_ = Step::Gone;
    }
}

}  // namespace tapedeck::load
