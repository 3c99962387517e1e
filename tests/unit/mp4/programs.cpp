#include "programs.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace tapedeck::mp4::test {

TempFolder::TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mp4_test_XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
}

TempFolder::~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string output_of(const std::string& command) {
    FILE* pipe = popen((command + " 2>&1 </dev/null").c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
    std::string text;
    char part[4096];
    while (const std::size_t got = std::fread(part, 1, sizeof part, pipe)) text.append(part, got);
    pclose(pipe);
    return text;
}

void save(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::vector<std::uint8_t> load(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);)
        if (!line.empty()) lines.push_back(line);
    return lines;
}

std::string decode_complaints(const std::filesystem::path& path) {
    return output_of("ffmpeg -nostdin -v error -i " + path.string() + " -enc_time_base:v -1 -f null -");
}

std::vector<std::string> packet_hashes(const std::filesystem::path& path, const std::string& stream) {
    std::vector<std::string> hashes;
    for (const auto& line : lines_of(output_of("ffmpeg -nostdin -v error -i " + path.string() + " -map 0:" + stream +
                                               " -c copy -f framemd5 -")))
        if (line[0] != '#') hashes.push_back(line.substr(line.rfind(' ') + 1));
    return hashes;
}

std::string probe(const std::filesystem::path& path, const std::string& stream, const std::string& entry) {
    const auto lines = lines_of(output_of("ffprobe -v error -select_streams " + stream + " -show_entries " + entry +
                                          " -of default=nw=1:nk=1 " + path.string()));
    return lines.empty() ? "" : lines.front();
}

}  // namespace tapedeck::mp4::test
