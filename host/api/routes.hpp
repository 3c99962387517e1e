// The routes of the server's own interface; each function adds one family to a router.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "api/controls.hpp"
#include "api/router.hpp"

namespace tapedeck::host::api {

/// What the handlers read at each request, so that SIGHUP changes it.
struct RestOptions {
    int bad_request_status = 400;        ///< `rest.bad_request_status`
    int empty_list_status = 404;         ///< `rest.empty_list`; 200 answers `[]`
    std::string disposition = "inline";  ///< `record_response_content_disposition_header_value`
};
/// The options as they are now; any thread.
using CurrentRestOptions = std::function<RestOptions()>;

// The controls are borrowed until the server was stopped.

/// `/rest-api/recorder/{startup,terminate,find_all}` and their aliases
/// `/rest-api/stream/{startRecording,stopRecording}`.
void add_recorder_routes(Router& router, RecorderControl& recorder, CurrentRestOptions options);
/// `/rest-api/stream/{find,find_all,terminate}`.
void add_stream_routes(Router& router, StreamDirectory& streams, CurrentRestOptions options);
/// `/client/records/<name>`, whole or in part.
void add_file_routes(Router& router, RecordFiles& files, RecordCuts& cuts, Workers& workers,
                     CurrentRestOptions options);
/// `/client2/<name>`: the files of `folder`, of a folder its `index.html`; no link leads out of it.
void add_page_routes(Router& router, std::filesystem::path folder, Workers& workers);
/// `/health`.
void add_health_routes(Router& router, Health& health);
/// `/metrics` and `/?action=stat`.
void add_metrics_routes(Router& router, RecorderControl& recorder, StreamDirectory& streams, Health& health);

}  // namespace tapedeck::host::api
