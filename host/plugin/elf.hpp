// The exported symbols of an ELF shared library, read without loading it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "plugin/facts.hpp"

namespace tapedeck::host {

/// A file as the parser sees it. `read` fills all of `into` from `at` or says false; it is asked only within `size`.
struct ByteSource {
    std::uint64_t size = 0;
    std::function<bool(std::uint64_t at, std::span<std::byte> into)> read;
};

struct ElfFacts {
    Facts::Format format = Facts::Format::NotSharedLibrary;
    std::string detail;                 ///< the machine of OtherMachine
    std::vector<std::string> exported;  ///< defined and visible to others, sorted, each once
    bool has_sections = false;          ///< the section table is there and lies within the file
};

/// Looks at a 64-bit little-endian ELF file: header, segments, sections, and the dynamic symbol table that the loader
/// will use (System V gABI, chapters 4 and 5). Each length is checked against the file; nothing is trusted. Pure.
ElfFacts parse_elf(const ByteSource& file);

}  // namespace tapedeck::host
