#include "onvif.hpp"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <memory>
#include <pugixml.hpp>

#include "address/query.hpp"
#include "authentication.hpp"
#include "tapedeck/context.hpp"

namespace tapedeck::rtsp::onvif {

namespace {

constexpr std::size_t largest_answer = 1 << 20;
constexpr std::chrono::milliseconds limit(5'000), limit_of_all(10'000);  // of one question, and of all
constexpr std::string_view schema = "http://www.onvif.org/ver10/";

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else
            out += c;
    }
    return out;
}

/// Names without their prefixes, which every camera chooses itself.
std::string_view local(const char* name) {
    const std::string_view whole(name);
    return whole.substr(std::min(whole.find(':') + 1, whole.size()));
}

pugi::xml_node find(const pugi::xml_node& below, std::string_view name) {
    return below.find_node([name](const pugi::xml_node& node) { return local(node.name()) == name; });
}

pugi::xml_document load(std::string_view xml) {
    pugi::xml_document document;
    if (!document.load_buffer(xml.data(), xml.size(), pugi::parse_default)) throw Error("its answer is no XML");
    if (const auto fault = find(document, "Fault")) {
        const auto is_denial = [](const pugi::xml_node& node) {
            return local(node.name()) == "Value" && local(node.child_value()) == "NotAuthorized";
        };
        if (fault.find_node(is_denial)) throw Error(TD_DENIED, "wrong login or password");
        auto reason = find(fault, "Text");
        if (!reason) reason = find(fault, "faultstring");
        throw Error("it answers: " + printable(reason ? reason.child_value() : "a fault without a reason"));
    }
    return document;
}

std::string trimmed_value(const pugi::xml_node& node) {
    std::string_view text = node.child_value();
    while (!text.empty() && std::string_view(" \t\r\n").find(text.front()) != std::string_view::npos)
        text.remove_prefix(1);
    while (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos)
        text.remove_suffix(1);
    return std::string(text);
}

std::string iso_time(std::int64_t unix_s) {
    const auto seconds = static_cast<std::time_t>(unix_s);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

/// Ends a transfer that nobody waits for any more.
int look_after(void* is_wanted, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return (*static_cast<const std::function<bool()>*>(is_wanted))() ? 0 : 1;
}

/// `http://host:port/path` in its parts: `http://`, `host`, `:port`, `/path`; a login is left out.
struct Parts {
    std::string_view scheme, host, port, path;
};

Parts parts_of(std::string_view address) {
    Parts parts;
    const auto scheme = address.find("://");
    if (scheme != std::string_view::npos) parts.scheme = address.substr(0, scheme + 3);
    address.remove_prefix(parts.scheme.size());
    auto authority = address.substr(0, address.find_first_of("/?#"));
    parts.path = address.substr(authority.size());
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
    const auto colon =
        authority.find(':', authority.starts_with('[') ? std::min(authority.find(']'), authority.size()) : 0);
    parts.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) parts.port = authority.substr(colon);
    return parts;
}

std::size_t collect(char* data, std::size_t size, std::size_t count, void* into) {
    auto& answer = *static_cast<std::string*>(into);
    if (answer.size() + size * count > largest_answer) return 0;
    answer.append(data, size * count);
    return size * count;
}

}  // namespace

std::string security_header(const std::string& user, const std::string& password, const std::string& nonce,
                            const std::string& created) {
    const auto text = nonce + created + password;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha1(), nullptr) != 1)
        throw Error("OpenSSL has no SHA-1");
    const std::string_view bytes(static_cast<const char*>(static_cast<const void*>(digest.data())), size);
    const std::string oasis = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-";
    return "<wsse:Security s:mustUnderstand=\"1\" xmlns:wsse=\"" + oasis + "wssecurity-secext-1.0.xsd\" xmlns:wsu=\"" +
           oasis + "wssecurity-utility-1.0.xsd\"><wsse:UsernameToken><wsse:Username>" + escaped(user) +
           "</wsse:Username><wsse:Password Type=\"" + oasis + "username-token-profile-1.0#PasswordDigest\">" +
           base64(bytes) + "</wsse:Password><wsse:Nonce EncodingType=\"" + oasis +
           "soap-message-security-1.0#Base64Binary\">" + base64(nonce) + "</wsse:Nonce><wsu:Created>" + created +
           "</wsu:Created></wsse:UsernameToken></wsse:Security>";
}

