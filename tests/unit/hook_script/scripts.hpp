// A folder of scripts for a test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace tapedeck::script {

namespace fs = std::filesystem;

/// Removed with all that is in it.
class Scripts {
public:
    Scripts() {
        auto name = (fs::temp_directory_path() / "tapedeck-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for the test");
        folder_ = name;
    }
    Scripts(const Scripts&) = delete;
    Scripts& operator=(const Scripts&) = delete;
    ~Scripts() { fs::remove_all(folder_); }

    const fs::path& folder() const { return folder_; }
    /// An executable file with this text.
    fs::path add(const std::string& name, const std::string& text, fs::perms rights = fs::perms(0755)) const {
        auto path = folder_ / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path) << text;
        fs::permissions(path, rights);
        return path;
    }
    std::string read(const std::string& name) const {
        std::ifstream file(folder_ / name, std::ios::binary);
        if (!file) return "(none)";
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    fs::path folder_;
};

}  // namespace tapedeck::script
