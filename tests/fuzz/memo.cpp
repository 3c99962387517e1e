// The note of all facts that a recording carries in itself, as recovery reads it back from a torn file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "store/naming.hpp"
#include "store/recording.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tapedeck::host;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const Recording facts = Recording::from_json(text);
        const std::string json = facts.to_json();
        // What was read is written in a form that reads back the same.
        if (Recording::from_json(json).to_json() != json) std::abort();
        if (part_name(facts.media_session, 1, facts.extension).find('/') != std::string::npos) std::abort();
        make_key({facts.stream, facts.segment, facts.extension});
    } catch (const Error&) {
    }
    return 0;
}