std::int64_t parse_time(std::string_view xml) {
    const auto document = load(xml);
    const auto utc = find(document, "UTCDateTime");
    if (!utc) throw Error("its answer tells no UTC time");
    const auto value = [&](const char* name, int least, int most) {
        const auto number = find(utc, name).text().as_int(least - 1);
        if (number < least || number > most)
            throw Error("its answer tells no UTC time: " + std::string(name) + " is " + std::to_string(number));
        return number;
    };
    std::tm parts{};
    parts.tm_year = value("Year", 1970, 9998) - 1900;
    parts.tm_mon = value("Month", 1, 12) - 1;
    parts.tm_mday = value("Day", 1, 31);
    parts.tm_hour = value("Hour", 0, 24);
    parts.tm_min = value("Minute", 0, 59);
    parts.tm_sec = value("Second", 0, 61);
    return ::timegm(&parts);
}

std::string parse_media_address(std::string_view xml) {
    const auto document = load(xml);
    const auto address = find(find(document, "Media"), "XAddr");
    if (!address) throw Error("it has no media service");
    return trimmed_value(address);
}

std::vector<Profile> parse_profiles(std::string_view xml) {
    const auto document = load(xml);
    std::vector<Profile> profiles;
    for (const auto& node : find(document, "GetProfilesResponse").children()) {
        if (local(node.name()) != "Profiles") continue;
        const std::string token = node.attribute("token").value();
        if (!token.empty() && profiles.size() < 64) profiles.push_back({token, trimmed_value(find(node, "Name"))});
    }
    if (profiles.empty()) throw Error("it has no profile");
    return profiles;
}

std::string parse_stream(std::string_view xml) {
    const auto document = load(xml);
    const auto uri = find(find(document, "MediaUri"), "Uri");
    if (!uri) throw Error("it tells no address of its stream");
    return trimmed_value(uri);
}

std::string at_device(std::string_view answered, std::string_view device) {
    const auto said = parts_of(answered), known = parts_of(device);
    const auto& at = said.host == known.host ? said : known;
    return std::string(at.scheme) + std::string(at.host) + std::string(at.port) + std::string(said.path);
}

Device Device::parse(std::string_view address, std::string user, std::string password, std::string profile) {
    Device device;
    const auto scheme = address.find("://");
    const bool is_url = scheme != std::string_view::npos;
    if (address.find('@') != std::string_view::npos)
        throw Error(TD_MALFORMED, "onvif: an address has no '@'; login and password are the members user and password");
    if (is_url && !address.starts_with("http://") && !address.starts_with("https://"))
        throw Error(TD_MALFORMED, "onvif: '" + printable(address) + "' is neither a host nor an http address");
    if (address.empty() || address.find_first_of(" \r\n") != std::string_view::npos)
        throw Error(TD_MALFORMED, "onvif: '" + printable(address) + "' is no host");
    const auto rest = is_url ? address.substr(scheme + 3) : address;
    device.host_ = rest.substr(0, rest.find('/'));
    device.address_ = is_url ? std::string(address) : "http://" + std::string(address) + "/onvif/device_service";
    device.user_ = std::move(user);
    device.password_ = std::move(password);
    device.profile_ = std::move(profile);
    return device;
}

std::string Device::shown() const {
    return "onvif://" + host_ + (profile_.empty() ? "" : "/" + profile_);
}

