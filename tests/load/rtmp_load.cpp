// Publishes one FLV clip over many RTMP connections, in real time or as fast as the server takes it, and prints what
// was sent as one line of JSON. Exits with 0 when no publisher failed.
#include <poll.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "publisher.hpp"

namespace {

using tapedeck::load::Clip;
using tapedeck::load::Plan;
using tapedeck::load::Publisher;

constexpr const char* usage =
    "usage: rtmp_load FLV HOST PORT PUBLISHERS [--seconds S] [--megabytes M] [--unpaced] [--chunk 4096] [--name s]\n"
    "                 [--ramp 1] [--hold 0]\n"
    "Publisher i is named <name><i>. Without --seconds and --megabytes each sends the clip once.\n";

struct Command {
    Plan plan;
    std::string clip, name = "s";
    unsigned publishers = 1;
    double seconds = 0, megabytes = 0, ramp = 1;
};

Command parse(int argc, char** argv) {
    if (argc < 5) throw std::invalid_argument("too few arguments");
    Command command;
    command.clip = argv[1];
    command.plan.host = argv[2];
    command.plan.port = static_cast<std::uint16_t>(std::stoul(argv[3]));
    command.publishers = static_cast<unsigned>(std::stoul(argv[4]));
    for (int i = 5; i < argc; ++i) {
        const std::string option = argv[i];
        if (option == "--unpaced") {
            command.plan.paced = false;
            continue;
        }
        if (++i == argc) throw std::invalid_argument(option + " needs a value");
        const std::string value = argv[i];
        if (option == "--seconds")
            command.seconds = std::stod(value);
        else if (option == "--megabytes")
            command.megabytes = std::stod(value);
        else if (option == "--chunk")
            command.plan.chunk_size = std::stoul(value);
        else if (option == "--name")
            command.name = value;
        else if (option == "--ramp")
            command.ramp = std::stod(value);
        else if (option == "--hold")
            command.plan.hold_ms = static_cast<std::uint64_t>(std::stod(value) * 1000);
        else
            throw std::invalid_argument("unknown option " + option);
    }
    return command;
}

std::uint64_t now_ms() {
    using namespace std::chrono;
    return static_cast<std::uint64_t>(duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
}

double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Runs all publishers to their end. Each starts at its place within the ramp, so that a server is not met by a wall.
void run(std::vector<std::unique_ptr<Publisher>>& publishers, const Command& command) {
    constexpr std::uint64_t farewell_ms = 30'000;  // how long an unpaced server may take to read the rest
    const std::uint64_t began = now_ms();
    std::uint64_t idle_since = began;
    std::vector<pollfd> sockets;
    for (std::size_t left = publishers.size(); left > 0;) {
        const std::uint64_t now = now_ms();
        sockets.clear();
        left = 0;
        for (std::size_t i = 0; i < publishers.size(); ++i) {
            Publisher& publisher = *publishers[i];
            if (publisher.is_over()) continue;
            ++left;
            const double start = command.ramp * 1000 * static_cast<double>(i) / static_cast<double>(publishers.size());
            if (!publisher.is_open() && static_cast<double>(now - began) >= start) publisher.connect();
            if (!publisher.is_open()) continue;
            const std::uint64_t before = publisher.sent().bytes;
            publisher.work(now);
            if (publisher.sent().bytes != before) idle_since = now;
            if (!publisher.is_over())
                sockets.push_back(
                    {publisher.socket(), static_cast<short>(publisher.is_full() ? POLLIN | POLLOUT : POLLIN), 0});
        }
        if (now - idle_since > farewell_ms) throw std::runtime_error("the server takes nothing any more");
        // Paced senders look at the clock every few milliseconds; answers and room wake them sooner.
        if (left > 0) poll(sockets.data(), sockets.size(), 4);
    }
}

}  // namespace

int main(int argc, char** argv) {
    Command command;
    try {
        command = parse(argc, argv);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "rtmp_load: %s\n%s", e.what(), usage);
        return 2;
    }
    try {
        const Clip clip = tapedeck::load::read_clip(command.clip, command.plan.chunk_size);
        command.plan.media_bytes = static_cast<std::uint64_t>(command.megabytes * 1e6);
        command.plan.media_ms = static_cast<std::uint64_t>(command.seconds * 1000);
        std::vector<std::unique_ptr<Publisher>> publishers;
        for (unsigned i = 0; i < command.publishers; ++i)
            publishers.push_back(std::make_unique<Publisher>(command.plan, clip, command.name + std::to_string(i)));
        const std::uint64_t began = now_ms();
        run(publishers, command);
        const double wall = static_cast<double>(now_ms() - began) / 1000;
        tapedeck::load::Sent sent;
        unsigned failed = 0;
        for (const auto& publisher : publishers) {
            sent.video += publisher->sent().video;
            sent.audio += publisher->sent().audio;
            sent.bytes += publisher->sent().bytes;
            if (publisher->failure().empty()) continue;
            if (++failed <= 5) std::fprintf(stderr, "rtmp_load: %s\n", publisher->failure().c_str());
        }
        std::printf(
            "{\"streams\": %u, \"video\": %llu, \"audio\": %llu, \"bytes\": %llu, \"wall\": %.3f, \"cpu\": %.3f, "
            "\"failed\": %u}\n",
            command.publishers, static_cast<unsigned long long>(sent.video),
            static_cast<unsigned long long>(sent.audio), static_cast<unsigned long long>(sent.bytes), wall,
            cpu_seconds(), failed);
        return failed == 0 ? 0 : 1;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "rtmp_load: %s\n", e.what());
        return 2;
    }
}
