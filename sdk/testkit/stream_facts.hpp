// Who published or subscribed, and why somebody may not: values of a FakeHost's streams.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tapedeck/abi.h"
#include "testkit/settings.hpp"

namespace tapedeck::testkit {

/// An owning copy of a td_stream_info.
struct StreamFacts {
    explicit StreamFacts(const td_stream_info& from)
        : expects(from.expects),
          record(from.record),
          flags(from.flags),
          delay_us(from.delay_us),
          name(string_of(from.name)),
          protocol(string_of(from.protocol)),
          media_session(string_of(from.media_session)),
          session(string_of(from.session)),
          login(string_of(from.login)),
          application(string_of(from.application)),
          remote(string_of(from.remote)) {
        if (from.codec_count != 0) codecs.assign(from.codecs, from.codecs + from.codec_count);
        for (std::size_t i = 0; i < from.attribute_count; ++i)
            attributes.emplace(string_of(from.attributes[i].key), string_of(from.attributes[i].value));
    }
    std::uint32_t expects, record, flags;
    std::int64_t delay_us;
    std::vector<std::uint32_t> codecs;
    std::string name, protocol, media_session, session, login, application, remote;
    std::map<std::string, std::string> attributes;
};

/// Why something is refused.
struct Refusal {
    td_status status = TD_DENIED;
    std::string text = "refused by the test";
};

}  // namespace tapedeck::testkit
