// What a file in a plugin folder is, found out without running any of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tapedeck::host {

/// What the child process saw of a plugin's descriptor.
struct DescriptorFacts {
    /// A td_key with texts of its own; null texts are empty.
    struct Key {
        std::uint32_t type = 0, flags = 0;
        std::string name, alias, fallback, choices, doc, unit;
        std::int64_t min = 0, max = 0;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct Offer {
        std::string interface_id;  ///< `tapedeck.writer/1`
        std::string id;
        std::string doc;
        std::vector<Key> keys;
        friend bool operator==(const Offer&, const Offer&) = default;
    };
    std::uint32_t sdk_major = 0, sdk_minor = 0, needs_minor = 0;
    std::string name, version, vendor, license, doc;
    std::vector<Offer> offers;
    friend bool operator==(const DescriptorFacts&, const DescriptorFacts&) = default;
};

/// How loading the file in a child process ended.
struct ProbeOutcome {
    enum class End {
        Loaded,   ///< `descriptor` is set
        Refused,  ///< by the loader; `text` is its own
        Invalid,  ///< loaded, but its descriptor is not one; `text` says why
        Crashed,  ///< `text` names the signal
        Exited,   ///< a constructor ended the process; `text` is `exit status 3`
        Hung,     ///< `text` is the limit: `5 s`
        Threw,    ///< `text` is the exception's
        Failed    ///< the child could not be started; `text` says why
    };
    End end = End::Failed;
    std::string text;
    std::optional<DescriptorFacts> descriptor;
};

/// Everything that the verdict is made of.
struct Facts {
    enum class Format {
        Unreadable,        ///< `detail` is the system's reason
        NotSharedLibrary,  ///< text, empty, a program, an archive
        Damaged,           ///< ELF, but cut off or inconsistent
        OtherMachine,      ///< `detail` names it: `AArch64`
        SharedLibrary
    };
    std::string file;  ///< its name without folders
    Format format = Format::Unreadable;
    std::string detail;
    std::vector<std::uint32_t> entry_majors;  ///< N of each exported `tapedeck_plugin_vN`, ascending
    std::vector<std::string> extra_exports;   ///< exported besides the entries, sorted
    std::optional<ProbeOutcome> probe;        ///< nothing: not tried yet
};

/// All but `probe`. Reads only headers and symbol tables, never past the file's end; throws nothing.
Facts read_facts(const std::filesystem::path& file);

}  // namespace tapedeck::host
