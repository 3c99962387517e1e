#include "finaliser.hpp"

#include <array>

#include "head.hpp"

namespace tapedeck::ebml {
namespace {

/// Clusters that reach further have positions of eight bytes. It leaves room for any head, so that making room never
/// changes the size of the Cues.
constexpr std::uint64_t narrow_limit = (std::uint64_t{1} << 32) - (std::uint64_t{512} << 20);
constexpr std::uint64_t void_header = 9;

Bytes void_header_of(std::uint64_t size) {
    Bytes out;
    ElementWriter(out).header(id_void, size - void_header, 8);
    return out;
}

}  // namespace

void Finaliser::run() {
    cut_tail();
    end_ = layout_.end();
    std::optional<std::uint64_t> cues_at;
    if (!index_.empty()) cues_at = put_cues();
    sync();
    write(layout_.seek_head_at(), seek_head_bytes(layout_, cues_at));
    write(duration_at(layout_), duration_bytes(index_.duration()));
    write(segment_size_at(layout_), segment_size_bytes(end_ - layout_.segment_at));
    sync();
}

void Finaliser::cut_tail() {
    if (file_.length() > layout_.end()) file_.truncate(layout_.end());
    if (!layout_.torn_at) return;
    Bytes header;
    ElementWriter(header).header(id_cluster, layout_.torn_size, 4);
    write(layout_.data_at + *layout_.torn_at, header);
    layout_.torn_at.reset();
}

bool Finaliser::fits(std::uint64_t cues) const {
    return cues + void_header <= layout_.cues_room();
}

std::uint64_t Finaliser::put_cues() {
    const bool wide = layout_.end() > narrow_limit;
    const auto cues = [&] { return index_.cues(layout_.data_at - layout_.segment_at, wide); };
    Bytes bytes = cues();
    if (!fits(bytes.size()) && !make_room(bytes.size())) {
        // An insertion that was cut short by a crash may have left the slot's Void shorter than the slot.
        write(layout_.cues_at(), void_header_of(layout_.cues_room()));
        write(layout_.end(), bytes);
        end_ = layout_.end() + bytes.size();
        return layout_.end();
    }
    bytes = cues();
    const Bytes rest = void_header_of(layout_.cues_room() - bytes.size());
    file_.write(layout_.cues_at(),
                std::array{td_bytes{bytes.data(), bytes.size()}, td_bytes{rest.data(), rest.size()}});
    return layout_.cues_at();
}

// A recording is never lost for its layout: whatever fails here, the next way is taken.
bool Finaliser::make_room(std::uint64_t cues) {
    const std::uint64_t count = Layout::up(cues + void_header - layout_.cues_room());
    try {
        file_.insert(layout_.data_at - Layout::block, count);
    } catch (const Error& e) {
        if (e.status() == TD_CANCELLED) throw;
        return false;
    }
    layout_.data_at += count;
    end_ += count;
    return true;
}

void Finaliser::write(std::uint64_t at, View bytes) {
    file_.write(at, std::array{td_bytes{bytes.data(), bytes.size()}});
}

void Finaliser::sync() {
    try {
        file_.sync();
    } catch (const Error& e) {
        if (e.status() != TD_UNSUPPORTED) throw;
    }
}

}  // namespace tapedeck::ebml
