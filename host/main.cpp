#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "app/cli.hpp"

namespace {

/// A recording has three open files, its connection among them; shells and service managers begin with 1024 in all.
void allow_many_files() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = std::max(files.rlim_cur, std::min<rlim_t>(files.rlim_max, 65536));
    ::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

int main(int argc, char** argv) {
    allow_many_files();
    // Many threads, few of them busy: an arena for each would only keep memory apart.
    mallopt(M_ARENA_MAX, 2);
    // Payloads come and go each half second; giving their pages back in between would cost more than it saves.
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return tapedeck::host::run_command_line(std::filesystem::read_symlink("/proc/self/exe"), arguments);
}
