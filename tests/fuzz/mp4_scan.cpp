// Torn MP4 files: whatever the bytes are, the scan stays inside them, and what it finds can be finished.
#include <cstddef>
#include <cstdint>

#include "memory_source.hpp"
#include "movie.hpp"
#include "scanner.hpp"

namespace {

using namespace tapedeck::mp4;
using tapedeck::fuzz::MemorySource;
using tapedeck::fuzz::require;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto found = scan(MemorySource(data, size));
    if (!found) return 0;
    require(found->tables.size() == found->movie.tracks.size());
    require(found->layout.end() <= size);
    std::uint64_t samples = 0;
    for (const SampleTable& table : found->tables) {
        SampleTable::Cursor cursor(table);
        while (const auto run = cursor.next_run()) {
            std::uint64_t at = found->layout.data_at + run->position;
            for (std::uint32_t i = 0; i < run->count; ++i) {
                at += cursor.next_sample().size;
                require(at <= size);
                ++samples;
            }
        }
    }
    require(samples == found->samples);
    if (samples == 0) return 0;
    shown_duration_us(found->movie, found->tables);
    const auto moov = final_moov(found->movie, found->tables, found->layout.data_at, (size & 1) != 0);
    require(moov.size() < 64 * size + 65536);
    return 0;
}
