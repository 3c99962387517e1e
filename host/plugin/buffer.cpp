#include "plugin/buffer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>

#include "base/metrics.hpp"

namespace tapedeck::host {
namespace {

// Classes are powers of two from 4 KiB to 1 MiB; each list holds at most 512 KiB, or two blocks of the largest.
constexpr int smallest_bits = 12, largest_bits = 20;
constexpr std::size_t class_count = largest_bits - smallest_bits + 1;
constexpr std::size_t idle_limit = std::size_t{512} << 10;
constexpr std::uint32_t no_class = ~0u;

/// What lies before the payload. The plugin sees only the td_buffer at its start.
struct alignas(64) Block {
    td_buffer shown;
    std::atomic<std::uint32_t> references;
    std::uint32_t size_class;
    Block* next;  // while idle
};
static_assert(sizeof(Block) == 64, "payloads begin on a cache line");

struct IdleList {
    std::mutex mutex;
    Block* first = nullptr;
    std::size_t count = 0;
};

struct Pool {
    std::array<IdleList, class_count> lists;
    metrics::Value& used = metrics::gauge("tapedeck_buffer_bytes", "", "Packet memory in use");
    metrics::Value& idle = metrics::gauge("tapedeck_buffer_idle_bytes", "", "Packet memory kept for reuse");
};

Pool& pool() {
    static auto& only = *new Pool;  // outlives every thread that still holds a buffer
    return only;
}

Block* block_of(td_buffer* buffer) {
    return reinterpret_cast<Block*>(buffer);  // its first member
}

std::int64_t counted(const Block& block) {
    return static_cast<std::int64_t>(block.shown.capacity);
}

std::size_t room(std::size_t size_class) {
    const std::size_t blocks = idle_limit >> (size_class + smallest_bits);
    return blocks < 2 ? 2 : blocks;
}

Block* take_idle(std::size_t size_class) {
    IdleList& list = pool().lists[size_class];
    const std::lock_guard lock(list.mutex);
    Block* block = list.first;
    if (block != nullptr) {
        list.first = block->next;
        --list.count;
        pool().idle.fetch_sub(counted(*block), std::memory_order_relaxed);
    }
    return block;
}

bool keep_idle(Block* block) {
    IdleList& list = pool().lists[block->size_class];
    const std::lock_guard lock(list.mutex);
    if (list.count >= room(block->size_class)) return false;
    block->next = list.first;
    list.first = block;
    ++list.count;
    pool().idle.fetch_add(counted(*block), std::memory_order_relaxed);
    return true;
}

Block* make(std::size_t capacity, std::uint32_t size_class) {
    const std::size_t whole = (sizeof(Block) + capacity + alignof(Block) - 1) / alignof(Block) * alignof(Block);
    void* memory = std::aligned_alloc(alignof(Block), whole);
    if (memory == nullptr) return nullptr;
    auto* block = new (memory) Block{};
    block->shown.data = static_cast<std::uint8_t*>(memory) + sizeof(Block);
    block->shown.capacity = capacity;
    block->size_class = size_class;
    return block;
}

void release(Block* block) noexcept {
    pool().used.fetch_sub(counted(*block), std::memory_order_relaxed);
    if (block->size_class != no_class && keep_idle(block)) return;
    block->~Block();
    std::free(block);
}

}  // namespace

td_buffer* buffer_new(std::size_t capacity) noexcept {
    if (capacity > largest_buffer) return nullptr;
    Block* block = nullptr;
    constexpr std::size_t smallest = std::size_t{1} << smallest_bits, largest = std::size_t{1} << largest_bits;
    if (capacity > smallest / 2 && capacity <= largest) {
        const std::size_t rounded = std::max(smallest, std::bit_ceil(capacity));
        const auto size_class = static_cast<std::uint32_t>(std::countr_zero(rounded) - smallest_bits);
        block = take_idle(size_class);
        if (block == nullptr) block = make(rounded, size_class);
    } else {
        block = make(capacity, no_class);
    }
    if (block == nullptr) return nullptr;
    block->references.store(1, std::memory_order_relaxed);
    pool().used.fetch_add(counted(*block), std::memory_order_relaxed);
    return &block->shown;
}

void buffer_ref(td_buffer* buffer) noexcept {
    if (buffer != nullptr) block_of(buffer)->references.fetch_add(1, std::memory_order_relaxed);
}

void buffer_unref(td_buffer* buffer) noexcept {
    if (buffer == nullptr) return;
    Block* block = block_of(buffer);
    if (block->references.fetch_sub(1, std::memory_order_acq_rel) == 1) release(block);
}

}  // namespace tapedeck::host
