// The bytes of a host's file.
#pragma once

#include "source.hpp"
#include "tapedeck/context.hpp"
#include "tapedeck/file.hpp"

namespace tapedeck {

/// Throws what the file throws.
class FileSource : public Source {
public:
    explicit FileSource(File file) : file_(file) {}

    std::uint64_t size() const override { return file_.length(); }
    std::size_t read(std::uint64_t at, std::span<std::uint8_t> into) const override { return file_.read(at, into); }

private:
    File file_;
};

/// For a viewer: also throws TD_CANCELLED when the host asks to give up.
class ViewedSource : public FileSource {
public:
    ViewedSource(Context context, File file) : FileSource(file), context_(context) {}

    std::size_t read(std::uint64_t at, std::span<std::uint8_t> into) const override {
        if (context_.cancelled()) throw Error(TD_CANCELLED, "the reading was given up");
        return FileSource::read(at, into);
    }

private:
    Context context_;
};

}  // namespace tapedeck
