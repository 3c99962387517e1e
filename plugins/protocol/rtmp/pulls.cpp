#include "pulls.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "request.hpp"
#include "sources/members.hpp"

namespace tapedeck::rtmp {

namespace {

namespace json = boost::json;

PullRequest parse_pull(std::string_view body) {
    const sources::Members members(body);
    PullRequest request;
    const auto uri = members.text("uri");
    request.address = PullAddress::parse(uri);
    request.uri = name_of(uri);
    request.stream = members.text("localStreamName", "");
    if (request.stream.empty()) request.stream = request.uri;
    request.record = members.flag("record", false);
    return request;
}

/// The words of Flashphoner's agents; it has none for a source that is waited for.
const char* word(Pull::State state) {
    switch (state) {
        case Pull::State::connecting:
            return "PENDING";
        case Pull::State::playing:
            return "PROCESSED_REMOTE";
        default:
            return "FAILED";
    }
}

json::object describe_pull(const Pull& pull) {
    using std::chrono::milliseconds, std::chrono::steady_clock;
    const auto status = pull.status();
    const auto& request = pull.request();
    json::object shown{{"localMediaSessionId", status.media_session},
                       {"localStreamName", request.stream},
                       {"uri", request.uri},
                       {"status", word(status.state)},
                       {"hasAudio", (status.kinds & 1u << TD_AUDIO) != 0},
                       {"hasVideo", (status.kinds & 1u << TD_VIDEO) != 0},
                       {"record", request.record}};
    if (status.state != Pull::State::waiting) return shown;
    const auto left = std::chrono::duration_cast<milliseconds>(status.next_try - steady_clock::now());
    shown["info"] = status.reason;
    shown["nextTryMs"] = std::max<std::int64_t>(left.count(), 0);
    return shown;
}

}  // namespace

Pulls::Pulls(Shared& shared, CurrentSettings settings, NextThread next_thread)
    : shared_(shared), settings_(std::move(settings)), next_thread_(std::move(next_thread)) {
    if (shared_.host.service<td_http>(TD_HTTP) == nullptr) return;
    http_.emplace(shared_.host);
    sources::post_route(*http_, "/rest-api/pull/pull", [this](auto body, auto& exchange) {
        pull(body);
        sources::answer_json(exchange, "");
    });
    sources::list_route(*http_, "/rest-api/pull/find_all",
                        [this](auto& exchange) { sources::answer_json(exchange, find_all()); });
    sources::post_route(*http_, "/rest-api/pull/terminate", [this](auto body, auto& exchange) {
        terminate(body);
        sources::answer_json(exchange, "");
    });
}

void Pulls::stop() {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    for (const auto& pull : pulls_) pull->end("the server stops");
    pulls_.clear();
}

void Pulls::forget_ended() {
    std::erase_if(pulls_, [](const auto& pull) { return pull->status().state == Pull::State::over; });
}

void Pulls::pull(std::string_view body) {
    auto request = parse_pull(body);
    const auto settings = settings_();
    auto tls = request.address.is_secure ? TlsContext::of_client(settings->pull_verify) : nullptr;
    require_unpublished(request.stream);
    const std::lock_guard lock(mutex_);
    if (is_stopping_) throw Error(TD_CANCELLED, "the server stops");
    forget_ended();
    require_free(request);
    if (pulls_.size() >= settings->pull_most)
        throw Error(TD_DENIED, "so many streams are pulled already; setting 'protocol.rtmp.pull_most' allows more");
    pulls_.push_back(std::make_shared<Pull>(shared_, next_thread_(), settings, std::move(tls), std::move(request)));
    pulls_.back()->start();
}

void Pulls::require_free(const PullRequest& request) const {
    for (const auto& other : pulls_) {
        if (other->request().uri == request.uri)
            throw Error(TD_EXISTS, "uri: " + request.address.shown() + " is pulled already");
        if (other->request().stream == request.stream)
            throw Error(TD_EXISTS, "localStreamName: '" + printable(request.stream) + "' is that of another pull");
    }
}

void Pulls::require_unpublished(const std::string& stream) const {
    const auto* streams = shared_.host.service<td_streams>(TD_STREAMS);
    if (streams->find(shared_.host.get(), text_of(stream)) != TD_NOT_FOUND)
        throw Error(TD_EXISTS, "localStreamName: '" + printable(stream) + "' is published already");
}

std::string Pulls::find_all() {
    const std::lock_guard lock(mutex_);
    forget_ended();
    if (pulls_.empty()) throw Error(TD_NOT_FOUND, "nothing is pulled");
    json::array list;
    for (const auto& pull : pulls_) list.push_back(describe_pull(*pull));
    return json::serialize(list);
}

void Pulls::terminate(std::string_view body) {
    auto wanted = sources::Filter::read(sources::Members(body));
    wanted.uri = name_of(wanted.uri);
    const std::lock_guard lock(mutex_);
    forget_ended();
    const auto ended = std::erase_if(pulls_, [&](const auto& pull) {
        const auto& request = pull->request();
        if (!wanted.matches(request.uri, request.stream, pull->status().media_session)) return false;
        pull->end("ended by REST");
        return true;
    });
    if (ended == 0) throw Error(TD_NOT_FOUND, "no such stream is pulled");
}

}  // namespace tapedeck::rtmp
