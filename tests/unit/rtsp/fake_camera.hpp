// A camera on the loopback interface: answers as the test says and sends what it is told to.
#pragma once

#include <poll.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "rtp/packet.hpp"
#include "rtsp/message.hpp"
#include "rtsp/socket.hpp"

namespace tapedeck::rtsp {

inline const std::string camera_description =
    "v=0\r\ns=cam\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z2QAH6zZQFAFuwEQAAADABAAAAMDIPGDGWA=,aOvjyyLA\r\n"
    "a=control:track1\r\n";

/// One connection at a time. Its own thread answers; `send` and `hang_up` are for the test's.
class FakeCamera {
public:
    /// Gives the answer to a request of this number (from 0 over all connections), or nothing for the usual one.
    using Answer = std::function<std::optional<Message>(std::size_t number, const Message& request)>;

    explicit FakeCamera(Answer answer = {})
        : answer_(std::move(answer)), socket_(listen_on(Address::parse("127.0.0.1", 0))) {
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }
    std::string url(const std::string& login = "") const {
        return "rtsp://" + login + "127.0.0.1:" + std::to_string(local_address(socket_.get()).port()) + "/cam";
    }
    /// A picture of one packet: an IDR picture or another.
    void picture(std::uint16_t sequence, std::uint32_t timestamp, bool is_key) {
        Bytes bytes(4 + rtp::header_size);
        rtp::Packet head;
        head.marker = true;
        head.payload_type = 96;
        head.sequence = sequence;
        head.timestamp = timestamp;
        head.ssrc = 7;
        rtp::write_header(std::span(bytes).subspan(4), head, {});
        bytes.insert(bytes.end(), {static_cast<std::uint8_t>(is_key ? 0x65 : 0x41), 0x88, 1});
        bytes[0] = '$';
        bytes[3] = static_cast<std::uint8_t>(bytes.size() - 4);
        const std::lock_guard lock(mutex_);
        if (client_) ::send(client_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    void hang_up() {
        const std::lock_guard lock(mutex_);
        if (client_) ::shutdown(client_.get(), SHUT_RDWR);
    }
    std::size_t plays() const { return plays_; }

private:
    void run(const std::stop_token& stop) {
        Bytes bytes;
        while (!stop.stop_requested()) {
            pollfd waits{client_ ? client_.get() : socket_.get(), POLLIN, 0};
            if (::poll(&waits, 1, 10) <= 0) continue;
            if (!client_) {
                const std::lock_guard lock(mutex_);
                client_ = Descriptor(::accept(socket_.get(), nullptr, nullptr));
                bytes.clear();
                continue;
            }
            std::array<std::uint8_t, 4096> place{};
            const auto got = ::recv(client_.get(), place.data(), place.size(), 0);
            if (got <= 0) {
                const std::lock_guard lock(mutex_);
                client_ = Descriptor();
                continue;
            }
            bytes.insert(bytes.end(), place.begin(), place.begin() + got);
            for (auto front = parse(bytes); front.used != 0; front = parse(bytes)) {
                if (front.message) respond(*front.message);
                bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(front.used));
            }
        }
    }
    void respond(const Message& request) {
        auto answer = answer_ ? answer_(number_, request) : std::nullopt;
        ++number_;
        if (!answer) answer = usual(request);
        answer->set("CSeq", request.header("CSeq"));
        const auto text = write(*answer);
        const std::lock_guard lock(mutex_);
        ::send(client_.get(), text.data(), text.size(), MSG_NOSIGNAL);
        if (request.method == "PLAY" && answer->status == 200) ++plays_;
    }
    static Message usual(const Message& request) {
        Message answer;
        answer.status = 200;
        answer.reason = "OK";
        if (request.method == "DESCRIBE") answer.body = camera_description;
        if (request.method == "SETUP") {
            answer.set("Session", "1");
            answer.set("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1");
        }
        return answer;
    }

    Answer answer_;
    Descriptor socket_, client_;
    std::mutex mutex_;  // of client_ towards the test
    std::size_t number_ = 0;
    std::atomic<std::size_t> plays_ = 0;
    std::jthread thread_;
};

}  // namespace tapedeck::rtsp
