// Name templates: whatever the template and the client's values are, the name stays inside the folder of recordings.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "characters.hpp"
#include "pattern.hpp"

namespace {

using namespace tapedeck::naming;

void require(bool holds) {
    if (!holds) std::abort();
}

void check(std::string_view name) {
    require(!name.empty());
    for (std::size_t at = 0; at <= name.size();) {
        const auto end = name.find('/', at) == std::string_view::npos ? name.size() : name.find('/', at);
        const auto component = name.substr(at, end - at);
        require(!component.empty() && component.front() != '.');
        require(safe_component(component) == component);
        require(end == name.size() || component.size() <= 255);
        at = end + 1;
    }
}

}  // namespace

/// The first byte chooses flags and rules; the rest is template, stream, login and excluded characters, each up to
/// a `|`.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto next = [&] {
        const auto part = rest.substr(0, rest.find('|'));
        rest.remove_prefix(part.size() == rest.size() ? part.size() : part.size() + 1);
        return part;
    };
    const Pattern pattern(next());
    const auto stream = next();
    const auto login = next();
    const Rules rules{.exclude = std::string(next()),
                      .encoding = static_cast<Encoding>(data[0] % 3),
                      .duration_in_all_formats = (data[0] & 4) != 0};
    td_recording recording{};
    recording.size = sizeof recording;
    recording.flags = static_cast<std::uint32_t>(data[0] >> 4);
    recording.stream = recording.media_session = {stream.data(), stream.size()};
    recording.session = recording.login = {login.data(), login.size()};
    recording.extension = {"mp4", 3};
    recording.start_us = recording.media_start_us = static_cast<std::int64_t>(size) * 1000003;
    recording.end_us = recording.media_end_us = recording.duration_us = TD_NO_TIME;
    check(pattern.name(recording, rules));
    return 0;
}
