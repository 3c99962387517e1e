#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "api/answers.hpp"
#include "api/routes.hpp"
#include "api/url.hpp"
#include "base/metrics.hpp"

namespace tapedeck::host::api {
namespace {

/// `name=value` lines, as the statistics page of WCS has them.
std::string statistics(RecorderControl& recorder, StreamDirectory& streams, Health& health) {
    const auto all = streams.streams();
    const auto published = std::ranges::count(all, true, &StreamObject::published);
    const auto recorded = std::ranges::count(all, true, &StreamObject::record);
    auto text = fmt::format(
        "-----Core-----\nversion={}\nready={}\n"
        "-----Streams-----\nstreams_publishing={}\nstreams_playing={}\nstreams_recorded={}\n"
        "-----Recorders-----\nrecorders={}\n"
        "-----Counters-----\n",
        TAPEDECK_VERSION, health.ready(), published, static_cast<std::ptrdiff_t>(all.size()) - published, recorded,
        recorder.running().size());
    const auto counters = metrics::render();
    std::string_view rest = counters;
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        const auto space = line.rfind(' ');
        if (line.starts_with('#') || space == std::string_view::npos) continue;
        text += fmt::format("{}={}\n", line.substr(0, space), line.substr(space + 1));
    }
    return text;
}

}  // namespace

void add_metrics_routes(Router& router, RecorderControl& recorder, StreamDirectory& streams, Health& health) {
    router.add({"GET"}, "/metrics", [](const Request&, const Answer& answer) {
        answer(text_answer(metrics::render(), "text/plain; version=0.0.4; charset=utf-8"));
    });
    router.add({"GET"}, "/", [&](const Request& request, const Answer& answer) {
        if (query_member(request.query, "action") != "stat") {
            return answer(error_answer(404, "no such path; statistics are at /?action=stat", request.path));
        }
        answer(text_answer(statistics(recorder, streams, health), "text/plain; charset=utf-8"));
    });
}

}  // namespace tapedeck::host::api
