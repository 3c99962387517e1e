// Folders of a test, and a user without rights.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>

namespace tapedeck::local {

namespace fs = std::filesystem;

/// A new folder, removed with all that is in it.
class TemporaryFolder {
public:
    explicit TemporaryFolder(const fs::path& below = fs::temp_directory_path()) {
        auto name = (below / "tapedeck-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for the test in " + below.string());
        path_ = name;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        fs::permissions(path_, fs::perms::owner_all, fs::perm_options::add);
        fs::remove_all(path_);
    }
    const fs::path& path() const { return path_; }
    operator const fs::path&() const { return path_; }
    fs::path operator/(const fs::path& name) const { return path_ / name; }

private:
    fs::path path_;
};

inline fs::path write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
}

inline std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return "(none)";
    return {std::istreambuf_iterator<char>(file), {}};
}

/// All files below a folder, hidden ones included, relative to it.
inline std::set<std::string> files(const fs::path& folder) {
    std::set<std::string> result;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (!entry.is_directory()) result.insert(entry.path().lexically_relative(folder).string());
    return result;
}

/// While it lives, a test that runs as root has the rights of `nobody`; for every other user it changes nothing.
class WithoutRoot {
public:
    WithoutRoot() : is_root_(::geteuid() == 0) {
        if (is_root_ && ::seteuid(65534) != 0) throw std::runtime_error("seteuid");
    }
    ~WithoutRoot() {
        if (is_root_ && ::seteuid(0) != 0) std::abort();
    }
    WithoutRoot(const WithoutRoot&) = delete;
    WithoutRoot& operator=(const WithoutRoot&) = delete;

private:
    bool is_root_;
};

/// A folder of another file system than this one's that the test may write to.
inline fs::path other_file_system(const fs::path& folder) {
    struct stat here {};
    struct stat there {};
    if (::stat(folder.c_str(), &here) != 0) throw std::runtime_error("no folder " + folder.string());
    for (const char* other : {"/dev/shm", "/run", "/var/tmp"}) {
        if (::stat(other, &there) == 0 && here.st_dev != there.st_dev && ::access(other, W_OK) == 0) return other;
    }
    throw std::runtime_error("neither /dev/shm nor /run nor /var/tmp is a second file system to write to");
}

}  // namespace tapedeck::local
