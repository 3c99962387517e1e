#include <boost/json/array.hpp>
#include <string>
#include <utility>
#include <vector>

#include "api/answers.hpp"
#include "api/bodies.hpp"
#include "api/routes.hpp"
#include "api/stream_json.hpp"

namespace tapedeck::host::api {
namespace {

constexpr std::string_view reason_of_terminate = "Stopped by rest /terminate";  // literal of WCS

Response find(StreamDirectory& streams, const StreamFilter& filter, const RestOptions& options,
              const std::string& path) {
    boost::json::array list;
    for (const auto& stream : streams.streams()) {
        if (filter.fits(stream)) list.push_back(to_json(stream, filter.with_metrics));
    }
    return list_answer(std::move(list), "Stream not found", options.empty_list_status, path);
}

Response terminate(StreamDirectory& streams, const StreamFilter& filter, const std::string& path) {
    std::vector<std::string> sessions;
    for (const auto& stream : streams.streams()) {
        if (filter.fits(stream)) sessions.push_back(stream.media_session);
    }
    bool any = false;
    for (const auto& session : sessions) any = streams.terminate(session, reason_of_terminate) || any;
    return any ? Response{} : error_answer(404, "Stream not found", path);
}

/// Answers what `make` gives, and bad bodies with their status.
template <class Make>
void answer_with(const Request& request, const Answer& answer, const RestOptions& options, Make make) {
    try {
        answer(make());
    } catch (const Error& failure) {
        answer(error_answer(status_of(failure, options.bad_request_status), failure.what(), request.path));
    }
}

}  // namespace

void add_stream_routes(Router& router, StreamDirectory& streams, CurrentRestOptions options) {
    router.add({"GET", "POST"}, "/rest-api/stream/find",
               [&streams, options](const Request& request, const Answer& answer) {
                   answer_with(request, answer, options(),
                               [&] { return find(streams, parse_filter(request.body), options(), request.path); });
               });
    router.add({"GET", "POST"}, "/rest-api/stream/find_all",
               [&streams, options](const Request& request, const Answer& answer) {
                   answer_with(request, answer, options(), [&] {
                       StreamFilter all;
                       all.with_metrics = parse_filter(request.body).with_metrics;
                       return find(streams, all, options(), request.path);
                   });
               });
    router.add({"POST"}, "/rest-api/stream/terminate",
               [&streams, options](const Request& request, const Answer& answer) {
                   answer_with(request, answer, options(),
                               [&] { return terminate(streams, parse_termination(request.body), request.path); });
               });
}

}  // namespace tapedeck::host::api
