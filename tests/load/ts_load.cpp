// Sends one transport stream to many UDP ports of loopback in the time that its PCRs tell, and prints what was sent as
// one line of JSON.
#include <arpa/inet.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr const char* usage =
    "usage: ts_load FILE.ts SECONDS PORT...\n"
    "Sends to 127.0.0.1, 7 packets a datagram; the streams begin one after another within a second.\n";
constexpr std::size_t packet_size = 188, datagram_size = 7 * packet_size;

struct Clip {
    std::vector<std::uint8_t> bytes;
    std::vector<std::int64_t> due_us;  // of each datagram, from the first on
};

/// The PCR of a packet in microseconds (ISO 13818-1 section 2.4.3.5), or -1.
std::int64_t pcr_us(const std::uint8_t* packet) {
    const bool has_field = (packet[3] & 0x20) != 0 && packet[4] >= 7 && (packet[5] & 0x10) != 0;
    if (!has_field) return -1;
    const auto base = static_cast<std::int64_t>(packet[6]) << 25 | packet[7] << 17 | packet[8] << 9 | packet[9] << 1 |
                      packet[10] >> 7;
    return base * 100 / 9;
}

/// Datagrams between two PCRs leave evenly.
Clip read_clip(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    Clip clip{std::vector<std::uint8_t>(std::istreambuf_iterator<char>(file), {}), {}};
    const auto count = clip.bytes.size() / datagram_size;
    std::size_t last = 0;
    std::int64_t first_us = -1, last_us = 0;
    for (std::size_t i = 0; i < count; ++i) {
        std::int64_t found = -1;
        for (std::size_t p = 0; p < datagram_size && found < 0; p += packet_size)
            found = pcr_us(&clip.bytes[i * datagram_size + p]);
        if (found < 0) continue;
        if (first_us < 0) first_us = found;
        const auto at_us = found - first_us;
        for (auto d = clip.due_us.size(); d <= i; ++d)
            clip.due_us.push_back(i == last ? at_us
                                            : last_us + (at_us - last_us) * static_cast<std::int64_t>(d - last) /
                                                            static_cast<std::int64_t>(i - last));
        last = i;
        last_us = at_us;
    }
    if (clip.due_us.empty()) throw std::runtime_error(path + " has no PCR in its packets of 188 bytes");
    return clip;
}

struct Stream {
    sockaddr_in to{};
    std::int64_t began_us = 0;
    std::size_t next = 0;
};

std::int64_t now_us() {
    using namespace std::chrono;
    return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fputs(usage, stderr);
        return 2;
    }
    try {
        const auto clip = read_clip(argv[1]);
        const auto length_us = std::min(static_cast<std::int64_t>(std::stod(argv[2]) * 1e6), clip.due_us.back());
        const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        std::vector<Stream> streams(static_cast<std::size_t>(argc - 3));
        const auto began_us = now_us();
        for (std::size_t i = 0; i < streams.size(); ++i) {
            streams[i].to.sin_family = AF_INET;
            streams[i].to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            streams[i].to.sin_port = htons(static_cast<std::uint16_t>(std::stoul(argv[3 + i])));
            streams[i].began_us = began_us + static_cast<std::int64_t>(1'000'000 * i / streams.size());
        }
        std::uint64_t datagrams = 0, failed = 0;
        std::int64_t latest_us = 0;
        for (bool is_over = false; !is_over;) {
            is_over = true;
            for (auto& stream : streams) {
                const auto at_us = now_us() - stream.began_us;
                for (; stream.next < clip.due_us.size() && clip.due_us[stream.next] <= std::min(at_us, length_us);
                     ++stream.next) {
                    const auto sent = sendto(socket, &clip.bytes[stream.next * datagram_size], datagram_size, 0,
                                             reinterpret_cast<const sockaddr*>(&stream.to), sizeof stream.to);
                    ++(sent < 0 ? failed : datagrams);
                    latest_us = std::max(latest_us, at_us - clip.due_us[stream.next]);
                }
                is_over = is_over && at_us > length_us;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(4));
        }
        rusage used{};
        getrusage(RUSAGE_SELF, &used);
        const auto cpu = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
        std::printf(
            "{\"streams\": %zu, \"datagrams\": %llu, \"failed\": %llu, \"bytes\": %llu, \"latest_ms\": %.1f, \"cpu\": "
            "%.3f}\n",
            streams.size(), static_cast<unsigned long long>(datagrams), static_cast<unsigned long long>(failed),
            static_cast<unsigned long long>(datagrams) * datagram_size, static_cast<double>(latest_us) / 1000, cpu);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "ts_load: %s\n", e.what());
        return 1;
    }
}
