// load_plugins <folder> <kind.id>...: loads the folder's plugins with the host's registry and says what it found; fails
// unless each named extension is active. `--probe <file>` is the child that the registry starts.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string_view>

#include "plugin/probe.hpp"
#include "plugin/registry.hpp"

int main(int count, char** arguments) {
    using namespace tapedeck::host;
    if (count == 3 && std::string_view(arguments[1]) == "--probe") return probe_main(arguments[2]);
    if (count < 3) return 2;
    try {
        std::string enable;
        for (int i = 2; i < count; ++i) enable += fmt::format("{}{}", i == 2 ? "enable = " : ", ", arguments[i]);
        SettingsSource source(std::filesystem::current_path(), enable);
        declare_plugin_keys(source);
        Services services;
        Registry registry(std::filesystem::read_symlink("/proc/self/exe"), source, services, std::chrono::seconds(60));
        registry.search(arguments[1]);
        registry.choose();
        fmt::print("{}", registry.listing());
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 1;
    }
}
