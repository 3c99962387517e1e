// Publishes one file over many WHIP connections in real time, over a network as bad as asked for, and prints what was
// sent as one line of JSON. Exits with 0 when no publisher failed.
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "testkit/fake_host.hpp"
#include "webrtc_publisher.hpp"

namespace {

using tapedeck::load::Outbox;
using tapedeck::load::RtpCounts;
using tapedeck::load::WhipPlan;
using tapedeck::load::WhipPublisher;

constexpr const char* usage =
    "usage: webrtc_load FILE HOST PORT PUBLISHERS [--seconds S] [--query record=true] [--token T] [--name s]\n"
    "                   [--ramp 1] [--hold 0.6] [--loss 0] [--loss-back 0] [--delay MS] [--reorder 0] [--seed 1]\n"
    "                   [--viewers 0]\n"
    "       webrtc_load FILE HOST PORT PUBLISHERS --handshakes [--at-once 4]\n"
    "Publisher i is named <name><i> and sends FILE (H.264 without B-frames or VP8, and Opus) once. Loss and reordering "
    "are\n"
    "shares of 1, --loss of packets and their repeats, --loss-back of feedback; the delay is that of each direction. "
    "With\n"
    "--handshakes each connects and leaves. Viewers come to the first publisher when all are connected.\n";

constexpr std::size_t browsers_payload = 1200;  // bytes, as browsers send them

struct Command {
    WhipPlan plan;
    std::string file, name = "s";
    unsigned publishers = 1, viewers = 0, at_once = 4;
    double ramp = 1;
    bool handshakes = false;
};

std::int64_t microseconds(const std::string& text, double unit) {
    return static_cast<std::int64_t>(std::stod(text) * unit);
}

Command parse(int argc, char** argv) {
    if (argc < 5) throw std::invalid_argument("too few arguments");
    Command command;
    auto& plan = command.plan;
    command.file = argv[1];
    plan.server = tapedeck::webrtc::Endpoint::parse(argv[2], static_cast<std::uint16_t>(std::stoul(argv[3])));
    command.publishers = static_cast<unsigned>(std::stoul(argv[4]));
    plan.media_us = INT64_MAX;
    plan.query = "record=true";
    for (int i = 5; i < argc; ++i) {
        const std::string option = argv[i];
        if (option == "--handshakes") {
            command.handshakes = true;
            continue;
        }
        if (++i == argc) throw std::invalid_argument(option + " needs a value");
        const std::string value = argv[i];
        if (option == "--seconds")
            plan.media_us = microseconds(value, 1e6);
        else if (option == "--query")
            plan.query = value;
        else if (option == "--token")
            plan.token = value;
        else if (option == "--name")
            command.name = value;
        else if (option == "--ramp")
            command.ramp = std::stod(value);
        else if (option == "--hold")
            plan.hold_us = microseconds(value, 1e6);
        else if (option == "--loss")
            plan.there.loss = std::stod(value);
        else if (option == "--loss-back")
            plan.back.loss = std::stod(value);
        else if (option == "--delay")
            plan.there.delay_us = plan.back.delay_us = microseconds(value, 1e3);
        else if (option == "--reorder")
            plan.there.reordered = std::stod(value);
        else if (option == "--seed")
            plan.there.seed = plan.back.seed = std::stoull(value);
        else if (option == "--viewers")
            command.viewers = static_cast<unsigned>(std::stoul(value));
        else if (option == "--at-once")
            command.at_once = static_cast<unsigned>(std::stoul(value));
        else
            throw std::invalid_argument("unknown option " + option);
    }
    if (command.handshakes) {
        plan.media_us = plan.hold_us = 0;
        command.ramp = 0;
    } else {
        command.at_once = command.publishers + command.viewers;
    }
    return command;
}

std::int64_t now_us() {
    using namespace std::chrono;
    return duration_cast<std::chrono::microseconds>(steady_clock::now().time_since_epoch()).count();
}

std::int64_t unix_us() {
    using namespace std::chrono;
    return duration_cast<std::chrono::microseconds>(system_clock::now().time_since_epoch()).count();
}

double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Runs all publishers to their end, and gives the time in which it could not. Each starts at its place within the
/// ramp, and when fewer than allowed are there. Where the system lets this program wait, the publishers' time stands
/// still: else all of them would send what they missed in one burst, as no hundred senders do.
std::int64_t run(std::vector<std::unique_ptr<WhipPublisher>>& publishers, const Command& command) {
    constexpr std::int64_t usual_us = 10'000;
    Outbox out;
    const auto began_us = now_us();
    auto last_us = began_us;
    std::int64_t stalled_us = 0;
    std::vector<pollfd> sockets;
    for (std::size_t left = publishers.size(); left > 0;) {
        const auto real_us = now_us();
        stalled_us += std::max<std::int64_t>(real_us - last_us - usual_us, 0);
        last_us = real_us;
        const auto now = real_us - stalled_us;
        sockets.clear();
        left = 0;
        unsigned running = 0;
        for (std::size_t i = 0; i < publishers.size(); ++i) {
            auto& publisher = *publishers[i];
            if (publisher.is_over()) continue;
            ++left;
            const auto start_us = command.ramp * 1e6 * static_cast<double>(i) / static_cast<double>(publishers.size());
            const bool is_early = static_cast<double>(now - began_us) < start_us ||
                                  (i >= command.publishers && !publishers[i - 1]->is_connected());
            if (running == command.at_once || (!publisher.has_begun() && is_early)) break;
            ++running;
            try {
                if (!publisher.has_begun()) publisher.begin(now);
                publisher.work(now, out);
            } catch (const std::exception& e) {
                publisher.abandon(e.what());
            }
            if (publisher.socket() >= 0) sockets.push_back({publisher.socket(), POLLIN, 0});
        }
        // Senders look at the clock every few milliseconds; what comes wakes them sooner.
        if (left > 0) poll(sockets.data(), sockets.size(), 4);
    }
    return stalled_us;
}

void print(const Command& command, const std::vector<std::unique_ptr<WhipPublisher>>& publishers, double stalled,
           double wall) {
    RtpCounts sum;
    unsigned failed = 0;
    double connected_ms = 0;
    std::uint64_t received = 0;
    for (std::size_t i = 0; i < publishers.size(); ++i) {
        const auto& publisher = publishers[i];
        const auto& counts = publisher->counts();
        sum.video += counts.video;
        sum.audio += counts.audio;
        if (i >= command.publishers) {
            received += counts.packets;
        } else {
            sum.packets += counts.packets;
            sum.bytes += counts.bytes;
        }
        sum.repeated += counts.repeated;
        sum.lost += counts.lost;
        sum.nacks += counts.nacks;
        sum.key_requests += counts.key_requests;
        sum.refused += counts.refused;
        if (publisher->failure().empty())
            connected_ms +=
                static_cast<double>(publisher->connected_after_us()) / 1000 / static_cast<double>(publishers.size());
        else if (++failed <= 5)
            std::fprintf(stderr, "webrtc_load: %s\n", publisher->failure().c_str());
    }
    const auto number = [](const char* name, std::uint64_t value) {
        std::printf("\"%s\": %llu, ", name, static_cast<unsigned long long>(value));
    };
    std::printf("{\"streams\": %u, ", command.publishers);
    number("video", sum.video);
    number("audio", sum.audio);
    number("packets", sum.packets);
    number("bytes", sum.bytes);
    number("repeated", sum.repeated);
    number("lost", sum.lost);
    number("nacks", sum.nacks);
    number("key_requests", sum.key_requests);
    number("refused", sum.refused);
    number("received", received);
    std::printf("\"connected_ms\": %.1f, \"stalled\": %.3f, \"wall\": %.3f, \"cpu\": %.3f, \"failed\": %u}\n",
                connected_ms, stalled, wall, cpu_seconds(), failed);
    if (failed != 0) throw std::runtime_error(std::to_string(failed) + " publishers failed");
}

}  // namespace

