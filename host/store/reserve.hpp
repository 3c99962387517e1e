// Blocks of a disk that are kept back for the last steps of a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "store/descriptor.hpp"

namespace tapedeck::host {

/// They belong to a file without a name, so that nothing is left of it after a kill. (Blocks behind the end of the file
/// that they are meant for are no help: ext4 drops them when a write to it finds the disk full.) Not thread-safe.
class Reserve {
public:
    /// `folder` lies on the disk that is to keep blocks. Where its file system cannot, nothing is kept.
    explicit Reserve(const std::filesystem::path& folder);

    /// Tells how much of the file was written; about 1.5 % of it and 128 KB are kept. A disk that is too full for more
    /// is asked again after the next 4 MB.
    void grow(std::uint64_t written) {
        if (file_ && written >= next_growth_) keep(written);
    }

private:
    void keep(std::uint64_t written);

    std::optional<Descriptor> file_;
    std::uint64_t kept_ = 0, next_growth_ = 0;  ///< bytes kept, and written when more will be
};

}  // namespace tapedeck::host
