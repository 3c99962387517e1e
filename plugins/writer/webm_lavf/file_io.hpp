// libavformat's input and output over a file of the host.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "libav.hpp"
#include "tapedeck/file.hpp"

namespace tapedeck::webm_lavf {

/// What goes wrong with the file is kept until it is asked for, since no exception may pass through libavformat. It
/// must stay where it is. One thread at a time.
class FileIo {
public:
    enum class Mode { Read, Write };
    FileIo(File file, Mode mode);
    ~FileIo();
    FileIo(const FileIo&) = delete;
    FileIo& operator=(const FileIo&) = delete;

    AVIOContext* context() const { return context_; }
    /// Throws Error when `result` is an error of libav: what the file said, if it said something. `what`: what was
    /// tried. The next call starts anew; after a failed write, behind a hole that begins where the last check ended.
    void check(int result, const char* what);
    /// Where the next bytes go, when libavformat has none in hand.
    std::uint64_t position() const { return position_; }

    struct Hole {
        std::uint64_t at, size;
    };
    const std::vector<Hole>& holes() const { return holes_; }

private:
    static int read(void* self, std::uint8_t* into, int size);
    static int write(void* self, std::uint8_t* bytes, int size);
    static std::int64_t seek(void* self, std::int64_t offset, int whence);
    template <class Body>
    int guarded(Body body);

    File file_;
    AVIOContext* context_;
    std::uint64_t position_ = 0;
    std::uint64_t checked_ = 0;  // up to here all is written
    std::vector<Hole> holes_;
    std::optional<Error> error_;
};

}  // namespace tapedeck::webm_lavf
