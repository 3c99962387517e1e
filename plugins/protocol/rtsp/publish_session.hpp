// One encoder that publishes: ANNOUNCE, SETUP, RECORD (RFC 2326 sections 10.3, 10.4, 10.11).
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "address/query.hpp"
#include "connection.hpp"
#include "loop.hpp"
#include "reception.hpp"
#include "settings.hpp"
#include "transport_header.hpp"
#include "udp_tracks.hpp"
#include "voice.hpp"

namespace tapedeck::rtsp {

/// Who publishes what, as the address of a request says it: rtsp://server/<application>/<stream>?user=..&pass=..
struct Announced {
    std::string application, stream;
    Credentials who;

    /// Throws Error where no stream is named.
    static Announced parse(std::string_view uri);
};

/// Lives on a loop. Over TCP or UDP, as the encoder sets it up. A login that access rules want is asked for by Basic,
/// unless the address has it.
class PublishSession : public Member,
                       public StreamOwner,
                       public std::enable_shared_from_this<PublishSession>,
                       private Incoming {
public:
    /// `count` is one less when it is over.
    PublishSession(Context context, Loop& loop, std::weak_ptr<Loop> self_loop, Settings settings, Descriptor socket,
                   std::shared_ptr<std::atomic<std::int64_t>> count);
    ~PublishSession() override;

    /// On the loop.
    void begin();

    void ready(int descriptor, std::uint32_t events, std::int64_t now_us) override;
    void tick(std::int64_t now_us) override;
    void end(const std::string& reason) override;

    void opened(const Voice& voice, Sink sink) override;
    void refused(const Voice& voice, const Error& why) override;
    void kicked(const Voice& voice, const std::string& why) override;
    void demanded(const Voice&, std::int64_t) override {}
    void key_wanted(const Voice& voice) override;

private:
    bool message(const Message& request) override;
    void packet(std::uint8_t channel, ByteSpan packet, const Buffer& buffer) override;

    void announce(const Message& request);
    void setup(const Message& request);
    TransportHeader::Pair receive_on_udp(std::optional<std::size_t> track, TransportHeader::Pair theirs);
    void record(const Message& request);
    void respond(const Message& request, int status, const std::string& reason,
                 const std::vector<std::pair<std::string, std::string>>& headers = {});
    std::optional<std::size_t> track_of(std::string_view uri) const;
    void give(std::int64_t now_us);
    void report(std::int64_t now_us);
    void watch();
    template <class Work>
    void guarded(Work work);

    Context context_;
    Loop& loop_;
    std::weak_ptr<Loop> self_loop_;
    Settings settings_;
    std::shared_ptr<std::atomic<std::int64_t>> count_;
    Connection connection_;
    std::string remote_, session_, base_;
    std::optional<bool> is_tcp_;  // once a track is set up
    std::unique_ptr<UdpTracks> udp_;
    std::optional<TransportHeader::Pair> spare_ports_;
    std::optional<Reception> reception_;
    std::vector<std::optional<std::pair<std::uint8_t, std::uint8_t>>> channels_;  // of each track; of UDP 0, 0
    std::string control_;
    std::optional<Message> waiting_;  // an ANNOUNCE that the host thinks about
    bool was_asked_for_login_ = false, has_login_ = false;
    std::shared_ptr<Voice> voice_;
    Sink sink_;
    std::string name_;
    bool is_recording_ = false, is_over_ = false, is_cancelled_ = false;
    std::int64_t heard_us_ = 0;  // media; until then when it came, and how long the host thought about it
    std::int64_t looked_us_ = 0, asked_us_ = 0;
};

}  // namespace tapedeck::rtsp
