#include "webrtc/data/data_channels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "testkit/fake_host.hpp"
#include "webrtc/data/dcep.hpp"
#include "webrtc/data/message_track.hpp"

namespace tapedeck::webrtc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Bytes = std::vector<std::uint8_t>;
using Time = SctpAssociation::Time;

Bytes bytes_of(std::string_view text) {
    return {text.begin(), text.end()};
}

Bytes open_message(std::string_view label, std::uint8_t kind = 0) {
    Bytes message{dcep::open, kind, 1, 0, 0, 0, 0, 5, 0, static_cast<std::uint8_t>(label.size()), 0, 2};
    message.insert(message.end(), label.begin(), label.end());
    message.insert(message.end(), {'p', 'r'});
    return message;
}

/// The page's end.
struct Page : SctpEvents {
    void datagram(std::span<const std::uint8_t> bytes) override { sent.emplace_back(bytes.begin(), bytes.end()); }
    void message(const SctpMessage& message) override {
        story += std::to_string(message.stream) + ":" + std::to_string(message.protocol) + ":" +
                 std::to_string(message.bytes[0]) + ";";
    }
    void closed(std::uint16_t stream) override { story += std::to_string(stream) + " closed;"; }

    std::deque<Bytes> sent;
    std::string story;
    SctpAssociation association{*this, SctpAssociation::usual_port};
};

class DataChannelsTest : public ::testing::Test {
protected:
    /// Everything that is on its way arrives, but for what is lost.
    void talk() {
        while (!sent_.empty() || !page_->sent.empty()) {
            carry(sent_, [&](const Bytes& bytes) { page_->association.receive(bytes, now_); });
            carry(page_->sent, [&](const Bytes& bytes) {
                if (lost_.erase(++carried_) == 0) channels_->receive(bytes, now_);
            });
        }
    }
    template <class To>
    void carry(std::deque<Bytes>& from, To to) {
        auto all = std::exchange(from, {});
        for (const auto& one : all) to(one);
    }
    void connect() {
        channels_->begin(now_);
        page_->association.connect(now_);
        talk();
        ASSERT_TRUE(channels_->association().is_connected());
        ASSERT_TRUE(page_->association.is_connected());
    }
    void pass(Time time) {
        for (const auto until = now_ + time; now_ < until; now_ += std::chrono::milliseconds(100)) {
            channels_->tick(now_);
            page_->association.tick(now_);
            talk();
        }
    }
    bool say(std::uint16_t stream, std::uint32_t protocol, const Bytes& bytes) {
        const bool is_sent = page_->association.send({stream, protocol, bytes}, now_);
        talk();
        return is_sent;
    }

    Time now_ = std::chrono::seconds(1000);
    int carried_ = 0;     // by the page
    std::set<int> lost_;  // of these
    std::deque<Bytes> sent_;
    std::vector<std::string> took_;
    std::unique_ptr<Page> page_ = std::make_unique<Page>();
    std::unique_ptr<DataChannels> channels_ = std::make_unique<DataChannels>(
        SctpAssociation::usual_port,
        [this](std::span<const std::uint8_t> bytes) { sent_.emplace_back(bytes.begin(), bytes.end()); },
        [this](const ChannelMessage& message) {
            took_.push_back(std::string(message.channel) + (message.is_text ? "<" : "[") +
                            std::string(message.bytes.begin(), message.bytes.end()));
        });
};

TEST_F(DataChannelsTest, AChannelIsOpenedAndAcknowledgedAndItsMessagesCome) {
    connect();
    ASSERT_TRUE(say(0, dcep::control, open_message("chat", 0x82)));
    EXPECT_EQ(page_->story, "0:50:2;");
    say(0, dcep::text, bytes_of("hello"));
    say(0, dcep::binary, {1, 2});
    say(0, dcep::empty_text, {0});
    say(0, dcep::empty_binary, {0});
    say(0, 99, {1});
    EXPECT_THAT(took_, ElementsAre("chat<hello", "chat[\1\2"));
    say(6, dcep::text, bytes_of("agreed otherwise"));
    EXPECT_EQ(took_.back(), "<agreed otherwise");
}

