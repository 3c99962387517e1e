#include "reader.hpp"

#include <algorithm>
#include <array>

#include "cut.hpp"
#include "file_copy.hpp"
#include "file_source.hpp"
#include "layout.hpp"
#include "track_report.hpp"

namespace tapedeck::mp4 {
namespace {

constexpr std::size_t mdat_header_size = 16;
constexpr std::uint64_t copied_at_once = 64 << 20;  // between two questions whether to go on

MovieIndex read_index(Context context, File file) {
    try {
        return MovieIndex::read(ViewedSource(context, file));
    } catch (const Malformed& e) {
        throw Error(TD_MALFORMED, e.what());
    }
}

/// Everything in front of the media, which begins at a whole block, so that it can be shared with its source:
/// ftyp | moov | free | header of mdat.
Bytes head_of(const Cut& cut) {
    const std::uint64_t payload = cut.bytes();
    const bool wide = payload > std::uint64_t{0xf0000000};
    const std::size_t moov_size = final_moov(cut.movie, cut.tables, 0, wide).size();
    Bytes head = file_type();
    const std::uint64_t data_at = Layout::up(head.size() + moov_size + box_header_size + mdat_header_size);
    const Bytes moov = final_moov(cut.movie, cut.tables, data_at, wide);
    BoxWriter writer(head);
    writer.bytes(moov);
    {
        const auto free = writer.box(fourcc("free"));
        writer.zeros(static_cast<std::size_t>(data_at) - mdat_header_size - writer.position());
    }
    writer.u32(1);
    writer.u32(fourcc("mdat"));
    writer.u64(payload + mdat_header_size);
    return head;
}

}  // namespace

Mp4Reader::Mp4Reader(Context context, File file) : context_(context), file_(file), index_(read_index(context, file)) {}

void Mp4Reader::cut(std::int64_t from_us, std::int64_t to_us, bool exact, File target) {
    const Cut part = plan_cut(index_, file_.length(), {from_us, to_us, exact});
    const Bytes head = head_of(part);
    target.write(0, std::array{td_bytes{head.data(), head.size()}});
    std::uint64_t at = head.size();
    for (CopiedRange range : part.ranges) {
        while (range.size > 0) {
            if (context_.cancelled()) throw Error(TD_CANCELLED, "the cut was given up");
            const std::uint64_t count = std::min(range.size, copied_at_once);
            copy_bytes(file_, range.at, target, at, count);
            range.at += count;
            range.size -= count;
            at += count;
        }
    }
}

void Mp4Reader::inspect(File json) const {
    json.append(track_report(index_));
}

}  // namespace tapedeck::mp4
