#include "plugin/search.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "base/text.hpp"
#include "plugin/keys.hpp"
#include "plugin/probe.hpp"

namespace fs = std::filesystem;

namespace tapedeck::host {
namespace {

std::unique_ptr<FoundFile> judge(const fs::path& path, const fs::path& executable, std::chrono::milliseconds limit) {
    auto found = std::make_unique<FoundFile>();
    found->path = path;
    found->stamp = stamp_of(path);
    found->facts = read_facts(path);
    found->verdict = verdict(found->facts, TD_SDK_MAJOR, TD_SDK_MINOR);
    if (!found->verdict.loads) return found;
    found->facts.probe = probe(executable, path, limit);
    found->verdict = verdict(found->facts, TD_SDK_MAJOR, TD_SDK_MINOR);
    if (!found->verdict.loads) return found;
    for (const auto& offer : found->facts.probe->descriptor->offers) {
        const std::string kind(kind_of_interface(offer.interface_id));
        if (kind.empty()) continue;
        OfferedExtension& offered = found->offers.emplace_back();
        offered.name = kind + '.' + offer.id;
        offered.kind = kind;
        offered.id = offer.id;
        offered.doc = offer.doc;
        offered.keys = std::make_unique<DeclaredKeys>(offer.keys);
    }
    return found;
}

}  // namespace

FileStamp stamp_of(const fs::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return {};
    return {status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

void FoundFile::refuse(std::string_view reason) {
    verdict.loads = false;
    verdict.message = fmt::format("{}: {}", printable(facts.file, 255), reason);
}

std::vector<std::string> FoundFile::names() const {
    std::vector<std::string> all;
    if (!facts.probe || !facts.probe->descriptor) return all;
    for (const auto& offer : facts.probe->descriptor->offers)
        if (const auto kind = kind_of_interface(offer.interface_id); !kind.empty())
            all.push_back(std::string(kind) + '.' + offer.id);
    return all;
}

std::vector<fs::path> plugin_folders(const Settings& settings, const fs::path& shipped) {
    std::vector<fs::path> folders;
    if (fs::is_directory(shipped)) folders.push_back(shipped);
    const Value* written = settings.find(plugin_path.name);
    std::string folder;
    for (const char c : std::string(written == nullptr ? "" : written->text) + ',') {
        if (c != ',' && c != ':') {
            folder += c;
            continue;
        }
        const auto start = folder.find_first_not_of(" \t"), end = folder.find_last_not_of(" \t");
        if (start != std::string::npos)
            folders.push_back(settings.paths("").resolve(folder.substr(start, end - start + 1)));
        folder.clear();
    }
    return folders;
}

std::vector<fs::path> plugin_files(const std::vector<fs::path>& folders) {
    std::vector<fs::path> files;
    std::set<fs::path> known;
    for (const fs::path& folder : folders) {
        std::error_code error;
        std::vector<fs::path> here;
        for (const auto& entry : fs::directory_iterator(folder, error))
            if (entry.path().extension() == ".so") here.push_back(fs::absolute(entry.path()));
        if (error) throw Error(fmt::format("plugin_path: {}: {}", folder.string(), error.message()), TD_NOT_FOUND);
        std::ranges::sort(here);
        for (const fs::path& file : here) {
            const fs::path real = fs::weakly_canonical(file, error);
            if (known.insert(error ? file : real).second) files.push_back(file);
        }
    }
    return files;
}

std::vector<std::unique_ptr<FoundFile>> judge_files(const std::vector<fs::path>& files, const fs::path& executable,
                                                    std::chrono::milliseconds probe_limit) {
    std::vector<std::unique_ptr<FoundFile>> all(files.size());
    std::atomic<std::size_t> next = 0;
    const std::size_t workers =
        std::min<std::size_t>({files.size(), 4, std::max(1u, std::thread::hardware_concurrency())});
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < workers; ++i) {
        threads.emplace_back([&] {
            for (std::size_t index = next++; index < files.size(); index = next++)
                all[index] = judge(files[index], executable, probe_limit);
        });
    }
    threads.clear();  // joins
    return all;
}

}  // namespace tapedeck::host
