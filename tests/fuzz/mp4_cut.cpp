// Finished MP4 files of anybody: whatever the bytes are, a part stays within them.
#include <cstddef>
#include <cstdint>

#include "cut.hpp"
#include "memory_source.hpp"
#include "tapedeck/context.hpp"

namespace {

using namespace tapedeck::mp4;
using tapedeck::fuzz::MemorySource;
using tapedeck::fuzz::require;

void check(const Cut& cut, std::size_t size) {
    require(!cut.ranges.empty() && cut.tables.size() == cut.movie.tracks.size());
    std::uint64_t before = 0;
    for (const CopiedRange& range : cut.ranges) {
        require(range.at >= before && range.at <= size && range.size <= size - range.at);
        before = range.at + range.size;
    }
    std::uint64_t samples = 0;
    for (const SampleTable& table : cut.tables) {
        SampleTable::Cursor cursor(table);
        while (const auto run = cursor.next_run()) {
            std::uint64_t at = run->position;
            for (std::uint32_t i = 0; i < run->count; ++i, ++samples) at += cursor.next_sample().size;
            require(at <= cut.bytes());
        }
    }
    const auto moov = final_moov(cut.movie, cut.tables, 4096, true);
    require(moov.size() < 64 * (size + samples) + 65536);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const MovieIndex index = MovieIndex::read(MemorySource(data, size));
        for (const CutTimes& times : {CutTimes{}, CutTimes{500'000, 900'000}, CutTimes{1'234'567, TD_NO_TIME, false}}) {
            try {
                check(plan_cut(index, size, times), size);
            } catch (const tapedeck::Error&) {  // says why it cannot be
            }
        }
    } catch (const tapedeck::Malformed&) {
    } catch (const tapedeck::Error&) {
    }
    return 0;
}
