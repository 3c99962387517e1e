// The host's answers to one publication, carried to the thread of its connection.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "tapedeck/stream.hpp"

namespace tapedeck::rtmp {

class Connection;

/// Called on host threads; only posts, and not once the thread is gone. Owns a share of the connection until
/// `released`, and none of the thread: what is posted to a stopped one would keep both for ever.
class Publication : public Publisher, public std::enable_shared_from_this<Publication> {
public:
    Publication(std::weak_ptr<boost::asio::io_context> thread, std::shared_ptr<Connection> connection)
        : thread_(std::move(thread)), connection_(std::move(connection)) {}

    void opened(Sink sink) override;
    void refused(const Error& reason) override;
    void demand(std::chrono::microseconds delay) override;
    void kick(std::string_view reason) override;
    void released(const td_recording* recording) override;

private:
    template <class Call>
    void post(Call call);

    std::weak_ptr<boost::asio::io_context> thread_;
    std::shared_ptr<Connection> connection_;
};

}  // namespace tapedeck::rtmp
