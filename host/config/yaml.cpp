#include "config/yaml.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <system_error>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tapedeck::host {

std::optional<std::string> read_config_file(const std::filesystem::path& file, bool must_exist, std::string_view key) {
    constexpr std::size_t most_bytes = 1u << 20;
    std::error_code failure;
    if (!std::filesystem::exists(file, failure)) {
        if (failure) throw Error(fmt::format("{}: {}", file.string(), failure.message()));
        if (!must_exist) return std::nullopt;
        throw Error(fmt::format("there is no file {}; see setting '{}'", file.string(), key), TD_NOT_FOUND);
    }
    std::ifstream stream(file, std::ios::binary);
    std::string text(most_bytes + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (stream.bad() || !stream.eof()) {
        throw Error(fmt::format("{}: cannot be read, or has more than 1 MB", file.string()));
    }
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return text;
}

YAML::Node YamlFile::load(const std::string& text) const {
    try {
        return YAML::Load(text);
    } catch (const YAML::Exception& failure) {
        fail(failure.mark, failure.msg);
    }
}

void YamlFile::fail(const YAML::Mark& mark, const std::string& text) const {
    throw Error(fmt::format("{}:{}: {}", file_, std::max(mark.line, 0) + 1, text));
}

YAML::Node YamlFile::member(const YAML::Node& map, const char* name) {
    const auto& constant = map;
    return constant[name];
}

void YamlFile::expect_members(const YAML::Node& map, const char* what,
                              std::initializer_list<std::string_view> known) const {
    if (!map.IsMap()) {
        fail(map.Mark(), fmt::format("{} consists of members, `name: value`: {}", what, fmt::join(known, ", ")));
    }
    for (const auto& entry : map) {
        const auto name = entry.first.IsScalar() ? entry.first.Scalar() : std::string("?");
        if (std::ranges::find(known, name) == known.end()) {
            fail(entry.first.Mark(),
                 fmt::format("{} has no member '{}'; known are {}", what, printable(name), fmt::join(known, ", ")));
        }
    }
}

YAML::Node YamlFile::list(const YAML::Node& map, const char* name) const {
    const auto node = member(map, name);
    if (!node || node.IsNull()) return YAML::Node(YAML::NodeType::Sequence);
    if (!node.IsSequence()) fail(node.Mark(), fmt::format("{} is a list; begin each entry with `- `", name));
    return node;
}

std::string YamlFile::text(const YAML::Node& map, const char* name) const {
    const auto node = member(map, name);
    if (!node || node.IsNull()) return {};
    if (!node.IsScalar()) fail(node.Mark(), fmt::format("{} is a text", name));
    return node.Scalar();
}

std::string YamlFile::required(const YAML::Node& map, const char* name, const char* what) const {
    auto value = text(map, name);
    if (value.empty()) fail(map.Mark(), fmt::format("{} needs '{}'", what, name));
    return value;
}

}  // namespace tapedeck::host
