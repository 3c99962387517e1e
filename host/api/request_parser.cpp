#include "api/request_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cctype>
#include <utility>

namespace tapedeck::host::api {
namespace {

namespace http = boost::beast::http;

[[noreturn]] void reject(const boost::system::error_code& failure, const RequestParser::Limits& limits) {
    if (failure == http::error::body_limit) {
        throw Rejected(
            413, "the body is larger than " + std::to_string(limits.body) + " bytes; raise the setting rest.max_body");
    }
    if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
        throw Rejected(431, "the head is larger than " + std::to_string(limits.head) +
                                " bytes; raise the setting http.max_header");
    }
    throw Rejected(400, "not an HTTP/1.1 request: " + failure.message());
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

}  // namespace

class RequestParser::Body {
public:
    explicit Body(Limits given) : limits(given) {
        parser.header_limit(static_cast<std::uint32_t>(limits.head));
        parser.body_limit(limits.body);
        parser.eager(true);
    }

    Limits limits;
    http::request_parser<http::string_body> parser;
};

RequestParser::RequestParser(Limits limits) : body_(std::make_unique<Body>(limits)) {}
RequestParser::~RequestParser() = default;

std::size_t RequestParser::feed(std::string_view bytes) {
    auto& parser = body_->parser;
    const bool had_head = parser.is_header_done();
    boost::system::error_code failure;
    const auto used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), failure);
    const bool too_large = failure == http::error::body_limit;
    if (!had_head && (too_large || parser.is_header_done())) read_head();  // the answer names the path
    if (failure && failure != http::error::need_more) reject(failure, body_->limits);
    return used;
}

bool RequestParser::has_head() const {
    return body_->parser.is_header_done();
}
bool RequestParser::is_done() const {
    return body_->parser.is_done();
}
bool RequestParser::keep_alive() const {
    // A client of HTTP/1.0 would have to be told; there are none left that gain by it.
    return body_->parser.keep_alive() && body_->parser.get().version() >= 11;
}

bool RequestParser::expects_continue() const {
    return !is_done() && body_->parser.get().version() >= 11 && lower(head_.header("expect")) == "100-continue";
}

void RequestParser::read_head() {
    const auto& message = body_->parser.get();
    head_.method = std::string(message.method_string());
    head_.target = std::string(message.target());
    std::string_view target = head_.target;
    if (!target.starts_with('/')) {  // the absolute form that proxies use, RFC 9112 section 3.2.2
        const auto scheme = target.find("://");
        const auto path = scheme == std::string_view::npos ? scheme : target.find_first_of("/?", scheme + 3);
        target = path == std::string_view::npos ? "/" : target.substr(path);
        if (scheme == std::string_view::npos && head_.target != "*") throw Rejected(400, "the target is no path");
    }
    const auto question = target.find('?');
    head_.path = std::string(target.substr(0, question));
    if (question != std::string_view::npos) head_.query = std::string(target.substr(question + 1));
    for (const auto& field : message) {
        head_.headers.emplace(lower({field.name_string().data(), field.name_string().size()}),
                              std::string(field.value()));
    }
}

Request RequestParser::take() {
    Request request = std::move(head_);
    request.body = std::move(body_->parser.get().body());
    return request;
}

}  // namespace tapedeck::host::api
