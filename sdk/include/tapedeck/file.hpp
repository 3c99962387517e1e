// A file of the host, as writers and readers use it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tapedeck/abi.h"
#include "tapedeck/context.hpp"

namespace tapedeck {

/// A plain handle on a td_file; throws Error, with TD_UNSUPPORTED where the file cannot do what was asked.
class File {
public:
    explicit File(td_file* file = nullptr) : file_(file) {}

    void write(std::uint64_t at, std::span<const td_bytes> spans) const {
        call(file_->table->write, file_, at, spans.data(), spans.size());
    }
    void write(std::uint64_t at, std::string_view text) const {
        write(at, std::array{td_bytes{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}});
    }
    void append(std::string_view text) const { write(length(), text); }
    /// Gives how many bytes were read: fewer than asked for only at the end of the file.
    std::size_t read(std::uint64_t at, std::span<std::uint8_t> into) const {
        std::size_t got = 0;
        call(file_->table->read, file_, at, into.data(), into.size(), &got);
        return got;
    }
    std::uint64_t length() const {
        std::uint64_t bytes = 0;
        call(file_->table->length, file_, &bytes);
        return bytes;
    }
    /// All of a small file; Error when it is longer than `limit`.
    std::string text(std::size_t limit = 64u << 20) const {
        const std::uint64_t size = length();
        if (size > limit) throw Error("a file of " + std::to_string(size) + " bytes is too long to read whole");
        std::string all(static_cast<std::size_t>(size), '\0');
        all.resize(read(0, {reinterpret_cast<std::uint8_t*>(all.data()), all.size()}));
        return all;
    }
    void truncate(std::uint64_t bytes) const { call(file_->table->truncate, file_, bytes); }
    void insert(std::uint64_t at, std::uint64_t count) const { call(file_->table->insert, file_, at, count); }
    void copy(std::uint64_t at, const File& from, std::uint64_t from_at, std::uint64_t count) const {
        call(file_->table->copy, file_, at, from.file_, from_at, count);
    }
    void sync() const { call(file_->table->sync, file_); }
    File rewrite() const {
        td_file* fresh = nullptr;
        call(file_->table->rewrite, file_, &fresh);
        return File(fresh);
    }
    td_file* get() const { return file_; }

private:
    td_file* file_;
};

}  // namespace tapedeck
