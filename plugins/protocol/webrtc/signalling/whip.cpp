#include "webrtc/signalling/whip.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tapedeck/uuid.hpp"
#include "webrtc/signalling/message.hpp"

namespace tapedeck::webrtc {

namespace reason = websdk::reason;

namespace {

constexpr std::string_view sdp_type = "application/sdp";
constexpr std::string_view fragment_type = "application/trickle-ice-sdpfrag";  // RFC 8840
constexpr std::string_view publish_path = "/whip/", play_path = "/whep/", session_path = "/webrtc/sessions/";

bool same_letters(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right,
                              [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

/// Whether the content is of this type, whatever its parameters.
bool is_of_type(const HttpRequest& request, std::string_view type) {
    auto given = request.header("content-type");
    given = given.substr(0, given.find(';'));
    while (given.ends_with(' ') || given.ends_with('\t')) given.remove_suffix(1);
    return same_letters(given, type);
}

/// Of RFC 6750 section 2.1; empty where there is none.
std::string bearer_of(const HttpRequest& request) {
    constexpr std::string_view scheme = "bearer ";
    auto given = request.header("authorization");
    if (given.size() <= scheme.size() || !same_letters(given.substr(0, scheme.size()), scheme)) return {};
    given.remove_prefix(std::min(given.find_first_not_of(' ', scheme.size()), given.size()));
    return std::string(given);
}

/// Nothing where a `%` has no two digits behind it (RFC 3986 section 2.1).
std::optional<std::string> percent_decoded(std::string_view text) {
    std::string decoded;
    while (!text.empty()) {
        if (text.front() != '%') {
            decoded += text.front();
            text.remove_prefix(1);
            continue;
        }
        unsigned char byte = 0;
        const auto digits = text.substr(1, 2);
        const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (failure != std::errc() || digits.size() != 2 || end != digits.data() + 2) return {};
        decoded += static_cast<char>(byte);
        text.remove_prefix(3);
    }
    return decoded;
}

/// `record=true` or `false`; anything else leaves it to the rules.
std::uint32_t recording_of(std::string_view query) {
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const auto parameter = query.substr(0, end);
        if (parameter == "record=true") return TD_RECORD_YES;
        if (parameter == "record=false") return TD_RECORD_NO;
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return TD_RECORD_BY_RULES;
}

/// The value of the first `a=<name>:` line, or empty.
std::string_view attribute_of(std::string_view sdp, std::string_view name) {
    while (!sdp.empty()) {
        const auto end = std::min(sdp.find('\n'), sdp.size());
        auto line = sdp.substr(0, end);
        sdp.remove_prefix(std::min(end + 1, sdp.size()));
        while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
        if (line.starts_with("a=") && line.substr(2).starts_with(name) && line.substr(2 + name.size()).starts_with(':'))
            return line.substr(name.size() + 3);
    }
    return {};
}

/// Why there is no session, in HTTP.
void refuse(HttpExchange& exchange, const std::string& why, bool has_token) {
    if (why == reason::not_found) return exchange.respond(409, {}, why, {{"Retry-After", "2"}});
    if (why == reason::too_many) return exchange.respond(503, {}, why, {{"Retry-After", "5"}});
    if (why == reason::name_in_use) return exchange.respond(409, {}, why);
    if (why == reason::no_codecs) return exchange.respond(406, {}, why);
    if (why == reason::restricted) {
        if (has_token) return exchange.respond(403, {}, why);
        return exchange.respond(401, {}, why, {{"WWW-Authenticate", "Bearer"}});
    }
    exchange.respond(500, {}, why);
}

}  // namespace

/// The sessions there are. Thread-safe; calls nobody.
struct Whip::Table {
    struct Entry {
        std::string media_session;
        std::string ufrag;  // of the client
    };

    void add(const std::string& id, Entry entry) {
        const std::lock_guard lock(mutex);
        entries.emplace(id, std::move(entry));
    }
    std::optional<Entry> find(std::string_view id) {
        const std::lock_guard lock(mutex);
        const auto found = entries.find(id);
        return found == entries.end() ? std::nullopt : std::optional(found->second);
    }
    std::optional<Entry> take(std::string_view id) {
        const std::lock_guard lock(mutex);
        const auto found = entries.find(id);
        if (found == entries.end()) return {};
        return std::move(entries.extract(found).mapped());
    }
    std::vector<Entry> all() {
        const std::lock_guard lock(mutex);
        std::vector<Entry> result;
        result.reserve(entries.size());
        for (const auto& [id, entry] : entries) result.push_back(entry);
        return result;
    }

    std::mutex mutex;
    std::map<std::string, Entry, std::less<>> entries;
};

/// Answers the offer.
class Whip::Events final : public SessionEvents {
public:
    Events(std::shared_ptr<Table> table, std::string id, bool has_token, HttpExchange exchange)
        : table_(std::move(table)), id_(std::move(id)), has_token_(has_token), exchange_(std::move(exchange)) {}

    void answered(const std::string& sdp) override {
        exchange_.respond(
            201, sdp_type, sdp,
            {{"Location", std::string(session_path) + id_}, {"ETag", etag(id_)}, {"Accept-Patch", fragment_type}});
    }
    void started() override {}
    void ended(bool failed, const std::string& why, const std::string& /*record_name*/) override {
        table_->take(id_);
        // Where the offer was answered before, this is nothing.
        failed ? refuse(exchange_, why, has_token_) : exchange_.respond(503, {}, why);
    }
    /// Of the one ICE session that it ever has.
    static std::string etag(std::string_view id) { return '"' + std::string(id.substr(0, 8)) + '"'; }

private:
    std::shared_ptr<Table> table_;
    std::string id_;
    bool has_token_;
    HttpExchange exchange_;
};

Whip::Whip(Sessions& sessions) : sessions_(sessions), table_(std::make_shared<Table>()) {}
Whip::~Whip() = default;

void Whip::serve(Http& http) {
    for (const bool publishes : {true, false}) {
        const auto path = std::string(publishes ? publish_path : play_path) + "*";
        http.route("POST", path, [this, publishes](const HttpRequest& request, HttpExchange exchange) {
            offer(publishes, request, std::move(exchange));
        });
        // Endpoints have no representation (RFC 9725 section 4.1).
        http.route("GET", path, [](const HttpRequest&, HttpExchange exchange) { exchange.respond(204, {}, {}); });
    }
    const auto path = std::string(session_path) + "*";
    const auto route = [&](std::string_view method, void (Whip::*answer)(const HttpRequest&, HttpExchange&) const) {
        http.route(method, path, [this, answer](const HttpRequest& request, HttpExchange exchange) {
            (this->*answer)(request, exchange);
        });
    };
    route("PATCH", &Whip::candidates);
    route("DELETE", &Whip::remove);
    route("GET", &Whip::exists);
}

void Whip::close() const {
    for (const auto& entry : table_->all()) sessions_.close(entry.media_session, std::string(reason::disconnected));
}

void Whip::offer(bool publishes, const HttpRequest& request, HttpExchange exchange) const {
    const auto name = percent_decoded(request.path().substr(publish_path.size()));
    if (!name) return exchange.respond(400, {}, "the stream's name in the path has a '%' without two digits");
    if (name->empty() || name->size() > websdk::most_text)
        return exchange.respond(404, {}, "name a stream in the path");
    if (!is_of_type(request, sdp_type))
        return exchange.respond(415, {}, "send an SDP offer as application/sdp", {{"Accept-Post", sdp_type}});
    const auto offer = request.body();
    if (offer.size() > websdk::most_offer) return exchange.respond(413, {}, "the offer has more than 64 KiB");
    if (!offer.starts_with("v=0") || offer.find("\nm=") == std::string_view::npos)
        return exchange.respond(400, {}, "the body is no SDP offer");

    SessionRequest wanted;
    wanted.publishes = publishes;
    wanted.media_session = make_uuid();
    wanted.session = make_uuid();
    wanted.name = *name;
    wanted.remote = request.remote();
    wanted.offer = offer;
    if (publishes) wanted.record = recording_of(request.query());
    auto token = bearer_of(request);
    const bool has_token = !token.empty();
    if (has_token) wanted.attributes.emplace_back("token", std::move(token));

    const auto id = make_uuid();
    table_->add(id, {wanted.media_session, std::string(attribute_of(offer, "ice-ufrag"))});
    sessions_.open(std::move(wanted), std::make_shared<Events>(table_, id, has_token, std::move(exchange)));
}

/// An ICE-lite server learns the client's addresses from its checks, so candidates need nothing but an answer.
void Whip::candidates(const HttpRequest& request, HttpExchange& exchange) const {
    const auto id = request.path().substr(session_path.size());
    const auto session = table_->find(id);
    if (!session) return exchange.respond(404, {}, "there is no such session");
    if (!is_of_type(request, fragment_type))
        return exchange.respond(415, {}, "send candidates as application/trickle-ice-sdpfrag",
                                {{"Accept-Patch", fragment_type}});
    const auto match = request.header("if-match");
    if (match.empty()) return exchange.respond(428, {}, "send the session's ETag in If-Match");
    if (match != "*" && match != Events::etag(id)) return exchange.respond(412, {}, "this is not the session's ETag");
    const auto ufrag = attribute_of(request.body(), "ice-ufrag");
    if (!ufrag.empty() && ufrag != session->ufrag)
        return exchange.respond(422, {}, "ICE cannot be restarted here; end this session and make a new one");
    exchange.respond(204, {}, {});
}

void Whip::remove(const HttpRequest& request, HttpExchange& exchange) const {
    const auto session = table_->take(request.path().substr(session_path.size()));
    if (!session) return exchange.respond(404, {}, "there is no such session");
    sessions_.close(session->media_session, std::string(reason::by_user));
    exchange.respond(200, {}, {});
}

void Whip::exists(const HttpRequest& request, HttpExchange& exchange) const {
    if (!table_->find(request.path().substr(session_path.size())))
        return exchange.respond(404, {}, "there is no such session");
    exchange.respond(204, {}, {});
}

}  // namespace tapedeck::webrtc
