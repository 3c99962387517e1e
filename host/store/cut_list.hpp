// Which parts of recordings lie on the disk, and what they were cut from.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tapedeck::host {

/// What a file is known by: another content has another version.
struct FileVersion {
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;

    bool operator==(const FileVersion&) const = default;
};

/// Nothing where there is no regular file.
std::optional<FileVersion> version_of(const std::filesystem::path& file);
std::optional<FileVersion> version_of(int descriptor);
std::optional<FileVersion> version_of(const struct stat& facts);

/// One part.
struct KnownCut {
    std::string file;      ///< relative to the folder of the parts
    FileVersion source;    ///< of the recording when it was cut
    FileVersion part;      ///< of the part itself: a file of its name that differs is somebody else's
    std::int64_t used_us;  ///< when it was made or last asked for, UNIX microseconds

    bool operator==(const KnownCut&) const = default;
};

/// Kept in one text file, so that a later process knows its parts again and deletes nothing else. A line is appended
/// for each; those that hold no longer go when the list is read. Not thread-safe.
class CutList {
public:
    /// Reads the file, if there is one; lines that make no sense are left out.
    explicit CutList(std::filesystem::path file);

    /// By what was asked for. Null: not known.
    const KnownCut* find(const std::string& asked) const;
    /// Replaces what was known. Throws Error when the line cannot be written.
    void add(const std::string& asked, const KnownCut& cut);
    void touch(const std::string& asked, std::int64_t now_us);
    void remove(const std::string& asked);

    const std::map<std::string, KnownCut>& all() const { return cuts_; }
    /// The sum of all parts' sizes.
    std::uint64_t bytes() const { return bytes_; }

    /// Writes the file anew, with what is known now. Throws Error.
    void save() const;

private:
    void keep(const std::string& asked, const KnownCut& cut);

    std::filesystem::path file_;
    std::map<std::string, KnownCut> cuts_;
    std::uint64_t bytes_ = 0;
};

/// One line of the file, without its end; names hold no control characters.
std::string format_cut(const std::string& asked, const KnownCut& cut);
struct NamedCut {
    std::string asked;
    KnownCut cut;
};
std::optional<NamedCut> parse_cut(std::string_view line);

}  // namespace tapedeck::host
