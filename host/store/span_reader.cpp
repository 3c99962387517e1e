#include "store/span_reader.hpp"

#include <algorithm>
#include <cstring>

namespace tapedeck::host {

SpanReader::SpanReader(const td_bytes* spans, std::size_t count) : spans_(spans, count) {
    for (const td_bytes& span : spans_) size_ += span.size;
}

std::size_t SpanReader::look(std::span<iovec> vectors, std::size_t most) const {
    std::size_t filled = 0, offset = offset_;
    for (const td_bytes& span : spans_) {
        if (filled == vectors.size() || most == 0) break;
        const std::size_t size = std::min(span.size - offset, most);
        // Whoever writes from it does not write through the pointer.
        if (size > 0) vectors[filled++] = {const_cast<std::uint8_t*>(span.data) + offset, size};
        most -= size;
        offset = 0;
    }
    return filled;
}

void SpanReader::take(std::uint8_t* into, std::size_t bytes) {
    while (bytes > 0) {
        const td_bytes& span = spans_.front();
        const std::size_t size = std::min(span.size - offset_, bytes);
        if (size > 0) std::memcpy(into, span.data + offset_, size);
        into += size;
        bytes -= size;
        skip(size);
    }
}

void SpanReader::skip(std::size_t bytes) {
    size_ -= bytes;
    offset_ += bytes;
    while (!spans_.empty() && offset_ >= spans_.front().size) {
        offset_ -= spans_.front().size;
        spans_ = spans_.subspan(1);
    }
}

}  // namespace tapedeck::host
