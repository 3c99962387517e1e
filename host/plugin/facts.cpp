#include "plugin/facts.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/dll/library_info.hpp>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "plugin/elf.hpp"
#include "tapedeck/abi.h"

namespace tapedeck::host {
namespace {

/// N of `tapedeck_plugin_vN`; nothing for any other symbol.
std::optional<std::uint32_t> entry_major(std::string_view symbol) {
    constexpr std::string_view prefix = TD_ENTRY_SYMBOL_PREFIX;
    if (!symbol.starts_with(prefix)) return std::nullopt;
    symbol.remove_prefix(prefix.size());
    std::uint32_t major = 0;
    const auto [end, error] = std::from_chars(symbol.data(), symbol.data() + symbol.size(), major);
    if (error != std::errc{} || end != symbol.data() + symbol.size()) return std::nullopt;
    return major;
}

class Descriptor {
public:
    explicit Descriptor(const std::filesystem::path& file) : number_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int number() const { return number_; }

private:
    int number_;
};

bool read_all(int file, std::uint64_t at, std::span<std::byte> into) {
    while (!into.empty()) {
        const auto got = ::pread(file, into.data(), into.size(), static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += static_cast<std::uint64_t>(got);
        into = into.subspan(static_cast<std::size_t>(got));
    }
    return true;
}

/// Boost.DLL reads the entry symbols by the section table, which tools may strip and which may list what the loader
/// does not see; the dynamic symbols have the last word. It checks no length, so it is asked only for files found
/// sound.
std::vector<std::uint32_t> entry_majors(const std::filesystem::path& file, const ElfFacts& elf) {
    std::vector<std::string> candidates = elf.exported;
    if (elf.has_sections) candidates = boost::dll::library_info(file.string()).symbols();
    std::vector<std::uint32_t> majors;
    for (const std::string& symbol : candidates) {
        const auto major = entry_major(symbol);
        if (major && std::ranges::binary_search(elf.exported, symbol)) majors.push_back(*major);
    }
    std::ranges::sort(majors);
    majors.erase(std::ranges::unique(majors).begin(), majors.end());
    return majors;
}

}  // namespace

Facts read_facts(const std::filesystem::path& file) {
    Facts facts;
    facts.file = file.filename().string();
    const auto unreadable = [&facts](int error_number) {
        facts.format = Facts::Format::Unreadable;
        facts.detail = std::generic_category().message(error_number);
        return facts;
    };
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return unreadable(errno);
    if (!S_ISREG(status.st_mode)) {  // opening a pipe would wait for its writer
        facts.format = Facts::Format::NotSharedLibrary;
        return facts;
    }
    const Descriptor descriptor(file);
    if (descriptor.number() < 0) return unreadable(errno);
    try {
        const ElfFacts elf =
            parse_elf({static_cast<std::uint64_t>(status.st_size), [&](std::uint64_t at, std::span<std::byte> into) {
                           return read_all(descriptor.number(), at, into);
                       }});
        facts.format = elf.format;
        facts.detail = elf.detail;
        if (elf.format != Facts::Format::SharedLibrary) return facts;
        facts.entry_majors = entry_majors(file, elf);
        std::ranges::copy_if(elf.exported, std::back_inserter(facts.extra_exports),
                             [](const std::string& symbol) { return !entry_major(symbol); });
    } catch (const std::exception&) {  // Boost.DLL met what the checks did not foresee, or memory is short
        facts.format = Facts::Format::Damaged;
    }
    return facts;
}

}  // namespace tapedeck::host
