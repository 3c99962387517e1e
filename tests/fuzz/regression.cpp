// Runs files through a fuzz target once each, so that every build, g++'s included, keeps the corpus green.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::vector<char> text{std::istreambuf_iterator<char>(in), {}};
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    // The shortened input reaches the paths that a torn message takes.
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size() / 2);
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t count = 0;
    try {
        const std::uint8_t nothing = 0;
        LLVMFuzzerTestOneInput(&nothing, 0);
        for (int i = 1; i < argc; ++i) {
            for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
                if (!entry.is_regular_file()) continue;
                run(entry.path());
                ++count;
            }
        }
    } catch (const std::exception& e) {
        std::fprintf(stderr, "the target threw: %s\n", e.what());
        return 1;
    }
    std::printf("%zu inputs\n", count);
    return count == 0 ? 1 : 0;
}
