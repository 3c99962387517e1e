#include "file_copy.hpp"

#include <algorithm>
#include <array>

#include "boxes.hpp"

namespace tapedeck::mp4 {
namespace {

void copy_plainly(File from, std::uint64_t from_at, File to, std::uint64_t at, std::uint64_t count) {
    Bytes part(1 << 20);
    while (count > 0) {
        const std::size_t got = from.read(from_at, std::span(part).first(std::min<std::uint64_t>(count, part.size())));
        if (got == 0) throw Error("the file became shorter while it was copied");
        to.write(at, std::array{td_bytes{part.data(), got}});
        from_at += got;
        at += got;
        count -= got;
    }
}

}  // namespace

void copy_bytes(File from, std::uint64_t from_at, File to, std::uint64_t at, std::uint64_t count) {
    try {
        to.copy(at, from, from_at, count);
    } catch (const Error& e) {
        if (e.status() != TD_UNSUPPORTED) throw;
        copy_plainly(from, from_at, to, at, count);
    }
}

}  // namespace tapedeck::mp4
