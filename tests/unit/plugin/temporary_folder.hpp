// A folder that is gone when the test is.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace tapedeck::host {

class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "tapedeck-plugin-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    /// A link to one of the test plugins, under its own or another name.
    std::filesystem::path add(const std::string& plugin, std::string name = {}) const {
        if (name.empty()) name = plugin + ".so";
        std::filesystem::create_symlink(std::filesystem::path(PLUGIN_DIR) / (plugin + ".so"), path_ / name);
        return path_ / name;
    }
    std::filesystem::path write(const std::string& name, const std::string& contents) const {
        std::ofstream(path_ / name, std::ios::binary) << contents;
        return path_ / name;
    }

private:
    std::filesystem::path path_;
};

/// A file built for these tests.
inline std::filesystem::path test_plugin(const std::string& name) {
    return std::filesystem::path(PLUGIN_DIR) / (name + ".so");
}

inline std::string contents(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace tapedeck::host
