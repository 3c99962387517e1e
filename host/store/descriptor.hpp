// A file descriptor with an owner.
#pragma once

#include <unistd.h>

#include <atomic>

namespace tapedeck::host {

/// An open file, counted where it is shared, so that a sync in another thread never meets a closed number.
struct Descriptor {
    explicit Descriptor(int opened) : number(opened) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number >= 0) ::close(number);
    }

    const int number;
    std::atomic<bool> dirty = false;  ///< written to since the last sync
};

}  // namespace tapedeck::host
