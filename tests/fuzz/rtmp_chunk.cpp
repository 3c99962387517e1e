// RTMP's chunk layer and the commands in it, heard by a server and by a client: whatever arrives, and in whatever
// portions, the same messages come out.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "rtmp/chunk.hpp"
#include "rtmp/client_conversation.hpp"
#include "rtmp/conversation.hpp"
#include "rtmp/handshake.hpp"
#include "rtmp/pull_address.hpp"
#include "tapedeck/context.hpp"

using namespace tapedeck;
using namespace tapedeck::rtmp;

namespace {

struct Whole {
    Message message;
    std::vector<std::uint8_t> payload;
};

/// Reads `bytes` in portions of `portion`; what came before a fault counts.
std::vector<Whole> read(ByteSpan bytes, std::size_t portion) {
    ChunkReader reader(ChunkLimits{.message = 1u << 16, .chunk_streams = 8});
    std::vector<Whole> all;
    bool is_broken = false;
    while (!bytes.empty() && !is_broken) {
        const auto part = bytes.first(std::min(portion, bytes.size()));
        const std::vector<std::uint8_t> copy(part.begin(), part.end());
        bytes = bytes.subspan(part.size());
        Batch batch;
        try {
            reader.read(copy, batch);
        } catch (const Malformed&) {
            is_broken = true;
        }
        for (const auto& message : batch.messages) all.push_back({message, batch.gather(message)});
        if (reader.held() > 3u << 16) std::abort();
    }
    return all;
}

struct Yes : Decisions {
    Conversation* conversation = nullptr;
    void connect(const ConnectRequest& request) override { credentials(request.parameters); }
    void publish(const PublishRequest& request) override { credentials(request.parameters); }
    void unpublish(std::string_view how) override { printable(how); }
    void metadata(const amf::Object&) override {}
};

/// Hears the end once at most.
struct Ends : PlayEvents {
    int ends = 0;
    void play_ended(const std::string&) override { ++ends; }
    void play_goes_on(const Onward&) override { ++ends; }
    void metadata(const amf::Object&) override {}
};

void play(const std::vector<Whole>& messages) {
    Ends ends;
    ClientConversation client(ends, {"live", "rtmp://h/live", "cam", {"me", "secret", "00112233"}, {}});
    client.begin();
    try {
        for (const auto& [message, payload] : messages) client.message(message.type, message.stream, payload);
    } catch (const Malformed&) {
    }
    if (ends.ends > 1) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteSpan bytes(data + 1, size - 1);
    const auto whole = read(bytes, SIZE_MAX), parts = read(bytes, data[0] % 32 + 1u);
    // In portions the fault may be noticed earlier by the limit of held bytes, never later.
    if (parts.size() > whole.size()) std::abort();
    for (std::size_t i = 0; i < parts.size(); ++i)
        if (parts[i].payload != whole[i].payload || parts[i].message.timestamp != whole[i].message.timestamp)
            std::abort();

    play(whole);
    try {
        const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        PullAddress::parse("rtmp://me:secret@h/live/cam").moved(text);
        PullAddress::parse(text).shown();
    } catch (const Error&) {
    }

    Yes decisions;
    Conversation conversation(decisions);
    try {
        for (const auto& [message, payload] : whole) {
            conversation.message(message.type, message.stream, payload);
            if (conversation.state() == Conversation::State::connecting) conversation.accept();
            if (conversation.state() == Conversation::State::opening) conversation.start();
        }
    } catch (const Malformed&) {
    }
    try {
        Handshake handshake;
        std::vector<std::uint8_t> answer;
        ByteSpan rest = bytes;
        handshake.read(rest, answer);
    } catch (const Malformed&) {
    }
    try {
        ClientHandshake handshake;
        std::vector<std::uint8_t> answer;
        ByteSpan rest = bytes;
        handshake.read(rest, answer);
    } catch (const Malformed&) {
    }
    return 0;
}
