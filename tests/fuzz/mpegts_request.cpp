// Bodies of /mpegts and SRT's stream ids.
#include "mpegts/request.hpp"

using namespace tapedeck;
using namespace tapedeck::mpegts;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    for (const auto parse :
         {+[](const std::string& t) { describe(parse_startup(t, {}), {}); },
          +[](const std::string& t) { parse_stream_id(t, {}); }, +[](const std::string& t) { parse_filter(t); },
          +[](const std::string& t) { host_of(t); }}) {
        try {
            parse(text);
        } catch (const Error&) {
        }
    }
    return 0;
}
