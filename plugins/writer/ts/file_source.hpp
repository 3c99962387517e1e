// The bytes of a host's file, for the scanner and the reader.
#pragma once

#include "scanner.hpp"
#include "tapedeck/file.hpp"

namespace tapedeck::ts {

/// Throws what the file throws.
class FileSource : public Source {
public:
    explicit FileSource(File file) : file_(file) {}
    std::uint64_t size() const override { return file_.length(); }
    std::size_t read(std::uint64_t at, std::span<std::uint8_t> into) const override { return file_.read(at, into); }

private:
    File file_;
};

}  // namespace tapedeck::ts
