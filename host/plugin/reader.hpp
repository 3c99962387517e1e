// A reader of one file, held by the host.
#pragma once

#include <cstdint>
#include <string>

#include "plugin/extension.hpp"

namespace tapedeck::host {

/// Made for one file, which must outlive it. Not thread-safe; every call is [blocking].
class Reader {
public:
    Reader(const Extension& extension, td_file& file);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    const Extension& extension() const { return extension_; }
    /// The extension of the files it reads, without the dot.
    static std::string file_extension(const Extension& extension);
    /// Whether it has `cut` at all; it may still answer TD_UNSUPPORTED.
    static bool cuts(const Extension& extension);

    /// The part from `from_us` to `to_us` (TD_NO_TIME: to the end) into an empty file; `exact`: not widened to key
    /// frames. Throws TD_UNSUPPORTED where the reader cannot cut, TD_NOT_FOUND when the file has no such part.
    void cut(std::int64_t from_us, std::int64_t to_us, bool exact, td_file& target);
    /// JSON of what is known of the file. Throws TD_UNSUPPORTED where the reader cannot tell.
    void inspect(td_file& json);

private:
    const Extension& extension_;
    const td_reader* table_;
    void* self_ = nullptr;
};

}  // namespace tapedeck::host
