// What a source is received by.
#pragma once

#include <chrono>
#include <string>

#include "tapedeck/media/bytes.hpp"

namespace tapedeck::mpegts {

/// Of the monotonic clock.
using Time = std::chrono::microseconds;

class InputOut {
public:
    virtual ~InputOut() = default;
    /// Of the transport stream, in order.
    virtual void bytes(ByteSpan bytes) = 0;
    /// Something is missing before what comes next, or another sender begins.
    virtual void lost() = 0;
};

/// Used on the loop's thread.
class Input {
public:
    virtual ~Input() = default;
    /// Everything that waits; never waits itself.
    virtual void read(InputOut& out, Time now) = 0;
    /// Who sends, or empty.
    virtual std::string sender() const = 0;
    /// Who was refused last and why, for people; empty since a sender was taken.
    virtual const std::string& refusal() const = 0;
    /// Nothing can come any more.
    virtual bool is_over() const { return false; }
};

}  // namespace tapedeck::mpegts
