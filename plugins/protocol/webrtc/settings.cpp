#include "webrtc/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tapedeck::webrtc {
namespace {

std::string setting(const Key& key, std::string_view value) {
    return std::string("setting 'protocol.webrtc.") + key.name + "' = '" + std::string(value) + "'";
}

/// What stands between commas, without blanks, in lower case.
std::vector<std::string> list(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        std::string word;
        for (const char c : text.substr(0, comma)) {
            if (c != ' ' && c != '\t') word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
        if (!word.empty()) words.push_back(std::move(word));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return words;
}

std::vector<Endpoint> endpoints(const Context& context, const Key& key, std::uint16_t port) {
    std::vector<Endpoint> found;
    for (const auto& word : list(context.text(key))) {
        try {
            found.push_back(Endpoint::parse(word, port));
        } catch (const Error& e) {
            throw Error(setting(key, context.text(key)) + ": " + e.what());
        }
    }
    return found;
}

/// Names of Flashphoner's list and of SDP; others are of its telephony.
sdp::Preferences codecs(const Context& context) {
    const auto excluded = list(context.text(keys::codecs_excluded));
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> sounds{
        {{"opus", "opus"}, {"alaw", "PCMA"}, {"pcma", "PCMA"}, {"ulaw", "PCMU"}, {"pcmu", "PCMU"}, {"g722", "G722"}}};
    sdp::Preferences taken{{}, {}};
    for (const auto& word : list(context.text(keys::codecs))) {
        if (std::find(excluded.begin(), excluded.end(), word) != excluded.end()) continue;
        const auto* const sound =
            std::find_if(sounds.begin(), sounds.end(), [&](const auto& s) { return s.first == word; });
        if (sound != sounds.end()) taken.audio.emplace_back(sound->second);
        if (word == "vp8" || word == "h264") taken.video.push_back(word);
    }
    if (taken.audio.empty() && taken.video.empty())
        throw Error(setting(keys::codecs, context.text(keys::codecs)) +
                    " leaves none of opus, alaw, ulaw, g722, vp8 and h264");
    return taken;
}

/// Microseconds; 0: never.
std::int64_t activity(const Context& context) {
    const auto text = context.text(keys::activity);
    const auto words = list(text);
    std::int64_t seconds = 60;
    bool is_good = !words.empty() && words.size() <= 2 && (words[0] == "true" || words[0] == "false");
    if (is_good && words.size() == 2) {
        const auto* const end = words[1].data() + words[1].size();
        const auto [at, fault] = std::from_chars(words[1].data(), end, seconds);
        is_good = fault == std::errc() && at == end && seconds >= 1 && seconds <= 86'400;
    }
    if (!is_good) throw Error(setting(keys::activity, text) + " is not like `true,60` or `false`");
    return words[0] == "true" ? seconds * 1'000'000 : 0;
}

std::shared_ptr<DtlsIdentity> identity(const Context& context) {
    const std::string certificate(context.text(keys::certificate)), key(context.text(keys::key));
    if (certificate.empty() != key.empty())
        throw Error("DTLS needs both settings, 'protocol.webrtc.certificate' and 'protocol.webrtc.key', or none");
    return certificate.empty() ? DtlsIdentity::make() : DtlsIdentity::load(certificate, key);
}

}  // namespace

Settings Settings::read(const Context& context) {
    const auto port = static_cast<std::uint16_t>(context.integer(keys::port));
    Settings settings;
    settings.transport.addresses = endpoints(context, keys::address, port);
    if (settings.transport.addresses.empty())
        throw Error(setting(keys::address, "") + " names no address; `0.0.0.0` takes media on all of them");
    settings.transport.threads = static_cast<unsigned>(context.integer(keys::threads));
    settings.transport.player_threads = static_cast<unsigned>(context.integer(keys::player_threads));
    settings.transport.identity = identity(context);
    settings.transport.has_tcp = context.boolean(keys::tcp);

    auto& media = settings.media;
    media.candidates = endpoints(context, keys::public_address, port);
    for (const auto& local : endpoints(context, keys::local_address, port)) {
        if (std::find(media.candidates.begin(), media.candidates.end(), local) == media.candidates.end())
            media.candidates.push_back(local);
    }
    media.codecs = codecs(context);
    media.timeouts = {context.duration(keys::ice_timeout), context.duration(keys::dtls_timeout),
                      context.duration(keys::consent_timeout)};
    media.connecting.of_one = static_cast<std::size_t>(context.integer(keys::max_connecting));
    media.connecting.in_all = 8 * media.connecting.of_one;
    media.has_data = context.boolean(keys::data_channels);
    media.activity_us = activity(context);
    media.key_interval_us = context.boolean(keys::periodic_key) ? context.duration(keys::key_interval).count() : 0;
    media.largest_bitrate = static_cast<std::uint64_t>(context.integer(keys::max_bitrate));
    media.jitter.time_us = context.duration(keys::jitter).count();
    return settings;
}

}  // namespace tapedeck::webrtc
