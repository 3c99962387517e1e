#include <malloc.h>

#include <filesystem>
#include <string>
#include <vector>

#include "app/cli.hpp"

int main(int argc, char** argv) {
    // Many threads, few of them busy: an arena for each would only keep memory apart.
    mallopt(M_ARENA_MAX, 2);
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return tapedeck::host::run_command_line(std::filesystem::read_symlink("/proc/self/exe"), arguments);
}
