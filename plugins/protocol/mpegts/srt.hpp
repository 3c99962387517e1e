// SRT (draft-sharabayko-srt) by libsrt, which is loaded when the first stream needs it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "mpegts/address.hpp"
#include "mpegts/input.hpp"

namespace tapedeck::mpegts {

/// libsrt's own start and end; its threads live in between. Throws Error (TD_UNSUPPORTED) where it is not installed.
class SrtLibrary {
public:
    SrtLibrary();
    ~SrtLibrary();
    SrtLibrary(const SrtLibrary&) = delete;
    SrtLibrary& operator=(const SrtLibrary&) = delete;
};

/// A socket of libsrt; closes it.
class SrtSocket {
public:
    explicit SrtSocket(int number) : number_(number) {}
    ~SrtSocket();
    SrtSocket(SrtSocket&& other) noexcept;
    SrtSocket& operator=(SrtSocket&& other) noexcept;
    int get() const { return number_; }

private:
    int number_;
};

/// One caller.
struct SrtCaller {
    SrtSocket socket;
    Address from;
    std::string stream_id;
};

struct SrtOptions {
    std::string passphrase;  ///< 10 to 79 bytes; empty: no encryption
    std::chrono::milliseconds latency{120};
    Networks allowed;
};

/// Takes callers on a port. What it refuses it says. One thread; none of its calls waits.
class SrtListener {
public:
    /// Throws Error naming the address.
    SrtListener(const Address& local, SrtOptions options);
    /// The next caller who may send. `refusal` is why one before it may not.
    std::optional<SrtCaller> accept(std::string& refusal);
    std::uint16_t port() const { return port_; }

private:
    std::string judge(const SrtCaller& caller) const;

    const SrtOptions options_;
    SrtSocket socket_;
    std::uint16_t port_ = 0;
};

/// One stream over SRT: of whoever calls its listener, one at a time, or of one caller. What libsrt holds
/// back of a caller who hung up, for its latency, is still read. One thread.
class SrtInput : public Input {
public:
    explicit SrtInput(std::unique_ptr<SrtListener> listener) : listener_(std::move(listener)) {}
    explicit SrtInput(SrtCaller caller) : caller_(std::move(caller)) {}

    void read(InputOut& out, Time now) override;
    std::string sender() const override { return caller_ ? caller_->from.text() : std::string(); }
    const std::string& refusal() const override { return refusal_; }
    bool is_over() const override { return listener_ == nullptr && !caller_; }

private:
    void accept(InputOut& out, Time now);
    void receive(InputOut& out, Time now);

    std::unique_ptr<SrtListener> listener_;
    std::optional<SrtCaller> caller_;
    std::optional<Time> hung_up_;        // when the caller did
    std::optional<std::uint32_t> next_;  // packet number
    std::string refusal_;
};

}  // namespace tapedeck::mpegts
