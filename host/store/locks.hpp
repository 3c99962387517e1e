// One server per folder: the home and the folder of the catalogue are held by a lock.
#pragma once

#include <filesystem>

#include "store/file.hpp"

namespace tapedeck::host {

/// Holds `<folder>/tapedeck.lock` while it lives; the kernel lets go when the process ends, however it ends.
class FolderLock {
public:
    /// Makes the folder when it is missing. Throws Error(TD_EXISTS) that names the process holding it, or what cannot
    /// be written.
    explicit FolderLock(const std::filesystem::path& folder);

private:
    Descriptor file_;
};

}  // namespace tapedeck::host
