#include "url.hpp"

#include <new>

#include "tapedeck/context.hpp"

namespace tapedeck::webhook {

Url::Url(std::string_view text) : url_(::curl_url()) {
    if (url_ == nullptr) throw std::bad_alloc();
    constexpr std::string_view way_out = "; it must be like https://example.com/path";
    if (text.find('\0') != std::string_view::npos)
        throw Error(TD_MALFORMED, "it has a NUL byte in it" + std::string(way_out));
    const auto result = ::curl_url_set(url_.get(), CURLUPART_URL, std::string(text).c_str(), 0);
    if (result != CURLUE_OK) throw Error(TD_MALFORMED, ::curl_url_strerror(result) + std::string(way_out));
    const auto scheme = part(CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https")
        throw Error(TD_MALFORMED, "its scheme is neither http nor https" + std::string(way_out));
}

void Url::append(std::string_view segment) {
    auto path = part(CURLUPART_PATH);
    while (path.ends_with('/')) path.pop_back();
    path += '/' + std::string(segment);
    if (::curl_url_set(url_.get(), CURLUPART_PATH, path.c_str(), 0) != CURLUE_OK) throw std::bad_alloc();
}

std::string Url::part(CURLUPart which, unsigned flags) const {
    char* text = nullptr;
    if (::curl_url_get(url_.get(), which, &text, flags) != CURLUE_OK) return {};
    std::string copy(text);
    ::curl_free(text);
    return copy;
}

std::string Url::text() const {
    return part(CURLUPART_URL);
}

std::string Url::origin() const {
    return part(CURLUPART_SCHEME) + "://" + part(CURLUPART_HOST) + ':' + part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

}  // namespace tapedeck::webhook
