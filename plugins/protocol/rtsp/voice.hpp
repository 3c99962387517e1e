// The host's answers to one publication, carried to the loop where its owner lives.
#pragma once

#include <memory>
#include <string>

#include "loop.hpp"
#include "tapedeck/stream.hpp"

namespace tapedeck::rtsp {

class Voice;

/// Who publishes. On its loop.
class StreamOwner {
public:
    virtual ~StreamOwner() = default;
    virtual void opened(const Voice& voice, Sink sink) = 0;
    virtual void refused(const Voice& voice, const Error& why) = 0;
    virtual void kicked(const Voice& voice, const std::string& why) = 0;
    virtual void demanded(const Voice& voice, std::int64_t delay_us) = 0;
    virtual void key_wanted(const Voice& voice) = 0;
};

/// Kept by the host until the stream is released; holds neither the loop nor the owner.
class Voice : public Publisher, public std::enable_shared_from_this<Voice> {
public:
    Voice(std::weak_ptr<Loop> loop, std::weak_ptr<StreamOwner> owner)
        : loop_(std::move(loop)), owner_(std::move(owner)) {}

    void opened(Sink sink) override {
        const bool is_told = tell([sink](StreamOwner& owner, const Voice& self) { owner.opened(self, sink); },
                                  [sink] { sink.close("its source has gone"); });
        if (!is_told) sink.close("the server stops");
    }
    void refused(const Error& reason) override {
        tell([reason](StreamOwner& owner, const Voice& self) { owner.refused(self, reason); });
    }
    void kick(std::string_view reason) override {
        tell([why = std::string(reason)](StreamOwner& owner, const Voice& self) { owner.kicked(self, why); });
    }
    void demand(std::chrono::microseconds delay) override {
        tell([delay](StreamOwner& owner, const Voice& self) { owner.demanded(self, delay.count()); });
    }
    void request_key(std::uint32_t) override {
        tell([](StreamOwner& owner, const Voice& self) { owner.key_wanted(self); });
    }

private:
    template <class Call>
    bool tell(Call call, std::function<void()> otherwise = {}) {
        const auto loop = loop_.lock();
        return loop != nullptr &&
               loop->post([self = shared_from_this(), call = std::move(call), otherwise = std::move(otherwise)] {
                   if (const auto owner = self->owner_.lock())
                       call(*owner, *self);
                   else if (otherwise)
                       otherwise();
               });
    }

    std::weak_ptr<Loop> loop_;
    std::weak_ptr<StreamOwner> owner_;
};

}  // namespace tapedeck::rtsp
