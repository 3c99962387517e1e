// Parts of finished MP4 files, as files of their own.
#pragma once

#include <cstdint>

#include "movie_index.hpp"
#include "tapedeck/plugin.hpp"

namespace tapedeck::mp4 {

/// One file of any writer. Its index is read once, when the reader is made; it is constant afterwards. Threads:
/// td_reader in abi.h.
class Mp4Reader : public Reader {
public:
    static constexpr const char* id = "mp4";
    static constexpr const char* doc = "Parts of MP4 files, exact to the picture";
    static constexpr const char* extension = "mp4";

    /// Throws Error: TD_MALFORMED for what is no whole MP4 file, TD_UNSUPPORTED for fragments of another writer.
    Mp4Reader(Context context, File file);

    /// Writes the index of the part, then copies the media by File::copy: nothing is decoded and only the part is read.
    /// Throws Error as plan_cut; TD_CANCELLED when the host asks for it.
    void cut(std::int64_t from_us, std::int64_t to_us, bool exact, File target);

    /// Writes what track_report tells.
    void inspect(File json) const;

private:
    Context context_;
    File file_;
    MovieIndex index_;
};

}  // namespace tapedeck::mp4
