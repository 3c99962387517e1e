#include "plugin/library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <boost/dll/shared_library.hpp>
#include <mutex>
#include <vector>

#include "base/error.hpp"

namespace tapedeck::host {
namespace {

std::mutex mutex;

std::vector<boost::dll::shared_library>& loaded() {
    static auto& all = *new std::vector<boost::dll::shared_library>;  // never destroyed: nothing is unloaded
    return all;
}

/// dlerror's text without the path before it: the reader knows which file is meant.
std::string loader_text(const std::filesystem::path& file) {
    const char* text = ::dlerror();
    if (text == nullptr) return "the loader gave no reason";
    std::string_view rest(text);
    const std::string prefix = file.string() + ": ";
    if (rest.starts_with(prefix)) rest.remove_prefix(prefix.size());
    return std::string(rest);
}

}  // namespace

const td_plugin& load_plugin(const std::filesystem::path& file, std::uint32_t major) {
    using boost::dll::load_mode::rtld_local;
    using boost::dll::load_mode::rtld_now;
    const std::string symbol = fmt::format("{}{}", TD_ENTRY_SYMBOL_PREFIX, major);
    const std::lock_guard lock(mutex);
    boost::dll::fs::error_code error;
    boost::dll::shared_library library;
    library.load(file.string(), error, rtld_now | rtld_local);
    if (error) throw Error(loader_text(file));
    loaded().push_back(std::move(library));  // also one without the symbol: its constructors have run
    if (!loaded().back().has(symbol)) throw Error(fmt::format("{} is not exported", symbol));
    return loaded().back().get<const td_plugin>(symbol);
}

}  // namespace tapedeck::host
