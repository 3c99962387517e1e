// Starts a child process whose output comes through a pipe.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <utility>

#include "process.hpp"

namespace tapedeck::script {

/// A file number, closed by its destructor.
class Descriptor {
public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    int get() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }

private:
    int number_;
};

struct Child {
    pid_t process = -1;  ///< leads the process group of the same number
    Descriptor output;   ///< not blocking
};

/// As `run` says. Whoever calls must reap the process. Throws Error.
Child spawn(const Command& command);

}  // namespace tapedeck::script
