// Counted buffers of a FakeHost, with a count of those that nobody gave back.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "tapedeck/abi.h"

namespace tapedeck::testkit {

/// A td_buffer with its count. All buffers of the process are counted together: `td_host.buffer_new` has no context.
struct CountedBuffer : td_buffer {
    std::atomic<int> references{1};

    static inline std::atomic<long> live{0};
    /// Buffers larger than this are refused with null, as where memory is short.
    static inline std::atomic<std::size_t> limit{SIZE_MAX};

    static td_buffer* make(std::size_t capacity) {
        if (capacity > limit) return nullptr;
        auto* buffer = new (std::nothrow) CountedBuffer;
        if (buffer == nullptr) return nullptr;
        buffer->data = new (std::nothrow) std::uint8_t[capacity == 0 ? 1 : capacity];
        buffer->capacity = capacity;
        if (buffer->data == nullptr) {
            delete buffer;
            return nullptr;
        }
        ++live;
        return buffer;
    }
    static void ref(td_buffer* buffer) { ++static_cast<CountedBuffer*>(buffer)->references; }
    static void unref(td_buffer* buffer) {
        auto* counted = static_cast<CountedBuffer*>(buffer);
        if (--counted->references > 0) return;
        delete[] counted->data;
        delete counted;
        --live;
    }
};

}  // namespace tapedeck::testkit
