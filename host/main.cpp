#include <malloc.h>

#include <filesystem>
#include <string>
#include <vector>

#include "app/cli.hpp"

int main(int argc, char** argv) {
    // Many threads, few of them busy: an arena for each would only keep memory apart.
    mallopt(M_ARENA_MAX, 2);
    // Payloads come and go each half second; giving their pages back in between would cost more than it saves.
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return tapedeck::host::run_command_line(std::filesystem::read_symlink("/proc/self/exe"), arguments);
}
