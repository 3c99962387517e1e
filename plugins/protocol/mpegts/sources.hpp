// All streams that are received, and the thread that reads them.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "mpegts/source.hpp"
#include "mpegts/srt.hpp"
#include "mpegts/udp.hpp"
#include "mpegts/work.hpp"

namespace tapedeck::mpegts {

/// One thread reads all sockets by the clock and publishes what is in them; it sleeps while there are none.
class Sources {
public:
    /// What became of a startup: the source, or null and why not.
    using Started = std::function<void(const Source*, const Error*)>;

    explicit Sources(Context context);
    ~Sources() { stop(); }
    Sources(const Sources&) = delete;
    Sources& operator=(const Sources&) = delete;

    /// [control] Opens the fixed port of SRT where there is one. Throws Error naming it.
    void start();
    /// [control] Ends all streams and joins.
    void stop();
    /// [control] Values for what begins from now on. Throws Error naming a setting.
    void reload();

    /// [any] `host`: of the address that is told. `started` is called once, on any thread.
    void add(Request request, std::string host, const Started& started);
    std::vector<std::shared_ptr<Source>> find(const Filter& filter) const;  ///< [any]
    /// [any] Ends them; from then on they are not found.
    void remove(const std::vector<std::shared_ptr<Source>>& gone, const std::string& reason);
    Settings settings() const;  ///< [any]

private:
    void run();
    void turn(Time now);
    void open(Request request, std::string host, const Started& started);
    void publish(const std::shared_ptr<Source>& source, Source::Opened opened);
    std::unique_ptr<Input> bind(const Request& request, const Settings& now, std::uint16_t& port);
    std::unique_ptr<Input> bind_to(const Request& request, const Settings& now, std::uint16_t& port);
    void need_srt();
    void take_callers(Time now);
    void take(SrtCaller caller);

    const Context context_;
    const std::shared_ptr<Work> work_ = std::make_shared<Work>();

    mutable std::mutex mutex_;
    Settings settings_;
    std::vector<std::shared_ptr<Source>> sources_;

    // Of the thread, or of start and stop.
    UdpReader reader_;
    std::optional<SrtLibrary> srt_;
    std::unique_ptr<SrtListener> door_;  // the fixed port
    std::string door_uri_, door_refusal_;
    Time door_warned_{};
    std::uint32_t next_port_ = 0;
    bool is_stopping_ = false;
    Thread thread_;
};

}  // namespace tapedeck::mpegts
