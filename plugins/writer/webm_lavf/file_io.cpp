#include "file_io.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <new>
#include <string>

namespace tapedeck::webm_lavf {
namespace {

constexpr int buffer_size = 1 << 16;

}  // namespace

FileIo::FileIo(File file, Mode mode) : file_(file) {
    auto* buffer = static_cast<unsigned char*>(libav().av_mallocz(buffer_size));
    if (buffer == nullptr) throw std::bad_alloc();
    context_ =
        libavformat().avio_alloc_context(buffer, buffer_size, mode == Mode::Write ? 1 : 0, this, &read, &write, &seek);
    if (context_ == nullptr) {
        libav().av_free(buffer);
        throw std::bad_alloc();
    }
}

FileIo::~FileIo() {
    libav().av_free(context_->buffer);
    libavformat().avio_context_free(&context_);
}

void FileIo::check(int result, const char* what) {
    if (result >= 0) result = context_->error;
    context_->error = 0;
    const auto error = std::exchange(error_, std::nullopt);
    if (error && context_->write_flag != 0) {  // libavformat counts what it could not write
        position_ = static_cast<std::uint64_t>(libavformat().avio_seek(context_, 0, SEEK_CUR));
        if (position_ > checked_) holes_.push_back({checked_, position_ - checked_});
    }
    checked_ = position_;
    if (error) throw *error;
    if (result < 0) throw Error(std::string(what) + ": " + libav_error(result));
}

template <class Body>
int FileIo::guarded(Body body) {
    try {
        return body();
    } catch (const Error& e) {
        error_.emplace(e);
    } catch (const std::exception& e) {
        error_.emplace(e.what());
    }
    return AVERROR(EIO);
}

int FileIo::read(void* self, std::uint8_t* into, int size) {
    auto& io = *static_cast<FileIo*>(self);
    return io.guarded([&] {
        const auto got = io.file_.read(io.position_, {into, static_cast<std::size_t>(size)});
        io.position_ += got;
        return got == 0 ? AVERROR_EOF : static_cast<int>(got);
    });
}

int FileIo::write(void* self, std::uint8_t* bytes, int size) {
    auto& io = *static_cast<FileIo*>(self);
    return io.guarded([&] {
        io.file_.write(io.position_, std::array{td_bytes{bytes, static_cast<std::size_t>(size)}});
        io.position_ += static_cast<std::uint64_t>(size);
        return size;
    });
}

std::int64_t FileIo::seek(void* self, std::int64_t offset, int whence) {
    auto& io = *static_cast<FileIo*>(self);
    std::int64_t length = 0;
    const int result = io.guarded([&] {
        length = static_cast<std::int64_t>(io.file_.length());
        return 0;
    });
    if (result < 0) return result;
    if (whence == AVSEEK_SIZE) return length;
    if (whence == SEEK_CUR) offset += static_cast<std::int64_t>(io.position_);
    if (whence == SEEK_END) offset += length;
    if (offset < 0) return AVERROR(EINVAL);
    io.position_ = static_cast<std::uint64_t>(offset);
    return offset;
}

}  // namespace tapedeck::webm_lavf
