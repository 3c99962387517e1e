#include "reader.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "cut.hpp"
#include "file_source.hpp"

namespace tapedeck::ebml {
namespace {

SegmentIndex read_index(Context context, File file) {
    try {
        return SegmentIndex::read(ViewedSource(context, file));
    } catch (const Malformed& e) {
        throw Error(TD_MALFORMED, e.what());
    }
}

/// To the next millisecond: people round times.
std::int64_t milliseconds(std::int64_t us) {
    return (us + 500) / 1000;
}

}  // namespace

MatroskaReader::MatroskaReader(Context context, File file)
    : context_(context), file_(file), index_(read_index(context, file)) {}

void MatroskaReader::cut(std::int64_t from_us, std::int64_t to_us, bool /*exact*/, File target) {
    std::optional<std::int64_t> to;
    if (to_us != TD_NO_TIME) to = milliseconds(to_us);
    std::uint64_t at = 0;
    for (const CutPiece& piece : plan_cut(index_, ViewedSource(context_, file_), milliseconds(from_us), to)) {
        if (context_.cancelled()) throw Error(TD_CANCELLED, "the cut was given up");
        if (!piece.bytes.empty()) target.write(at, std::array{td_bytes{piece.bytes.data(), piece.bytes.size()}});
        at += piece.bytes.size();
        if (piece.size != 0) target.copy(at, file_, piece.from, piece.size);
        at += piece.size;
    }
}

}  // namespace tapedeck::ebml
