#include "stream/stream_info.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <random>

#include "base/text.hpp"
#include "tapedeck/uuid.hpp"

namespace tapedeck::host {
namespace {

std::string random_login() {
    static constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
    std::random_device device;
    std::uniform_int_distribution<std::size_t> pick(0, alphabet.size() - 1);
    std::string login(26, ' ');
    for (char& c : login) c = alphabet[pick(device)];
    return login;
}

std::string or_else(td_text given, std::string (*make)()) {
    return given.size == 0 ? make() : std::string(view(given));
}

}  // namespace

StreamInfo::StreamInfo(const td_stream_info& from)
    : name(view(from.name)),
      protocol(view(from.protocol)),
      media_session(or_else(from.media_session, make_uuid)),
      session(or_else(from.session, make_uuid)),
      login(or_else(from.login, random_login)),
      application(view(from.application)),
      remote(view(from.remote)),
      expects(from.expects),
      record(from.record),
      keys_on_request((from.flags & TD_STREAM_KEYS_ON_REQUEST) != 0),
      delay_us(from.delay_us),
      created_us(
          std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
              .count()) {
    if (from.codec_count != 0) codecs.assign(from.codecs, from.codecs + from.codec_count);
    for (std::size_t i = 0; i < from.attribute_count; ++i) {
        const auto& [key, value] =
            attributes.emplace_back(view(from.attributes[i].key), view(from.attributes[i].value));
        if (key == "arrival" && value == "wallclock") arrives_by_wallclock = true;
    }
}

td_stream_info StreamInfo::abi(std::vector<td_attribute>& attributes_out) const {
    attributes_out.clear();
    for (const auto& [key, value] : attributes) attributes_out.push_back({text_of(key), text_of(value)});
    td_stream_info info{};
    info.size = sizeof info;
    info.expects = expects;
    info.record = record;
    info.flags = keys_on_request ? std::uint32_t{TD_STREAM_KEYS_ON_REQUEST} : 0u;
    info.name = text_of(name);
    info.protocol = text_of(protocol);
    info.media_session = text_of(media_session);
    info.session = text_of(session);
    info.login = text_of(login);
    info.application = text_of(application);
    info.remote = text_of(remote);
    info.attributes = attributes_out.data();
    info.attribute_count = attributes_out.size();
    info.codecs = codecs.data();
    info.codec_count = codecs.size();
    info.delay_us = delay_us;
    return info;
}

}  // namespace tapedeck::host