int main(int argc, char** argv) {
    Command command;
    try {
        command = parse(argc, argv);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "webrtc_load: %s\n%s", e.what(), usage);
        return 2;
    }
    try {
        const tapedeck::testkit::FakeHost host;
        const auto clip = tapedeck::load::read_media_clip(tapedeck::Context(host.table(), host.context()), command.file,
                                                          browsers_payload);
        if (clip.audio == TD_CODEC_AAC) throw std::runtime_error(command.file + " has AAC, which WebRTC does not send");
        command.plan.clip = &clip;
        command.plan.unix_offset_us = unix_us() - now_us();
        command.plan.identity = tapedeck::webrtc::DtlsIdentity::make();
        std::vector<std::unique_ptr<WhipPublisher>> publishers;
        for (unsigned i = 0; i < command.publishers; ++i)
            publishers.push_back(std::make_unique<WhipPublisher>(command.plan, command.name + std::to_string(i), i));
        auto watching = command.plan;
        watching.plays = true;
        watching.query.clear();
        for (unsigned i = 0; i < command.viewers; ++i)
            publishers.push_back(std::make_unique<WhipPublisher>(watching, command.name + "0", command.publishers + i));
        const auto began_us = now_us();
        const auto stalled_us = run(publishers, command);
        print(command, publishers, static_cast<double>(stalled_us) / 1e6,
              static_cast<double>(now_us() - began_us) / 1e6);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "webrtc_load: %s\n", e.what());
        return 1;
    }
}
