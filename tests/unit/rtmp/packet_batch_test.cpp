#include "rtmp/packet_batch.hpp"

#include <gtest/gtest.h>

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

TEST_F(PacketBatchTest, FailsWhenMemoryIsShort) {
    testkit::CountedBuffer::limit = 1000;
    EXPECT_THROW(batch.room(2000, 2000), std::bad_alloc);
    testkit::CountedBuffer::limit = SIZE_MAX;
}

}  // namespace
}  // namespace tapedeck::rtmp
