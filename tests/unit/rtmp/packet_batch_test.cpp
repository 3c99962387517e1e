#include "rtmp/packet_batch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "testkit/fake_host.hpp"

namespace tapedeck::rtmp {
namespace {

class PacketBatchTest : public testing::Test {
protected:
    testkit::FakeHost host;
    PacketBatch batch{Context(host.table(), host.context())};
};

TEST_F(PacketBatchTest, SharesABufferAsLargeAsWhatComes) {
    const auto* first = batch.room(100, 1000);
    const auto* second = batch.room(900, 900);
    EXPECT_EQ(second, first + 100);
    EXPECT_EQ(batch.add({first, 100}).buffer->capacity, 1000u);
}

TEST_F(PacketBatchTest, TakesLargeReadsInPartsAndLargePayloadsWhole) {
    const auto* first = batch.room(10, 1 << 20);
    EXPECT_EQ(batch.add({first, 10}).buffer->capacity, 64u << 10);
    const auto* large = batch.room(100'000, 1 << 20);
    EXPECT_EQ(batch.add({large, 100'000}).buffer->capacity, 100'000u);
}

TEST_F(PacketBatchTest, NamesTheBufferThatHoldsThePayload) {
    const auto* first = batch.room(10, 10);
    const auto* second = batch.room(20, 20);
    for (const ByteSpan payload : {ByteSpan(first, 10), ByteSpan(second, 20), ByteSpan(first + 5, 5)}) {
        const auto& packet = batch.add(payload);
        EXPECT_EQ(packet.data, payload.data());
        EXPECT_EQ(packet.data_size, payload.size());
        EXPECT_LE(packet.buffer->data, packet.data);
        EXPECT_LE(packet.data + packet.data_size, packet.buffer->data + packet.buffer->capacity);
    }
}

TEST_F(PacketBatchTest, LetsGoOfItsBuffersWhenTheReadIsOver) {
    const auto before = testkit::FakeHost::live_buffers();
    batch.room(10, 10);
    batch.room(10, 10);
    EXPECT_EQ(testkit::FakeHost::live_buffers(), before + 2);
    batch.clear();
    EXPECT_EQ(testkit::FakeHost::live_buffers(), before);
}

/// A read of "aaaa|bbb|cccc" behind headers of one byte.
class AdoptedRead : public PacketBatchTest {
protected:
    AdoptedRead() {
        Buffer buffer(host.table(), 14);
        std::ranges::copy(std::string_view("-aaaa-bbb-cccc"), buffer.data());
        bytes = {buffer.data(), 14};
        batch.adopt(std::move(buffer));
        for (const auto& [at, size] : {std::pair<std::size_t, std::size_t>{1, 4}, {6, 3}, {10, 4}})
            read.pieces.push_back({bytes.subspan(at, size), Piece::none});
    }
    static std::string text(ByteSpan payload) { return {payload.begin(), payload.end()}; }

    ByteSpan bytes;
    Batch read;
};

TEST_F(AdoptedRead, PushesThePiecesOfAMessageTogetherWhereTheyAre) {
    read.pieces[0].next = 1;
    read.pieces[1].next = 2;
    const auto payload = batch.payload(read, {MessageType::video, 1, 0, 11, 0}, 11);
    EXPECT_EQ(text(payload), "aaaabbbcccc");
    EXPECT_EQ(payload.data(), bytes.data() + 1);
    EXPECT_EQ(batch.add(payload).buffer->data, bytes.data());
}

TEST_F(AdoptedRead, LeavesOtherMessagesBetweenAlone) {
    read.pieces[0].next = 2;
    const auto around = batch.payload(read, {MessageType::video, 1, 0, 8, 0}, 11);
    const auto between = batch.payload(read, {MessageType::audio, 1, 0, 3, 1}, 3);
    EXPECT_EQ(text(around), "aaaacccc");
    EXPECT_EQ(text(between), "bbb");
    EXPECT_EQ(between.data(), bytes.data() + 6);
    const auto* copied = batch.add(around).buffer;
    EXPECT_NE(batch.add(between).buffer, copied);
}

TEST_F(AdoptedRead, KeepsNoLargeBufferForALittlePayload) {
    batch.keep_adopted(3);
    const auto payload = batch.payload(read, {MessageType::audio, 1, 0, 3, 1}, 3);
    EXPECT_EQ(text(payload), "bbb");
    EXPECT_EQ(batch.add(payload).buffer->capacity, 3u);
}

TEST_F(PacketBatchTest, FailsWhenMemoryIsShort) {
    testkit::CountedBuffer::limit = 1000;
    EXPECT_THROW(batch.room(2000, 2000), std::bad_alloc);
    testkit::CountedBuffer::limit = SIZE_MAX;
}

}  // namespace
}  // namespace tapedeck::rtmp
