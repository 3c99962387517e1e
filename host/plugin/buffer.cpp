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

// Four classes to each power of two from 4 KiB to 1 MiB, so that at most a fifth of a block is unused; each list holds
// at most 1 MiB, or two blocks of the largest.
constexpr int smallest_bits = 12, largest_bits = 20;
constexpr std::size_t steps = 4;
constexpr std::size_t class_count = (largest_bits - smallest_bits) * steps + 1;
constexpr std::size_t idle_limit = std::size_t{1} << 20;
constexpr std::uint32_t no_class = ~0u;

/// Bytes of the blocks of a class.
constexpr std::size_t size_of(std::size_t size_class) {
    const std::size_t octave = std::size_t{1} << (smallest_bits + size_class / steps);
    return octave + octave / steps * (size_class % steps);
}

/// The class with the smallest blocks that hold `capacity`, which is at most 1 MiB.
constexpr std::size_t class_of(std::size_t capacity) {
    if (capacity <= size_of(0)) return 0;
    const auto octave = static_cast<std::size_t>(std::bit_width(capacity - 1)) - 1;
    const std::size_t step = ((capacity - 1) >> (octave - 2)) - steps + 1;
    return (octave - smallest_bits) * steps + step;
}
static_assert(size_of(class_of(4096)) == 4096 && size_of(class_of(4097)) == 5120 && size_of(class_of(8193)) == 10240);
static_assert(size_of(class_of(41000)) == 49152);
static_assert(class_of(std::size_t{1} << largest_bits) == class_count - 1);

/// What lies before the payload. The plugin sees only the td_buffer at its start.
struct Block {
    td_buffer shown;
    std::atomic<std::uint32_t> references;
    std::uint32_t size_class;
    Block* next;  // while idle
};

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
    return std::max<std::size_t>(idle_limit / size_of(size_class), 2);
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
    void* memory = std::malloc(sizeof(Block) + capacity);
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
        const std::size_t size_class = class_of(capacity);
        block = take_idle(size_class);
        if (block == nullptr) block = make(size_of(size_class), static_cast<std::uint32_t>(size_class));
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
