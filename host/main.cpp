#include <filesystem>
#include <string>
#include <vector>

#include "app/cli.hpp"

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return tapedeck::host::run_command_line(std::filesystem::read_symlink("/proc/self/exe"), arguments);
}
