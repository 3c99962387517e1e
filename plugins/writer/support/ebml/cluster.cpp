#include "cluster.hpp"

#include <algorithm>

namespace tapedeck::ebml {
namespace {

constexpr std::size_t most_header = 64;  // bytes of all that stands around one payload
constexpr std::uint8_t flag_key = 0x80, flag_invisible = 0x08;

void append_block_header(Bytes& out, const Block& block, std::int64_t base, std::uint8_t flags) {
    const unsigned width = size_width(block.track);
    const std::uint64_t number = block.track | std::uint64_t{1} << (7 * width);
    for (unsigned i = width; i-- > 0;) out.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
    const auto relative = static_cast<std::uint16_t>(block.time - base);
    out.push_back(static_cast<std::uint8_t>(relative >> 8));
    out.push_back(static_cast<std::uint8_t>(relative & 0xff));
    if (block.time < 0) flags |= flag_invisible;
    out.push_back(flags);
}

}  // namespace

void Cluster::add(const Block& block, std::span<const td_bytes> payload, td_buffer* buffer) {
    earliest_ = empty() ? block.time : std::min(earliest_, block.time);
    latest_ = empty() ? block.time : std::max(latest_, block.time);
    if (references_.empty() || references_.back() != buffer) {  // packets of one read share it
        references_.push_back(buffer);
        host_->buffer_ref(buffer);
    }
    std::uint64_t size = 0;
    for (const td_bytes& span : payload) size += span.size;
    blocks_.push_back({block, payload_.size(), payload.size(), size});
    payload_.insert(payload_.end(), payload.begin(), payload.end());
    bytes_ += size;
}

std::int64_t Cluster::span_with(std::int64_t time) const {
    return empty() ? 0 : std::max(latest_, time) - std::min(earliest_, time);
}

ClusterFacts Cluster::lay_out(std::uint64_t position, std::vector<td_bytes>& spans) {
    const std::int64_t base = std::max<std::int64_t>(earliest_, 0);
    const auto ends = [](const Gathered& g) { return g.block.time + (g.block.is_text ? 0 : g.block.duration); };
    const auto last = std::ranges::max_element(blocks_, {}, ends);

    headers_.clear();
    headers_.reserve((blocks_.size() + 1) * most_header);  // the spans point into it
    spans.clear();
    ElementWriter writer(headers_);
    writer.header(id_cluster, 0, 4);
    writer.number(id_timestamp, static_cast<std::uint64_t>(base));
    spans.push_back({headers_.data(), headers_.size()});
    for (auto block = blocks_.begin(); block != blocks_.end(); ++block)
        append(*block, block == last || block->block.is_text, base, spans);

    std::uint64_t size = 0;
    for (const td_bytes& span : spans) size += span.size;
    Bytes head;
    ElementWriter(head).header(id_cluster, size - 8, 4);
    std::ranges::copy(head, headers_.begin());

    const Block& first = blocks_.front().block;
    ClusterFacts facts;
    facts.position = position;
    facts.first_time = static_cast<std::uint64_t>(std::max<std::int64_t>(first.time, 0));
    facts.first_track = first.track;
    facts.starts_with_key = first.video && first.key;
    facts.end = static_cast<std::uint64_t>(std::max<std::int64_t>(ends(*last), 0));
    return facts;
}

void Cluster::append(const Gathered& gathered, bool states_duration, std::int64_t base, std::vector<td_bytes>& spans) {
    const Block& block = gathered.block;
    const auto span_from = [&](std::size_t start) {
        if (headers_.size() > start) spans.push_back({headers_.data() + start, headers_.size() - start});
    };
    const auto add_payload = [&] {
        const auto first = payload_.begin() + static_cast<std::ptrdiff_t>(gathered.first_span);
        spans.insert(spans.end(), first, first + static_cast<std::ptrdiff_t>(gathered.span_count));
    };
    const std::uint64_t content = size_width(block.track) + 3 + gathered.size;
    const std::size_t start = headers_.size();
    ElementWriter writer(headers_);
    if (!states_duration && block.discard_ns == 0) {
        writer.header(id_simple_block, content);
        append_block_header(headers_, block, base, block.key ? flag_key : std::uint8_t{0});
        span_from(start);
        return add_payload();
    }
    Bytes tail;
    ElementWriter behind(tail);
    behind.number(id_block_duration, static_cast<std::uint64_t>(std::max<std::int64_t>(block.duration, 0)));
    if (block.video && !block.key) behind.signed_number(id_reference_block, block.reference);
    if (block.discard_ns != 0) behind.signed_number(id_discard_padding, block.discard_ns);
    writer.header(id_block_group, 1 + size_width(content) + content + tail.size());
    writer.header(id_block, content);
    append_block_header(headers_, block, base, 0);
    span_from(start);
    add_payload();
    const std::size_t tail_at = headers_.size();
    headers_.insert(headers_.end(), tail.begin(), tail.end());
    span_from(tail_at);
}

void Cluster::clear() {
    for (td_buffer* buffer : references_) host_->buffer_unref(buffer);
    references_.clear();
    blocks_.clear();
    payload_.clear();
    bytes_ = 0;
}

}  // namespace tapedeck::ebml
