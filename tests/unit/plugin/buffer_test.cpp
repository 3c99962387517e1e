#include "plugin/buffer.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "base/metrics.hpp"

namespace tapedeck::host {
namespace {

std::int64_t used() {
    return metrics::gauge("tapedeck_buffer_bytes", "", "").load();
}
std::int64_t idle() {
    return metrics::gauge("tapedeck_buffer_idle_bytes", "", "").load();
}

TEST(Buffer, HasTheRoomAskedForAndIsCounted) {
    const std::int64_t before = used();
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1500}, std::size_t{4096},
                                   std::size_t{65537}, std::size_t{1} << 20, (std::size_t{1} << 20) + 1}) {
        td_buffer* buffer = buffer_new(size);
        ASSERT_NE(buffer, nullptr) << size;
        EXPECT_GE(buffer->capacity, size);
        std::memset(buffer->data, 0xaa, buffer->capacity);
        EXPECT_EQ(used(), before + static_cast<std::int64_t>(buffer->capacity)) << size;
        buffer_unref(buffer);
        EXPECT_EQ(used(), before) << size;
    }
}

TEST(Buffer, LivesUntilTheLastReferenceIsGone) {
    const std::int64_t before = used();
    td_buffer* buffer = buffer_new(10000);
    buffer->data[0] = 7;
    buffer_ref(buffer);
    buffer_unref(buffer);
    EXPECT_EQ(buffer->data[0], 7);
    EXPECT_GT(used(), before);
    buffer_unref(buffer);
    EXPECT_EQ(used(), before);
}

TEST(Buffer, IsReusedWithinItsSizeClass) {
    td_buffer* first = buffer_new(300000);
    buffer_unref(first);
    td_buffer* second = buffer_new(270000);
    EXPECT_EQ(second, first);
    EXPECT_GE(second->capacity, 270000u);
    buffer_unref(second);
}

TEST(Buffer, KeepsIdleMemoryWithinABound) {
    std::vector<td_buffer*> many;
    for (int i = 0; i < 64; ++i) many.push_back(buffer_new(1u << 20));
    for (td_buffer* buffer : many) buffer_unref(buffer);
    EXPECT_LE(idle(), std::int64_t{8} << 20);
    EXPECT_GT(idle(), 0);
}

TEST(Buffer, OfAbsurdSizeIsNull) {
    EXPECT_EQ(buffer_new(largest_buffer + 1), nullptr);
    EXPECT_EQ(buffer_new(SIZE_MAX), nullptr);
    buffer_ref(nullptr);
    buffer_unref(nullptr);
}

TEST(Buffer, IsSharedBetweenThreads) {
    const std::int64_t before = used();
    std::vector<std::jthread> threads;
    td_buffer* shared = buffer_new(5000);
    for (int t = 0; t < 4; ++t) {
        buffer_ref(shared);
        threads.emplace_back([shared] {
            for (int i = 0; i < 2000; ++i) {
                buffer_ref(shared);
                td_buffer* own = buffer_new(5000u + static_cast<std::size_t>(i));
                own->data[0] = 1;
                buffer_unref(own);
                buffer_unref(shared);
            }
            buffer_unref(shared);
        });
    }
    threads.clear();
    buffer_unref(shared);
    EXPECT_EQ(used(), before);
}

}  // namespace
}  // namespace tapedeck::host
