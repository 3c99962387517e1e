#include <boost/json/array.hpp>
#include <utility>

#include "api/answers.hpp"
#include "api/bodies.hpp"
#include "api/routes.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tapedeck::host::api {
namespace {

/// The answer of a call without a result: 200 with nothing in it, or why not.
Done void_answer(const Request& request, Answer answer, int bad_request) {
    return [path = request.path, answer = std::move(answer), bad_request](const Error* failure) {
        if (failure == nullptr) {
            Response done;
            done.headers.emplace_back("Content-Type", "application/json");
            return answer(std::move(done));
        }
        const int status = status_of(*failure, bad_request);
        if (status >= 500 && failure->status() != TD_MALFORMED)
            log::error("{}: {}", path, printable(failure->what(), 400));
        answer(error_answer(status, failure->what(), path));
    };
}

}  // namespace

void add_recorder_routes(Router& router, RecorderControl& recorder, CurrentRestOptions options) {
    const Handler start = [&recorder, options](const Request& request, const Answer& answer) {
        const auto done = void_answer(request, answer, options().bad_request_status);
        try {
            const auto asked = parse_start(request.body);
            recorder.start(asked.media_session, asked.settings, done);
        } catch (const Error& failure) {
            done(&failure);
        }
    };
    const Handler stop = [&recorder, options](const Request& request, const Answer& answer) {
        const auto done = void_answer(request, answer, options().bad_request_status);
        try {
            recorder.stop(parse_media_session(request.body), done);
        } catch (const Error& failure) {
            done(&failure);
        }
    };
    router.add({"POST"}, "/rest-api/recorder/startup", start);
    router.add({"POST"}, "/rest-api/stream/startRecording", start);
    router.add({"POST"}, "/rest-api/recorder/terminate", stop);
    router.add({"POST"}, "/rest-api/stream/stopRecording", stop);
    router.add({"GET", "POST"}, "/rest-api/recorder/find_all",
               [&recorder, options](const Request& request, const Answer& answer) {
                   boost::json::array list;
                   for (const auto& running : recorder.running()) {
                       list.push_back({{"fileName", running.file_name}, {"mediaSessionId", running.media_session}});
                   }
                   answer(list_answer(std::move(list), "nothing is being recorded", options().empty_list_status,
                                      request.path));
               });
}

}  // namespace tapedeck::host::api
