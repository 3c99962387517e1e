// AMF0: values that can be read are written and read back as the same.
#include "rtmp/amf.hpp"

#include <cstdlib>
#include <vector>

using namespace tapedeck;
using namespace tapedeck::rtmp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<amf::Value> values;
    try {
        values = amf::read_all({data, size});
    } catch (const Malformed&) {
        return 0;
    }
    std::vector<std::uint8_t> written;
    for (const auto& value : values) amf::write(written, value);
    const auto again = amf::read_all(written);
    std::vector<std::uint8_t> rewritten;
    for (const auto& value : again) amf::write(rewritten, value);
    if (rewritten != written) std::abort();
    return 0;
}