TEST_F(DataChannelsTest, ALargeMessageComesInFragmentsAlsoWhereDatagramsAreLost) {
    connect();
    // More times out by the real clock, which no test waits for.
    lost_ = {carried_ + 7, carried_ + 8, carried_ + 23};
    const std::string large(SctpAssociation::largest_message, 'x');
    ASSERT_TRUE(say(2, dcep::text, bytes_of(large)));
    pass(std::chrono::seconds(1));
    EXPECT_TRUE(lost_.empty());
    ASSERT_EQ(took_.size(), 1u);
    EXPECT_TRUE(took_[0] == "<" + large);
}

TEST_F(DataChannelsTest, AMessageThatIsTooLargeIsPassedOverAndTheNextOneComes) {
    connect();
    ASSERT_TRUE(say(2, dcep::text, Bytes(2 * SctpAssociation::largest_message, 'x')));
    pass(std::chrono::seconds(1));
    say(2, dcep::text, bytes_of("next"));
    pass(std::chrono::seconds(1));
    EXPECT_THAT(took_, ElementsAre("<next"));
    EXPECT_EQ(channels_->association().oversized(), 1u);
}

TEST_F(DataChannelsTest, ThePageBeginsAnewAndWhatItHalfSaidIsDropped) {
    connect();
    for (int one = carried_ + 20; one < carried_ + 100; ++one) lost_.insert(one);
    ASSERT_TRUE(say(2, dcep::text, Bytes(SctpAssociation::largest_message, 'x')));
    lost_.clear();
    sent_.clear();
    page_ = std::make_unique<Page>();
    page_->association.connect(now_);
    talk();
    ASSERT_TRUE(page_->association.is_connected());
    say(2, dcep::text, bytes_of("hello"));
    EXPECT_THAT(took_, ElementsAre("<hello"));
}

TEST_F(DataChannelsTest, AFloodIsHeldBackByTheWindowAndLosesNothing) {
    connect();
    const Bytes message(1000, 'x');
    std::size_t said = 0;
    const auto flood = [&] {
        for (int round = 0; round < 3000 && say(2, dcep::binary, message); ++round) ++said;
    };
    flood();
    const auto at_once = took_.size();
    EXPECT_GT(at_once, 100u);
    EXPECT_LE(at_once * (1000 + SctpAssociation::message_cost), std::size_t{600} * 1024);
    EXPECT_LT(said, 3000u) << "the page's own buffer fills";
    constexpr int seconds = 2;
    for (int i = 0; i < seconds * 10; ++i) {
        pass(std::chrono::milliseconds(100));
        flood();
    }
    const auto later = (took_.size() - at_once) * (1000 + SctpAssociation::message_cost);
    EXPECT_LE(later, (seconds + 1) * SctpAssociation::bytes_a_second);
    EXPECT_GE(later, (seconds - 1) * SctpAssociation::bytes_a_second / 2);
    pass(std::chrono::seconds(10));
    EXPECT_EQ(took_.size(), said);
}

TEST_F(DataChannelsTest, OnlySoManyChannelsAreOpen) {
    connect();
    for (std::uint16_t stream = 0; stream < 65; ++stream) say(stream, dcep::control, open_message("c"));
    pass(std::chrono::seconds(1));
    EXPECT_EQ(channels_->size(), DataChannels::most_channels);
    EXPECT_THAT(page_->story, ::testing::EndsWith("63:50:2;64 closed;"));
    say(64, dcep::text, bytes_of("nobody listens"));
    EXPECT_THAT(took_, IsEmpty());
}

