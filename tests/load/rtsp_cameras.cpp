// A cheap RTSP server with one clip: whoever comes plays it once in real time, over TCP or UDP. At SIGTERM it prints
// what it sent as one line of JSON.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "rtsp_session.hpp"
#include "testkit/fake_host.hpp"

namespace {

using tapedeck::load::RtspClip;
using tapedeck::load::RtspSession;
using tapedeck::load::RtspShared;

constexpr const char* usage =
    "usage: rtsp_cameras FILE PORT [--loss 0]\n"
    "Serves rtsp://127.0.0.1:PORT/<anything> with FILE (H.264 without B-frames and AAC), over UDP with this share of "
    "packets "
    "lost.\n"
    "Says `ready`.\n";
constexpr std::size_t cameras_payload = 1400;  // bytes, as cameras send them

volatile sig_atomic_t is_over = 0;

std::int64_t now_us() {
    using namespace std::chrono;
    return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

/// A socket of loopback; `port` 0 is the system's choice.
int bound(int type, std::uint16_t port) {
    const int socket = ::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::system_error(errno, std::generic_category(), "127.0.0.1:" + std::to_string(port));
    return socket;
}

double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Serves until SIGTERM; gives the number of clients that came.
std::size_t serve(int listener, RtspShared& shared) {
    std::vector<std::unique_ptr<RtspSession>> sessions;
    std::vector<pollfd> sockets;
    std::size_t count = 0;
    while (is_over == 0) {
        for (int client; (client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0; ++count)
            sessions.push_back(std::make_unique<RtspSession>(client, shared));
        sockets.assign(1, {listener, POLLIN, 0});
        for (const auto& session : sessions) session->work(now_us());
        std::erase_if(sessions, [](const auto& session) { return session->is_over(); });
        for (const auto& session : sessions)
            sockets.push_back(
                {session->socket(), static_cast<short>(session->is_full() ? POLLIN | POLLOUT : POLLIN), 0});
        poll(sockets.data(), sockets.size(), 4);  // milliseconds: how late a frame may be
    }
    return count;
}

}  // namespace

int main(int argc, char** argv) {
    const bool has_loss = argc == 5 && std::string(argv[3]) == "--loss";
    if (argc != 3 && !has_loss) {
        std::fputs(usage, stderr);
        return 2;
    }
    try {
        struct sigaction action {};
        action.sa_handler = [](int) { is_over = 1; };
        sigaction(SIGTERM, &action, nullptr);
        const tapedeck::testkit::FakeHost host;
        const tapedeck::Context context(host.table(), host.context());
        const auto clip = RtspClip::make(tapedeck::load::read_media_clip(context, argv[1], cameras_payload));
        tapedeck::load::LineTraits traits;
        if (has_loss) traits.loss = std::stod(argv[4]);
        tapedeck::load::Line line(traits);
        const auto port = static_cast<std::uint16_t>(std::stoul(argv[2]));
        const int listener = bound(SOCK_STREAM, port);
        if (listen(listener, 1024) != 0) throw std::system_error(errno, std::generic_category(), "listen");
        RtspShared shared{clip, line, {bound(SOCK_DGRAM, port), bound(SOCK_DGRAM, port + 1)}, port};
        std::puts("ready");
        std::fflush(stdout);
        const auto clients = serve(listener, shared);
        std::printf(
            "{\"clients\": %zu, \"bytes\": %llu, \"packets\": %llu, \"lost\": %llu, \"latest_ms\": %.1f, \"cpu\": "
            "%.3f}\n",
            clients, static_cast<unsigned long long>(shared.bytes), static_cast<unsigned long long>(shared.packets),
            static_cast<unsigned long long>(shared.lost), static_cast<double>(shared.latest_us) / 1000, cpu_seconds());
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "rtsp_cameras: %s\n", e.what());
        return 1;
    }
}
