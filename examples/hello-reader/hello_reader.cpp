// Looks into files: counts the lines of what hello-writer wrote.
#include <algorithm>
#include <tapedeck/plugin.hpp>

using namespace tapedeck;

class CsvReader : public Reader {
public:
    static constexpr const char* id = "csv";  // as its writer, with which it is switched on
    static constexpr const char* doc = "Counts lines";
    static constexpr const char* extension = "csv";
    CsvReader(Context, File file) : text_(file.text()) {}
    void inspect(File json) { json.append("{\"lines\":" + std::to_string(std::ranges::count(text_, '\n')) + "}"); }

private:
    std::string text_;
};
TAPEDECK_PLUGIN("hello-reader", "1.0.0", "example.org", "MIT", "Hello as a look into files", CsvReader);
