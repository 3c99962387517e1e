// Tracks, packets and the ways into a stream and out of it.
#pragma once

#include <array>
#include <cstdint>
#include <future>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tapedeck/abi.h"
#include "tapedeck/context.hpp"

namespace tapedeck {

/// A td_track that owns its config.
class Track {
public:
    Track(std::uint32_t kind, std::uint32_t codec, td_rational time_base, std::uint32_t index = 0) {
        track.size = sizeof track;
        track.kind = kind;
        track.codec = codec;
        track.time_base = time_base;
        track.index = index;
    }
    /// A copy that outlives the original.
    explicit Track(const td_track& other) : track(other), label_(view(other.label)), language_(view(other.language)) {
        if (other.config.size != 0) config_.assign(other.config.data, other.config.data + other.config.size);
        point();
    }
    Track(const Track& other) : Track(static_cast<const td_track&>(other)) {}
    Track& operator=(const Track& other) {
        track = other.track;
        config_ = other.config_;
        label_ = other.label_;
        language_ = other.language_;
        point();
        return *this;
    }

    void config(std::span<const std::uint8_t> bytes) {
        config_.assign(bytes.begin(), bytes.end());
        point();
    }
    std::span<const std::uint8_t> config() const { return config_; }
    operator const td_track&() const { return track; }

    td_track track{};

private:
    void point() {
        track.config = {config_.data(), config_.size()};
        track.label = text_of(label_);
        track.language = text_of(language_);
    }
    std::vector<std::uint8_t> config_;
    std::string label_, language_;
};

/// A packet with a payload of its own.
class OwnedPacket {
public:
    OwnedPacket(const Context& context, std::uint32_t track, std::span<const std::uint8_t> payload,
                std::int64_t pts = TD_NO_TIME, std::uint32_t flags = TD_PACKET_KEY)
        : buffer_(context.buffer(payload.size())) {
        if (!payload.empty()) std::memcpy(buffer_.data(), payload.data(), payload.size());
        packet.size = sizeof packet;
        packet.track = track;
        packet.flags = flags;
        packet.data_size = static_cast<std::uint32_t>(payload.size());
        packet.pts = pts;
        packet.dts = packet.duration = packet.wallclock_us = TD_NO_TIME;
        packet.data = buffer_.data();
        packet.buffer = buffer_.get();
    }

    td_packet packet{};

private:
    Buffer buffer_;
};

/// Where tracks and packets go. A plain handle: copies speak of the same stream. One thread at a time.
class Sink {
public:
    explicit Sink(td_sink* sink = nullptr) : sink_(sink) {}
    void track(const td_track& track) const { call(sink_->table->track, sink_, &track); }
    /// Throws Error(TD_CANCELLED) once the stream was kicked. False: all were taken, but a source that runs ahead of
    /// real time, as a file does, should give nothing more until an empty batch, tried every few milliseconds, is true.
    bool packets(std::span<const td_packet* const> batch) const {
        return call(sink_->table->packets, sink_, batch.data(), batch.size()) != TD_AGAIN;
    }
    bool packet(const td_packet& packet) const { return packets(std::array{&packet}); }
    void set(std::string_view key, std::string_view value) const {
        sink_->table->set(sink_, text_of(key), text_of(value));
    }
    /// The end; the sink must not be used after it.
    void close(std::string_view reason) const { sink_->table->close(sink_, text_of(reason)); }
    explicit operator bool() const { return sink_ != nullptr; }

private:
    td_sink* sink_;
};

/// What a publisher is told, on threads of the host: return at once. Kept alive by the host until `released` came.
class Publisher {
public:
    virtual ~Publisher() = default;
    virtual void opened(Sink sink) = 0;
    /// Instead of `opened`: TD_DENIED, TD_EXISTS, TD_CANCELLED.
    virtual void refused(const Error& reason) = 0;
    virtual void request_key(std::uint32_t /*track*/) {}
    virtual void demand(std::chrono::microseconds /*delay*/) {}
    virtual void kick(std::string_view /*reason*/) {}
    /// The last call, always; `recording` is null when nothing was recorded.
    virtual void released(const td_recording* /*recording*/) {}
};

/// A viewer's end of a stream. A plain handle: copies speak of the same one. One thread at a time, but for
/// `request_key`.
class Subscription {
public:
    explicit Subscription(td_subscription* subscription = nullptr) : subscription_(subscription) {}
    /// Everything that has come since the last call; valid until the next one or `close`. See td_subscription_table.
    std::span<const td_packet* const> read() const {
        const td_packet* const* batch = nullptr;
        const std::size_t count = subscription_->table->read(subscription_, &batch);
        return {batch, count};
    }
    /// Any thread.
    void request_key(std::uint32_t track) const { subscription_->table->request_key(subscription_, track); }
    /// The end, needed after `ended` too; the subscription must not be used after it.
    void close() const { subscription_->table->close(subscription_); }
    explicit operator bool() const { return subscription_ != nullptr; }

private:
    td_subscription* subscription_;
};

/// What a viewer is told, on threads of the host: return at once, post, do not call back from inside. Kept alive by the
/// host until `released` came.
class Subscriber {
public:
    virtual ~Subscriber() = default;
    virtual void opened(Subscription subscription) = 0;
    /// Instead of `opened`: TD_DENIED, TD_NOT_FOUND, TD_EXISTS, TD_UNSUPPORTED, TD_CANCELLED.
    virtual void refused(const Error& reason) = 0;
    /// Something waits: once, until the next `read`. On the thread that brings it; also at the same time as `ended`.
    virtual void ready() = 0;
    /// The client gets the reason. Close the subscription soon.
    virtual void ended(std::string_view reason) = 0;
    /// The last call, always.
    virtual void released() {}
};

namespace detail {

struct PublisherSelf {
    Context context;
    std::shared_ptr<Publisher> publisher;

