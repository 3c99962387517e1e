// Parts of WebM and Matroska files, as files of their own.
#pragma once

#include <cstdint>

#include "segment_index.hpp"
#include "tapedeck/plugin.hpp"

namespace tapedeck::ebml {

/// One file of any writer, finished or still written. Its index is read once, when the reader is made. Threads:
/// td_reader in abi.h.
class MatroskaReader : public Reader {
public:
    /// Throws Error: TD_MALFORMED for what is no such file, TD_UNSUPPORTED as SegmentIndex.
    MatroskaReader(Context context, File file);

    /// As plan_cut of cut.hpp says; always from a key picture on, exact or not. Throws Error; TD_CANCELLED when the
    /// host asks for it.
    void cut(std::int64_t from_us, std::int64_t to_us, bool exact, File target);

private:
    Context context_;
    File file_;
    SegmentIndex index_;
};

}  // namespace tapedeck::ebml
