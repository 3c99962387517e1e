#include "plugin/elf.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace tapedeck::host {
namespace {

constexpr std::size_t most_headers = 4096;
constexpr std::uint64_t most_symbols = 1u << 20;
#if defined(__x86_64__)
constexpr std::uint16_t own_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t own_machine = EM_AARCH64;
#else
#error "name this machine's ELF number"
#endif

/// The file ends too early, or its tables contradict each other.
struct Damaged {};

class Image {
public:
    explicit Image(const ByteSource& file) : file_(file) {}

    /// Whether `count` bytes at `at` lie within the file.
    bool holds(std::uint64_t at, std::uint64_t count) const { return at <= file_.size && count <= file_.size - at; }

    template <class T>
    std::vector<T> table(std::uint64_t at, std::uint64_t count) const {
        if (count > file_.size / sizeof(T) || !holds(at, count * sizeof(T))) throw Damaged{};
        std::vector<T> out(count);
        if (count > 0 && !file_.read(at, std::as_writable_bytes(std::span(out)))) throw Damaged{};
        return out;
    }
    template <class T>
    T one(std::uint64_t at) const {
        return table<T>(at, 1).front();
    }

private:
    const ByteSource& file_;
};

std::string machine_name(std::uint16_t machine) {
    switch (machine) {
        case EM_X86_64:
            return "x86-64";
        case EM_386:
            return "i386";
        case EM_AARCH64:
            return "AArch64";
        case EM_ARM:
            return "ARM";
        case EM_RISCV:
            return "RISC-V";
        case EM_PPC64:
            return "POWER";
        case EM_S390:
            return "s390x";
        default:
            return fmt::format("machine {}", machine);
    }
}

/// Where the loader finds the symbols, as addresses in memory.
struct Dynamic {
    std::optional<std::uint64_t> symbols, strings, hash, gnu_hash;
    std::uint64_t strings_size = 0;
};

Dynamic read_dynamic(const Image& image, const Elf64_Phdr& segment) {
    Dynamic found;
    const std::uint64_t count = std::min<std::uint64_t>(segment.p_filesz / sizeof(Elf64_Dyn), most_headers);
    for (const Elf64_Dyn& entry : image.table<Elf64_Dyn>(segment.p_offset, count)) {
        if (entry.d_tag == DT_NULL) break;
        switch (entry.d_tag) {
            case DT_SYMTAB:
                found.symbols = entry.d_un.d_ptr;
                break;
            case DT_STRTAB:
                found.strings = entry.d_un.d_ptr;
                break;
            case DT_STRSZ:
                found.strings_size = entry.d_un.d_val;
                break;
            case DT_HASH:
                found.hash = entry.d_un.d_ptr;
                break;
            case DT_GNU_HASH:
                found.gnu_hash = entry.d_un.d_ptr;
                break;
            default:
                break;
        }
    }
    return found;
}

std::uint64_t file_offset(std::span<const Elf64_Phdr> segments, std::uint64_t address) {
    for (const Elf64_Phdr& segment : segments) {
        if (segment.p_type == PT_LOAD && address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz)
            return segment.p_offset + (address - segment.p_vaddr);
    }
    throw Damaged{};
}

/// The symbol table does not say its length; the hash tables do.
std::uint64_t symbol_count(const Image& image, std::span<const Elf64_Phdr> segments, const Dynamic& dynamic) {
    if (dynamic.hash) return image.table<std::uint32_t>(file_offset(segments, *dynamic.hash), 2)[1];
    if (!dynamic.gnu_hash) return 0;
    const std::uint64_t at = file_offset(segments, *dynamic.gnu_hash);
    const auto header = image.table<std::uint32_t>(at, 4);  // buckets, first hashed symbol, bloom words, shift
    const std::uint64_t buckets_at = at + 16 + std::uint64_t{header[2]} * 8;
    const auto buckets = image.table<std::uint32_t>(buckets_at, header[0]);
    std::uint64_t last = buckets.empty() ? 0 : *std::ranges::max_element(buckets);
    if (last < header[1]) return header[1];  // nothing hashed: only undefined symbols
    const std::uint64_t chains_at = buckets_at + std::uint64_t{header[0]} * 4;
    while ((image.one<std::uint32_t>(chains_at + (last - header[1]) * 4) & 1u) == 0)
        if (++last > most_symbols) throw Damaged{};
    return last + 1;
}

bool is_exported(const Elf64_Sym& symbol) {
    const auto binding = ELF64_ST_BIND(symbol.st_info);
    const auto visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    return symbol.st_shndx != SHN_UNDEF &&
           (binding == STB_GLOBAL || binding == STB_WEAK || binding == STB_GNU_UNIQUE) &&
           (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

/// What every linker adds by itself.
bool is_of_linker(std::string_view name) {
    constexpr std::array names{"_init", "_fini", "_edata", "_end", "__bss_start", "_etext"};
    return std::ranges::find(names, name) != names.end();
}

std::vector<std::string> exported_symbols(const Image& image, std::span<const Elf64_Phdr> segments) {
    std::vector<std::string> names;
    const auto segment = std::ranges::find(segments, Elf64_Word{PT_DYNAMIC}, &Elf64_Phdr::p_type);
    if (segment == segments.end()) return names;
    const Dynamic dynamic = read_dynamic(image, *segment);
    if (!dynamic.symbols || !dynamic.strings) return names;
    const std::uint64_t count = symbol_count(image, segments, dynamic);
    if (count > most_symbols) throw Damaged{};
    const auto symbols = image.table<Elf64_Sym>(file_offset(segments, *dynamic.symbols), count);
    const auto strings = image.table<char>(file_offset(segments, *dynamic.strings), dynamic.strings_size);
    for (const Elf64_Sym& symbol : symbols) {
        if (!is_exported(symbol)) continue;
        if (symbol.st_name >= strings.size()) throw Damaged{};
        const char* start = strings.data() + symbol.st_name;
        const std::string name(start, strnlen(start, strings.size() - symbol.st_name));
        if (!name.empty() && !is_of_linker(name)) names.push_back(name);
    }
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
    return names;
}

/// Whether the section table can be read by those who trust it; damaged where it promises more than the file has.
bool check_sections(const Image& image, const Elf64_Ehdr& header) {
    if (header.e_shoff == 0 || header.e_shnum == 0) return false;
    if (header.e_shentsize != sizeof(Elf64_Shdr)) throw Damaged{};
    const auto sections = image.table<Elf64_Shdr>(header.e_shoff, header.e_shnum);
    for (const Elf64_Shdr& section : sections) {
        if (section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL &&
            !image.holds(section.sh_offset, section.sh_size))
            throw Damaged{};
    }
    return header.e_shstrndx < sections.size() && sections[header.e_shstrndx].sh_type == SHT_STRTAB;
}

ElfFacts parse_checked(const Image& image, const Elf64_Ehdr& header) {
    ElfFacts facts;
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > most_headers)
        throw Damaged{};
    const auto segments = image.table<Elf64_Phdr>(header.e_phoff, header.e_phnum);
    for (const Elf64_Phdr& segment : segments)
        if (segment.p_type == PT_LOAD && !image.holds(segment.p_offset, segment.p_filesz)) throw Damaged{};
    facts.has_sections = check_sections(image, header);
    facts.exported = exported_symbols(image, segments);
    facts.format = Facts::Format::SharedLibrary;
    return facts;
}

}  // namespace

ElfFacts parse_elf(const ByteSource& file) {
    const Image image(file);
    ElfFacts facts;
    try {
        if (!image.holds(0, SELFMAG) || std::memcmp(image.table<char>(0, SELFMAG).data(), ELFMAG, SELFMAG) != 0)
            return facts;
        facts.format = Facts::Format::Damaged;
        const auto header = image.one<Elf64_Ehdr>(0);  // a 32-bit header is shorter, but no such file is
        if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
            header.e_machine != own_machine) {
            facts.format = Facts::Format::OtherMachine;
            facts.detail =
                header.e_ident[EI_DATA] == ELFDATA2LSB ? machine_name(header.e_machine) : "a big-endian machine";
            return facts;
        }
        if (header.e_type != ET_DYN) {
            facts.format = Facts::Format::NotSharedLibrary;
            return facts;
        }
        return parse_checked(image, header);
    } catch (const Damaged&) {
        facts.format = Facts::Format::Damaged;
        return facts;
    }
}

}  // namespace tapedeck::host
