// An event as JSON.
#pragma once

#include <string>
#include <string_view>

#include "tapedeck/abi.h"

namespace tapedeck::webhook {

/// Tapedeck's own form: one flat object, members as in README.md; what is not known is null, times are UNIX
/// milliseconds. The same in every attempt.
std::string body_of(const td_event& event);

/// The form of Flashphoner's `/StreamEvent`. Of STARTED and STORED only: there is no such event of a failure.
std::string stream_event_of(const td_event& event, std::string_view node);

/// What a backend is asked, in the form of Flashphoner's REST hooks: who connects, publishes or plays. With their
/// credentials.
std::string question_of(int action, const td_stream_info& info, std::string_view node);

/// The name of this machine.
std::string node_name();

}  // namespace tapedeck::webhook
