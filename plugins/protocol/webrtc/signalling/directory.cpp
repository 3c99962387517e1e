#include "webrtc/signalling/directory.hpp"

#include <algorithm>
#include <utility>

#include "webrtc/signalling/connection.hpp"

namespace tapedeck::webrtc {

void Directory::add(const std::string& session, std::shared_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    connections_.emplace(session, Known{std::move(connection), {}});
}

void Directory::establish(const websdk::ConnectionFacts& facts) {
    const std::lock_guard lock(mutex_);
    const auto found = connections_.find(facts.session);
    if (found != connections_.end()) found->second.facts = facts;
}

void Directory::remove(const std::string& session) {
    std::shared_ptr<Connection> removed;  // ends after the lock
    const std::lock_guard lock(mutex_);
    const auto found = connections_.find(session);
    if (found == connections_.end()) return;
    removed = std::move(found->second.connection);
    connections_.erase(found);
}

std::vector<std::shared_ptr<Connection>> Directory::all() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Connection>> result;
    result.reserve(connections_.size());
    for (const auto& [session, known] : connections_) result.push_back(known.connection);
    return result;
}

std::vector<websdk::ConnectionFacts> Directory::established(const websdk::ConnectionFilter& filter) const {
    const std::lock_guard lock(mutex_);
    std::vector<websdk::ConnectionFacts> result;
    for (const auto& [session, known] : connections_)
        if (!known.facts.session.empty() && filter.fits(known.facts)) result.push_back(known.facts);
    return result;
}

std::shared_ptr<Connection> Directory::find(const std::string& session) const {
    const std::lock_guard lock(mutex_);
    const auto found = connections_.find(session);
    return found == connections_.end() || found->second.facts.session.empty() ? nullptr : found->second.connection;
}

bool Directory::claim(const Stream& stream, const std::string& name, bool publishes) {
    const std::lock_guard lock(mutex_);
    if (!streams_.try_emplace(stream.media_session, Claim{stream.connection, name, publishes}).second) return false;
    if (!publishes) players_.emplace(name, stream.media_session);
    return true;
}

void Directory::release(const std::string& media_session) {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(media_session);
    if (found == streams_.end()) return;
    const auto [first, last] = players_.equal_range(found->second.name);
    const auto player = std::find_if(first, last, [&](const auto& entry) { return entry.second == media_session; });
    if (player != last) players_.erase(player);
    streams_.erase(found);
}

std::vector<Directory::Stream> Directory::players(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    std::vector<Stream> result;
    const auto [first, last] = players_.equal_range(name);
    for (auto player = first; player != last; ++player) {
        const auto stream = streams_.find(player->second);
        if (stream == streams_.end()) continue;
        if (auto connection = stream->second.connection.lock())
            result.push_back({std::move(connection), stream->first});
    }
    return result;
}

}  // namespace tapedeck::webrtc
