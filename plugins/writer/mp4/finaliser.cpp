#include "finaliser.hpp"

#include <algorithm>
#include <array>

#include "file_copy.hpp"

namespace tapedeck::mp4 {
namespace {

/// Files whose fragments reach further than this have 64-bit positions. It leaves room for any head, so that making
/// room never changes the size of the moov.
constexpr std::uint64_t narrow_limit = (std::uint64_t{1} << 32) - (std::uint64_t{512} << 20);

bool fits(std::uint64_t moov_size, std::uint64_t room) {
    return moov_size + box_header_size <= room;
}

std::array<std::uint8_t, box_header_size> small_header(std::uint64_t size, std::uint32_t type) {
    std::array<std::uint8_t, box_header_size> bytes{};
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[i] = static_cast<std::uint8_t>(size >> (24 - 8 * i));
        bytes[4 + i] = static_cast<std::uint8_t>(type >> (24 - 8 * i));
    }
    return bytes;
}

}  // namespace

void Finaliser::run(bool moov_first) {
    cut_tail();
    if (moov_first) {
        Bytes box = moov();
        if (fits(box.size(), layout_.room())) return put_first(box);
        if (make_room(box.size())) return put_first(moov());
    }
    put_last(moov());
}

Bytes Finaliser::moov() const {
    return final_moov(movie_, tables_, layout_.data_at, layout_.data_size > narrow_limit);
}

void Finaliser::cut_tail() {
    if (file_.length() > layout_.end()) file_.truncate(layout_.end());
    if (!layout_.torn) return;
    write(layout_.data_at + layout_.torn->at, small_header(layout_.torn->size, fourcc("mdat")));
    layout_.torn.reset();
    note();
}

// A recording is never lost for its layout: whatever fails here, the next way is taken.
bool Finaliser::make_room(std::uint64_t moov_size) {
    const std::uint64_t count = Layout::up(moov_size + box_header_size - layout_.room());
    return insert_blocks(count) || rewrite(count);
}

bool Finaliser::insert_blocks(std::uint64_t count) {
    try {
        file_.insert(layout_.data_at - Layout::block, count);
    } catch (const Error& e) {
        if (e.status() == TD_CANCELLED) throw;
        return false;
    }
    layout_.data_at += count;
    layout_.reserve_is_stated = false;
    note();
    return true;
}

bool Finaliser::rewrite(std::uint64_t count) {
    std::optional<File> fresh;
    try {
        fresh = file_.rewrite();
        const std::uint64_t from = layout_.data_at - Layout::block;
        copy_bytes(file_, 0, *fresh, 0, layout_.reserve_at);
        copy_bytes(file_, from, *fresh, from + count, layout_.end() - from);
    } catch (const Error& e) {
        if (e.status() == TD_CANCELLED) throw;
        if (fresh) fresh->truncate(0);  // the host drops an empty rewrite
        return false;
    }
    file_ = *fresh;
    rewritten_ = true;
    layout_.data_at += count;
    layout_.reserve_is_stated = false;
    return true;
}

void Finaliser::state_reserve() {
    if (layout_.reserve_is_stated) return;
    write(layout_.reserve_at, small_header(layout_.room(), fourcc("free")));
    sync();
    layout_.reserve_is_stated = true;
    note();
}

void Finaliser::put_first(const Bytes& moov) {
    state_reserve();
    const auto rest = small_header(layout_.room() - moov.size(), fourcc("free"));
    const View body = View(moov).subspan(box_header_size);
    file_.write(layout_.reserve_at + box_header_size,
                std::array{td_bytes{body.data(), body.size()}, td_bytes{rest.data(), rest.size()}});
    sync();
    layout_.reserve_is_stated = false;
    note();
    write(layout_.reserve_at, View(moov).first(box_header_size));
    close_fragments();
}

void Finaliser::put_last(const Bytes& moov) {
    state_reserve();
    write(layout_.end(), moov);
    sync();
    close_fragments();
}

void Finaliser::close_fragments() {
    write(Layout::init_at + 4, View(small_header(0, fourcc("free"))).subspan(4));
    Bytes mdat;
    BoxWriter writer(mdat);
    writer.u32(1);
    writer.u32(fourcc("mdat"));
    writer.u64(layout_.end() - layout_.marker_at());
    write(layout_.marker_at(), mdat);
    sync();
}

void Finaliser::write(std::uint64_t at, View bytes) {
    file_.write(at, std::array{td_bytes{bytes.data(), bytes.size()}});
}

void Finaliser::note() {
    if (!rewritten_) original_ = layout_;
}

void Finaliser::sync() {
    try {
        file_.sync();
    } catch (const Error& e) {
        if (e.status() != TD_UNSUPPORTED) throw;
    }
}

}  // namespace tapedeck::mp4
