#include "pulls.hpp"

#include <algorithm>

#include "address/query.hpp"

namespace tapedeck::rtsp {

Pulls::Pulls(Context context, std::vector<std::shared_ptr<Loop>>& loops, Workers& workers)
    : context_(context), loops_(loops), workers_(workers), tls_(std::string(context.text(keys::ca_file))) {}

void Pulls::start(PullRequest request) {
    const auto settings = Settings::read(context_);
    const std::lock_guard lock(mutex_);
    if (is_closed_) throw Error(TD_CANCELLED, "the server stops");
    for (const auto& pull : pulls_) {
        if (pull->request().uri == request.uri)
            throw Error(TD_EXISTS, "uri: '" + printable(request.uri) + "' is pulled already");
        if (pull->request().stream == request.stream)
            throw Error(TD_EXISTS, "localStreamName: '" + printable(request.stream) + "' is in use");
    }
    const auto* streams = context_.service<td_streams>(TD_STREAMS);
    if (streams != nullptr && streams->find(context_.get(), text_of(request.stream)) != TD_NOT_FOUND)
        throw Error(TD_EXISTS, "localStreamName: '" + printable(request.stream) + "' is in use");
    if (pulls_.size() >= static_cast<std::size_t>(context_.integer(keys::most)))
        throw Error(TD_DENIED, "so many cameras are pulled already; setting 'protocol.rtsp.most' allows more");
    const auto over = [this](const Pull& pull) {
        const std::lock_guard guard(mutex_);
        std::erase_if(pulls_, [&](const auto& one) { return one.get() == &pull; });
    };
    pulls_.push_back(std::make_shared<Pull>(context_, loops_[turn_++ % loops_.size()], workers_, tls_, settings,
                                            std::move(request), over));
    pulls_.back()->start();
}

std::vector<std::shared_ptr<Pull>> Pulls::find(std::string_view uri) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Pull>> found;
    for (const auto& pull : pulls_)
        if (uri.empty() || pull->request().uri == uri) found.push_back(pull);
    return found;
}

void Pulls::close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
}

}  // namespace tapedeck::rtsp
