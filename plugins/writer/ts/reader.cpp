#include "reader.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "cut.hpp"
#include "file_source.hpp"
#include "tapedeck/media/ticks.hpp"

namespace tapedeck::ts {
namespace {

constexpr std::uint64_t copied_at_once = 64 << 20;  // between two questions whether to go on

void write(File target, const Bytes& bytes) {
    if (!bytes.empty()) target.write(target.length(), std::array{td_bytes{bytes.data(), bytes.size()}});
}

}  // namespace

void TsReader::cut(std::int64_t from_us, std::int64_t to_us, bool /*exact*/, File target) {
    std::optional<std::int64_t> to;
    if (to_us != TD_NO_TIME) to = to_ticks(to_us, ticks);
    try {
        const ViewedSource source(context_, file_);
        Program program(source);
        const Cut part = plan_cut(program, to_ticks(from_us, ticks), to);
        write(target, part.front);
        for (std::uint64_t at = part.from; at < part.to;) {
            if (context_.cancelled()) throw Error(TD_CANCELLED, "the cut was given up");
            const std::uint64_t count = std::min(part.to - at, copied_at_once);
            target.copy(target.length(), file_, at, count);
            at += count;
        }
        write(target, part.back);
    } catch (const Malformed& e) {
        throw Error(TD_MALFORMED, e.what());
    }
}

}  // namespace tapedeck::ts
