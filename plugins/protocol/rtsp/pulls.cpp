#include "pulls.hpp"

#include <algorithm>

#include "address/query.hpp"

namespace tapedeck::rtsp {

Pulls::Pulls(Context context, std::vector<std::shared_ptr<Loop>>& loops, Workers& workers)
    : context_(context), loops_(loops), workers_(workers), tls_(std::string(context.text(keys::ca_file))) {}

void Pulls::start(PullRequest request) {
    const std::lock_guard lock(mutex_);
    if (is_closed_) throw Error(TD_CANCELLED, "the server stops");
    if (auto* const known = find_if_pulled(request.uri)) {
        auto& url = known->request.url;
        const bool is_same_stream = request.stream == known->request.stream || request.stream == request.uri;
        const bool has_other_login =
            url && request.url && (url->user != request.url->user || url->password != request.url->password);
        if (!is_same_stream || !has_other_login || known->pull->status().status != "FAILED")
            throw Error(TD_EXISTS, "uri: '" + printable(request.uri) + "' is pulled already");
        url = request.url;
        return known->pull->change(known->request);
    }
    begin(std::move(request));
}

void Pulls::follow(std::vector<PullRequest> listed) {
    const std::lock_guard lock(mutex_);
    std::erase_if(next_, [](const PullRequest& request) { return !request.listed.empty(); });
    for (auto& entry : entries_) {
        if (entry.is_ending) continue;
        entry.pull->hurry();
        if (entry.request.listed.empty()) continue;
        const auto now =
            std::find_if(listed.begin(), listed.end(), [&](const auto& one) { return one.uri == entry.request.uri; });
        if (now == listed.end())
            end(entry, "it is no longer listed");
        else if (now->stream != entry.request.stream || now->record != entry.request.record)
            end(entry, "it is listed otherwise");
        else if (now->listed != entry.request.listed) {
            context_.info(printable(entry.request.uri) + " is listed otherwise: it is connected anew");
            entry.request = *now;
            entry.pull->change(*now);
        }
    }
    for (auto& request : listed) {
        if (find_if_pulled(request.uri) != nullptr) continue;
        try {
            begin(std::move(request));
        } catch (const Error& e) {
            context_.error(std::string("a camera is not pulled: ") + e.what());
        }
    }
}

std::size_t Pulls::stop(std::string_view uri, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    auto count = std::erase_if(next_, [&](const PullRequest& request) { return request.uri == uri; });
    for (auto& entry : entries_) {
        if (entry.is_ending || entry.request.uri != uri) continue;
        end(entry, reason);
        ++count;
    }
    return count;
}

std::vector<std::shared_ptr<Pull>> Pulls::find(std::string_view uri) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Pull>> found;
    for (const auto& entry : entries_)
        if (!entry.is_ending && (uri.empty() || entry.request.uri == uri)) found.push_back(entry.pull);
    return found;
}

void Pulls::close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    next_.clear();
}

void Pulls::begin(PullRequest request) {
    if (is_closed_) return;
    for (const auto& other : next_)
        if (other.uri == request.uri) throw Error(TD_EXISTS, "uri: '" + printable(request.uri) + "' is pulled already");
    const auto has_stream = [&](const auto& one) { return one.stream == request.stream; };
    const bool is_taken = std::any_of(next_.begin(), next_.end(), has_stream) ||
                          std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
                              return !entry.is_ending && has_stream(entry.request);
                          });
    const bool waits = waits_for_an_end(request);
    const auto* streams = context_.service<td_streams>(TD_STREAMS);
    if (is_taken ||
        (!waits && streams != nullptr && streams->find(context_.get(), text_of(request.stream)) != TD_NOT_FOUND))
        throw Error(TD_EXISTS, "localStreamName: '" + printable(request.stream) + "' is in use");
    if (waits) return next_.push_back(std::move(request));
    if (entries_.size() >= static_cast<std::size_t>(context_.integer(keys::most)))
        throw Error(TD_DENIED, "so many cameras are pulled already; setting 'protocol.rtsp.most' allows more");
    const auto settings = Settings::read(context_);
    auto pull = std::make_shared<Pull>(context_, loops_[turn_++ % loops_.size()], workers_, tls_, settings, request,
                                       [this](const Pull& ended) { over(ended); });
    entries_.push_back({std::move(pull), std::move(request)});
    entries_.back().pull->start();
}

void Pulls::end(Entry& entry, const std::string& reason) {
    context_.info(printable(entry.request.uri) + " is not pulled any more: " + reason);
    entry.is_ending = true;
    entry.pull->stop(reason);
}

Pulls::Entry* Pulls::find_if_pulled(std::string_view uri) {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return !entry.is_ending && entry.request.uri == uri; });
    return found == entries_.end() ? nullptr : &*found;
}

bool Pulls::waits_for_an_end(const PullRequest& request) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.is_ending && (entry.request.uri == request.uri || entry.request.stream == request.stream);
    });
}

/// On the loop of the one that has ended.
void Pulls::over(const Pull& pull) {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const Entry& entry) { return entry.pull.get() == &pull; });
    for (auto& request : std::exchange(next_, {})) {
        try {
            begin(std::move(request));
        } catch (const Error& e) {
            context_.error(std::string("a camera is not pulled: ") + e.what());
        }
    }
}

}  // namespace tapedeck::rtsp
