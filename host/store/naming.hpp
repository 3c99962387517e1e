// The host's half of file names, alike for every naming plugin: number, extension, what is refused, what is cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tapedeck::host {

/// A name is at most so many bytes long, a folder's too (R23).
inline constexpr std::size_t most_name_bytes = 255;
/// Folders and name together; what is longer is refused, so that path and home folder stay below PATH_MAX.
inline constexpr std::size_t most_key_bytes = 2048;

/// What a naming gave and what the host adds.
struct NameParts {
    std::string stem;           ///< with folders
    std::uint32_t segment = 0;  ///< 0: no number
    std::string extension;      ///< without the dot; may be empty
};

/// The key of the file: `cam/1_2.mp4`; from the second `copy` on `cam/1_2-2.mp4`. Folders and the stem are cut to 255
/// bytes on a UTF-8 boundary; number, copy and extension always stay. A leading dot of a part becomes `_`, and so does
/// the dot of a stem's end `.part`, since both mean something to the host; an empty stem becomes `unnamed`. Throws
/// Error(TD_MALFORMED) for absolute paths, `.` and `..`, control characters and a key beyond 2048 bytes.
std::string make_key(const NameParts& parts, unsigned copy = 1);

/// As much of `text` as fits into `bytes` without splitting a UTF-8 character.
std::string_view cut_utf8(std::string_view text, std::size_t bytes);

/// Client input as a file name of ASCII letters, digits, `-`, `_` and inner dots, at most 100 bytes; never empty.
std::string safe_file_name(std::string_view text);

/// The name of an unfinished file: `<media session made safe>-<number>.part.<extension>`.
std::string part_name(std::string_view media_session, unsigned number, std::string_view extension);
/// Whether a file of this name is an unfinished one.
bool is_part_name(std::string_view name);

}  // namespace tapedeck::host
