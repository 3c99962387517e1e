// ffmpeg and ffprobe as witnesses: temporary files and the output of commands.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tapedeck::mp4::test {

/// A folder that is gone with its content when this is.
class TempFolder {
public:
    TempFolder();
    ~TempFolder();
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// What the command prints on both channels. Throws when it cannot be run.
std::string output_of(const std::string& command);

void save(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);
std::vector<std::uint8_t> load(const std::filesystem::path& path);
std::vector<std::string> lines_of(const std::string& text);

/// What ffmpeg complains about when it decodes the file; empty when all is well.
std::string decode_complaints(const std::filesystem::path& path);
/// The MD5 of every packet of the stream (`v:0`, `a:0`), in order.
std::vector<std::string> packet_hashes(const std::filesystem::path& path, const std::string& stream);
/// One value of ffprobe such as `stream=start_time` of the stream.
std::string probe(const std::filesystem::path& path, const std::string& stream, const std::string& entry);

}  // namespace tapedeck::mp4::test
