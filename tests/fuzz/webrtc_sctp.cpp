// What comes over DTLS: messages that open data channels, and datagrams of SCTP.
#include <netinet/in.h>
#include <usrsctp.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "webrtc/data/data_channels.hpp"
#include "webrtc/data/dcep.hpp"
#include "webrtc/data/message_track.hpp"

using namespace tapedeck::webrtc;

namespace {

/// A page that says what the input has: stream, protocol, length and bytes of each message.
class Page : public SctpEvents {
public:
    void datagram(std::span<const std::uint8_t> bytes) override {
        std::copy_n(bytes.begin(), std::min(bytes.size(), head_.size()), head_.begin());
        channels_.receive(bytes, now_);
    }
    void message(const SctpMessage& message) override {
        if (message.protocol != dcep::control || message.bytes.size() != 1) std::abort();  // nothing but ACKs is said
    }
    void closed(std::uint16_t) override {}

    void run(std::span<const std::uint8_t> input) {
        channels_.begin(now_);
        association_.connect(now_);
        if (!association_.is_connected()) std::abort();
        while (input.size() >= 3) {
            const auto size = std::min<std::size_t>(input[2], input.size() - 3);
            const auto bytes = input.subspan(3, size);
            const auto protocol = input[1] & 0x3fu;
            now_ += std::chrono::milliseconds(20);
            if ((input[1] & 0x80) != 0)
                channels_.receive(datagram_of(bytes), now_);
            else if ((input[1] & 0x40) != 0)
                association_.reset(input[0], now_);
            else if (!bytes.empty())
                association_.send({input[0], protocol, bytes}, now_);
            if (channels_.size() > DataChannels::most_channels) std::abort();
            input = input.subspan(3 + size);
        }
    }

private:
    /// These chunks, as if the page's stack had sent them.
    std::vector<std::uint8_t> datagram_of(std::span<const std::uint8_t> chunks) const {
        constexpr std::size_t checksum_at = 8;
        std::vector<std::uint8_t> made(head_.begin(), head_.end());
        std::fill_n(made.begin() + checksum_at, 4, std::uint8_t{0});
        made.insert(made.end(), chunks.begin(), chunks.end());
        const auto checksum = ::usrsctp_crc32c(made.data(), made.size());
        std::memcpy(made.data() + checksum_at, &checksum, sizeof checksum);
        return made;
    }

    std::array<std::uint8_t, 12> head_{};  // of the last datagram: ports, tag, checksum
    SctpAssociation::Time now_ = std::chrono::hours(1);
    SctpAssociation association_{*this, SctpAssociation::usual_port};
    DataChannels channels_{SctpAssociation::usual_port,
                           [this](std::span<const std::uint8_t> bytes) { association_.receive(bytes, now_); },
                           [](const ChannelMessage& message) {
                               if (message.bytes.size() > SctpAssociation::largest_message) std::abort();
                           }};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::uint8_t> input(data, size);
    if (const auto open = dcep::parse_open(input))
        if (open->label.size() + open->protocol.size() + 12 > size) std::abort();
    is_plain_text({static_cast<const char*>(static_cast<const void*>(data)), size});
    Page().run(input.first(std::min<std::size_t>(size, 1000)));
    return 0;
}