    template <class Body>
    void run(Body body) noexcept {
        td_error error = empty_error();
        if (guard(&error, [&] { body(*publisher); }) < 0) context.error(std::string("publisher: ") + error.text);
    }
    static PublisherSelf& of(void* self) { return *static_cast<PublisherSelf*>(self); }
};

inline const td_publisher publisher_table{
    sizeof(td_publisher),
    0,
    [](void* self, td_sink* sink, const td_error* error) {
        PublisherSelf::of(self).run([&](Publisher& p) {
            if (sink != nullptr) {
                p.opened(Sink(sink));
            } else {
                p.refused(Error(*error));
            }
        });
    },
    [](void* self, std::uint32_t track) { PublisherSelf::of(self).run([&](Publisher& p) { p.request_key(track); }); },
    [](void* self, std::int64_t delay_us) {
        PublisherSelf::of(self).run([&](Publisher& p) { p.demand(std::chrono::microseconds(delay_us)); });
    },
    [](void* self, td_text reason) { PublisherSelf::of(self).run([&](Publisher& p) { p.kick(view(reason)); }); },
    [](void* self, const td_recording* recording) {
        const std::unique_ptr<PublisherSelf> last(static_cast<PublisherSelf*>(self));
        last->run([&](Publisher& p) { p.released(recording); });
    }};

struct SubscriberSelf {
    Context context;
    std::shared_ptr<Subscriber> subscriber;

    template <class Body>
    void run(Body body) noexcept {
        td_error error = empty_error();
        if (guard(&error, [&] { body(*subscriber); }) < 0) context.error(std::string("subscriber: ") + error.text);
    }
    static SubscriberSelf& of(void* self) { return *static_cast<SubscriberSelf*>(self); }
};

inline const td_subscriber subscriber_table{
    sizeof(td_subscriber),
    0,
    [](void* self, td_subscription* subscription, const td_error* error) {
        SubscriberSelf::of(self).run([&](Subscriber& s) {
            if (subscription != nullptr) {
                s.opened(Subscription(subscription));
            } else {
                s.refused(Error(*error));
            }
        });
    },
    [](void* self) { SubscriberSelf::of(self).run([](Subscriber& s) { s.ready(); }); },
    [](void* self, td_text reason) { SubscriberSelf::of(self).run([&](Subscriber& s) { s.ended(view(reason)); }); },
    [](void* self) {
        const std::unique_ptr<SubscriberSelf> last(static_cast<SubscriberSelf*>(self));
        last->run([](Subscriber& s) { s.released(); });
    }};

/// Waits for the answer of `publish`.
class WaitingPublisher : public Publisher {
public:
    void opened(Sink sink) override { answer_.set_value(sink); }
    void refused(const Error& reason) override { answer_.set_exception(std::make_exception_ptr(reason)); }
    Sink wait() { return answer_.get_future().get(); }

private:
    std::promise<Sink> answer_;
};

}  // namespace detail

/// Asks for a stream; the answer comes to `publisher`, on a thread of the host.
inline void publish(const Context& context, const td_stream_info& info, std::shared_ptr<Publisher> publisher) {
    const auto* streams = context.service<td_streams>(TD_STREAMS);
    if (streams == nullptr) throw Error(TD_UNSUPPORTED, "this host has no streams");
    auto* self = new detail::PublisherSelf{context, std::move(publisher)};
    streams->publish(context.get(), &info, &detail::publisher_table, self);
}

/// A td_stream_info with its required members.
inline td_stream_info stream_info(std::string_view name, std::string_view protocol) {
    td_stream_info info{};
    info.size = sizeof info;
    info.name = text_of(name);
    info.protocol = text_of(protocol);
    return info;
}

/// Asks to play the stream `info.name`; the answer comes to `subscriber`, on a thread of the host.
inline void subscribe(const Context& context, const td_stream_info& info, std::shared_ptr<Subscriber> subscriber) {
    const auto* streams = context.service<td_streams>(TD_STREAMS);
    if (streams == nullptr) throw Error(TD_UNSUPPORTED, "this host has no streams");
    auto* self = new detail::SubscriberSelf{context, std::move(subscriber)};
    streams->subscribe(context.get(), &info, &detail::subscriber_table, self);
}

/// Whether a stream of this name is there to be played: something of it has come.
inline bool is_published(const Context& context, std::string_view name) {
    const auto* streams = context.service<td_streams>(TD_STREAMS);
    return streams != nullptr && streams->find(context.get(), text_of(name)) == TD_OK;
}

/// Asks for a stream and waits; throws when it is refused. Only on a thread of the plugin.
inline Sink publish(const Context& context, std::string_view name, std::string_view protocol) {
    auto waiting = std::make_shared<detail::WaitingPublisher>();
    publish(context, stream_info(name, protocol), waiting);
    return waiting->wait();
}

}  // namespace tapedeck
