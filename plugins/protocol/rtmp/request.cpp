#include "request.hpp"

namespace tapedeck::rtmp {

namespace {

void append(Parameters& into, const Parameters& more) {
    into.insert(into.end(), more.begin(), more.end());
}

}  // namespace

ConnectRequest connect_request(std::string_view app, std::string_view url, std::string_view agent) {
    ConnectRequest request;
    request.url = url;
    request.agent = agent;
    if (const auto scheme = url.find("://"); scheme != std::string_view::npos) {
        const auto authority = url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
        if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
            const auto user = authority.substr(0, at);
            const auto colon = user.find(':');
            request.parameters.emplace_back("user", percent_decode(user.substr(0, colon)));
            if (colon != std::string_view::npos)
                request.parameters.emplace_back("password", percent_decode(user.substr(colon + 1)));
        }
    }
    append(request.parameters, split_query(url).parameters);
    auto named = split_query(app);
    append(request.parameters, named.parameters);
    request.application = std::move(named.name);
    while (request.application.ends_with('/')) request.application.pop_back();
    return request;
}

}  // namespace tapedeck::rtmp
