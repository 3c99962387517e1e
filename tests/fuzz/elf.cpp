// A plugin file's ELF tables: whatever the bytes are, nothing outside of them is read, and only a shared library
// exports.
#include "plugin/elf.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tapedeck::host;
    const ElfFacts facts = parse_elf({size, [data, size](std::uint64_t at, std::span<std::byte> into) {
                                          if (at > size || into.size() > size - at) std::abort();
                                          std::memcpy(into.data(), data + at, into.size());
                                          return true;
                                      }});
    if (facts.format != Facts::Format::SharedLibrary && !facts.exported.empty()) std::abort();
    if (!std::ranges::is_sorted(facts.exported)) std::abort();
    return 0;
}
