// Who is connected over the WebSDK, and which media sessions there are.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "webrtc/signalling/message.hpp"

namespace tapedeck::webrtc {

class Connection;

/// Shared by all connections. Thread-safe; calls nobody.
class Directory {
public:
    /// From its first byte; owned until `remove`.
    void add(const std::string& session, std::shared_ptr<Connection> connection);
    /// The client may stay: REST shows it from now on.
    void establish(const websdk::ConnectionFacts& facts);
    void remove(const std::string& session);

    std::vector<std::shared_ptr<Connection>> all() const;
    std::vector<websdk::ConnectionFacts> established(const websdk::ConnectionFilter& filter) const;
    /// An established one, or null.
    std::shared_ptr<Connection> find(const std::string& session) const;

    struct Stream {
        std::shared_ptr<Connection> connection;
        std::string media_session;
    };
    /// False where the media session is in use.
    bool claim(const Stream& stream, const std::string& name, bool publishes);
    void release(const std::string& media_session);
    /// Those who play the stream of this name.
    std::vector<Stream> players(const std::string& name) const;

private:
    struct Known {
        std::shared_ptr<Connection> connection;
        websdk::ConnectionFacts facts;  // without a session until it is established
    };
    struct Claim {
        std::weak_ptr<Connection> connection;
        std::string name;
        bool publishes = false;
    };

    mutable std::mutex mutex_;
    std::map<std::string, Known, std::less<>> connections_;         // by session
    std::map<std::string, Claim, std::less<>> streams_;             // by media session
    std::multimap<std::string, std::string, std::less<>> players_;  // name to media session
};

}  // namespace tapedeck::webrtc