TEST_F(DataChannelsTest, AChannelThatThePageClosesIsClosedHereToo) {
    connect();
    say(0, dcep::control, open_message("a"));
    page_->association.reset(0, now_);
    talk();
    pass(std::chrono::seconds(1));
    EXPECT_EQ(channels_->size(), 0u);
    EXPECT_EQ(page_->story, "0:50:2;0 closed;");
    say(0, dcep::control, open_message("b"));
    say(0, dcep::text, bytes_of("again"));
    EXPECT_THAT(took_, ElementsAre("b<again"));
}

TEST_F(DataChannelsTest, APeerThatIsGoneIsGivenUpAndOthersGoOn) {
    connect();
    const auto other = std::move(page_);
    page_ = std::make_unique<Page>();
    other->sent.clear();
    channels_ = std::make_unique<DataChannels>(
        SctpAssociation::usual_port,
        [this](std::span<const std::uint8_t> bytes) { sent_.emplace_back(bytes.begin(), bytes.end()); },
        [this](const ChannelMessage&) { took_.emplace_back("x"); });
    connect();
    EXPECT_TRUE(other->association.send({0, dcep::text, bytes_of("is anybody there?")}, now_));
    for (int i = 0; i < 6000 && !other->association.is_over(); ++i) {
        now_ += std::chrono::milliseconds(100);
        other->association.tick(now_);
    }
    EXPECT_TRUE(other->association.is_over());
    EXPECT_FALSE(other->association.send({0, dcep::text, bytes_of("?")}, now_));
    say(0, dcep::text, bytes_of("hello"));
    EXPECT_THAT(took_, SizeIs(1));
}

TEST_F(DataChannelsTest, GarbageIsPassedOver) {
    connect();
    for (std::size_t size = 0; size < 100; ++size)
        channels_->receive(Bytes(size, static_cast<std::uint8_t>(size)), now_);
    say(0, dcep::control, {});
    say(0, dcep::control, {dcep::open, 0, 0});
    say(0, dcep::control, {dcep::open, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 'x'});
    say(0, dcep::control, {7});
    EXPECT_EQ(channels_->size(), 0u);
    say(0, dcep::text, bytes_of("hello"));
    EXPECT_THAT(took_, ElementsAre("<hello"));
}

TEST(MessageTrack, AStringIsTextAndOtherBytesAreADataUrl) {
    const testkit::FakeHost host;
    const MessageTrack track(Context(host.table(), host.context()), 2, "chat");
    EXPECT_EQ(track.track().track.kind, std::uint32_t{TD_DATA});
    EXPECT_EQ(track.track().track.codec, TD_CODEC_TEXT);
    EXPECT_EQ(view(track.track().track.label), "chat");
    const auto text_of_packet = [&](bool is_text, const Bytes& bytes) {
        const auto owned = track.packet({"chat", is_text, bytes}, 17);
        EXPECT_EQ(owned.packet.pts, 17);
        EXPECT_EQ(owned.packet.track, 2u);
        return std::string(owned.packet.data, owned.packet.data + owned.packet.data_size);
    };
    EXPECT_EQ(text_of_packet(true, bytes_of("Grüße 🎥")), "Grüße 🎥");
    EXPECT_EQ(text_of_packet(false, bytes_of("abcd")), "data:application/octet-stream;base64,YWJjZA==");
    EXPECT_EQ(text_of_packet(true, {0xff, 0}), "data:application/octet-stream;base64,/wA=");
}

TEST(MessageTrack, Utf8IsOnlyWhatTheRfcAllows) {
    for (const auto* good :
         {"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
        EXPECT_TRUE(is_plain_text(good)) << good;
    for (const auto* bad :
         {"\x80", "\x9f\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "a\xe2\x82",
          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xc2z", "\xff"})
        EXPECT_FALSE(is_plain_text(bad)) << bad;
    EXPECT_FALSE(is_plain_text(std::string_view("a\0", 2)));
}

}  // namespace
}  // namespace tapedeck::webrtc
