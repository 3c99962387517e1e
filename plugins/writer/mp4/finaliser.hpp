// Turns a file of fragments into a progressive one, in place wherever the file can do that.
#pragma once

#include <optional>
#include <span>

#include "layout.hpp"
#include "movie.hpp"
#include "sample_table.hpp"
#include "tapedeck/file.hpp"

namespace tapedeck::mp4 {

/// Its steps, in order; a crash between any two leaves a file that `scan` reads alike, and the same steps from the
/// start on end in the same bytes:
///   1. what lies behind the last whole sample is cut off;
///   2. when the moov does not fit before the fragments, blocks are inserted there; where the file refuses, its content
///      goes into a rewrite behind a bigger head; where that is refused too, the moov goes behind the fragments;
///   3. the moov's body is written behind P's header, or the whole moov behind the fragments;
///   4. P becomes `moov`, A becomes `free`, the marker becomes the header of the one mdat.
/// The init moov's payload and the fragments' boxes are never overwritten: recovery reads them. [blocking]
class Finaliser {
public:
    /// Borrows all but the file. `layout` follows what is done to the file, so that after a failure another Finaliser
    /// can start from it.
    Finaliser(File file, const Movie& movie, std::span<const SampleTable> tables, Layout& layout)
        : file_(file), movie_(movie), tables_(tables), original_(layout), layout_(layout) {}

    /// Throws Error. The file is whole and synced afterwards, or its rewrite is.
    void run(bool moov_first);

private:
    void cut_tail();
    bool make_room(std::uint64_t moov_size);
    bool insert_blocks(std::uint64_t count);
    bool rewrite(std::uint64_t count);
    void state_reserve();
    void put_first(const Bytes& moov);
    void put_last(const Bytes& moov);
    void close_fragments();
    Bytes moov() const;
    void write(std::uint64_t at, View bytes);
    void sync();
    void note();

    File file_;
    const Movie& movie_;
    std::span<const SampleTable> tables_;
    Layout& original_;  // of the file that was given
    Layout layout_;     // of `file_`
    bool rewritten_ = false;
};

}  // namespace tapedeck::mp4