/// `ahead_s`: the camera's clock beside ours; it takes only tokens of its present.
std::string Device::ask(const std::string& address, const std::string& body, std::int64_t ahead_s, bool is_signed,
                        const Patience& patience, bool has_http_login) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(patience.until - Clock::now());
    if (left.count() <= 0) throw Error("ONVIF at " + host_ + ": timed out");
    static const CURLcode started = ::curl_global_init(CURL_GLOBAL_DEFAULT);
    const std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)> handle(
        started == CURLE_OK ? ::curl_easy_init() : nullptr, &::curl_easy_cleanup);
    if (handle == nullptr) throw Error("libcurl cannot be used");
    std::string security;
    if (is_signed && !user_.empty()) {
        std::string nonce(16, '\0');
        ::RAND_bytes(static_cast<unsigned char*>(static_cast<void*>(nonce.data())), 16);
        security = security_header(user_, password_, nonce, iso_time(std::time(nullptr) + ahead_s));
    }
    const auto request =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope "
        "xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header>" +
        security + "</s:Header><s:Body>" + body + "</s:Body></s:Envelope>";
    const std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)> headers(
        ::curl_slist_append(nullptr, "Content-Type: application/soap+xml; charset=utf-8"), &::curl_slist_free_all);
    std::string answer;
    std::array<char, CURL_ERROR_SIZE> reason{};
    auto* const curl = handle.get();
    const auto login = user_ + ":" + password_;
    ::curl_easy_setopt(curl, CURLOPT_URL, address.c_str());
    ::curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    ::curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(std::min(limit, left).count()));
    ::curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    ::curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &look_after);
    ::curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &patience.is_wanted);
    ::curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason.data());
    ::curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    ::curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.size()));
    ::curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.data());
    ::curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &collect);
    ::curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    ::curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);  // cameras make their certificates themselves
    ::curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    if (has_http_login) {
        ::curl_easy_setopt(curl, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_DIGEST));
        ::curl_easy_setopt(curl, CURLOPT_USERPWD, login.c_str());
    }
    const auto result = ::curl_easy_perform(curl);
    if (result == CURLE_ABORTED_BY_CALLBACK) throw Error("ONVIF at " + host_ + ": nobody waits for it any more");
    if (result != CURLE_OK)
        throw Error("ONVIF at " + host_ + ": " + (reason[0] != '\0' ? reason.data() : ::curl_easy_strerror(result)));
    long status = 0;
    ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    // Some want HTTP's own digest; it is not offered first, as libcurl then sends a request without its body.
    if (status == 401 && !has_http_login && !user_.empty())
        return ask(address, body, ahead_s, is_signed, patience, true);
    if (status == 401) throw Error(TD_DENIED, "wrong login or password");
    if (answer.empty()) throw Error("ONVIF at " + host_ + ": it answers " + std::to_string(status));
    return answer;
}

Url Device::stream(const std::function<bool()>& is_wanted) const {
    const Patience patience{is_wanted, Clock::now() + limit_of_all};
    const auto call = [](std::string_view service, const char* name, const std::string& inside) {
        return "<" + std::string(name) + " xmlns=\"" + std::string(schema) + std::string(service) + "/wsdl\">" +
               inside + "</" + name + ">";
    };
    std::int64_t ahead_s = 0;
    try {
        ahead_s = parse_time(ask(address_, call("device", "GetSystemDateAndTime", ""), 0, false, patience)) -
                  std::time(nullptr);
    } catch (const Error& e) {
        if (std::string_view(e.what()).starts_with("ONVIF at")) throw;  // it is not there
    }
    const auto media =
        at_device(parse_media_address(ask(address_, call("device", "GetCapabilities", "<Category>Media</Category>"),
                                          ahead_s, true, patience)),
                  address_);
    const auto profiles = parse_profiles(ask(media, call("media", "GetProfiles", ""), ahead_s, true, patience));
    const auto chosen = std::find_if(profiles.begin(), profiles.end(), [&](const Profile& one) {
        return profile_.empty() || one.token == profile_ || one.name == profile_;
    });
    if (chosen == profiles.end()) {
        std::string names;
        for (const auto& one : profiles)
            names += (names.empty() ? "" : ", ") + printable(one.name.empty() ? one.token : one.name);
        throw Error("it has no profile '" + printable(profile_) + "'; there are " + names);
    }
    const std::string setup =
        "<StreamSetup><Stream xmlns=\"http://www.onvif.org/ver10/schema\">RTP-Unicast</Stream><Transport "
        "xmlns=\"http://www.onvif.org/ver10/schema\"><Protocol>RTSP</Protocol></Transport></StreamSetup><ProfileToken>";
    auto url = Url::parse(
        parse_stream(ask(media, call("media", "GetStreamUri", setup + escaped(chosen->token) + "</ProfileToken>"),
                         ahead_s, true, patience)));
    url.host = parts_of(address_).host;  // the login goes to nobody else, whatever the answer says
    if (url.host.starts_with('[')) url.host = url.host.substr(1, url.host.size() - 2);
    if (url.user.empty()) {
        url.user = user_;
        url.password = password_;
    }
    return url;
}

}  // namespace tapedeck::rtsp::onvif
