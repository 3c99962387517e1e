// The address of a receiver.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <string_view>

namespace tapedeck::webhook {

/// A URL of http or https, checked. Move only.
class Url {
public:
    /// Throws Error (TD_MALFORMED) that tells what is wrong, never the text: it may hold a token.
    explicit Url(std::string_view text);

    /// Adds a last part to the path; what follows the `?` stays.
    void append(std::string_view segment);
    std::string text() const;
    /// Scheme, host and port: what may stand in a log line.
    std::string origin() const;

private:
    std::string part(CURLUPart which, unsigned flags = 0) const;

    struct Free {
        void operator()(CURLU* url) const { ::curl_url_cleanup(url); }
    };
    std::unique_ptr<CURLU, Free> url_;
};

}  // namespace tapedeck::webhook
