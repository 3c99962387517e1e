// Stands for `tapedeck --probe <file>` in tests.
#include <string_view>

#include "plugin/probe.hpp"

int main(int count, char** arguments) {
    if (count != 3 || std::string_view(arguments[1]) != "--probe") return 2;
    return tapedeck::host::probe_main(arguments[2]);
}
