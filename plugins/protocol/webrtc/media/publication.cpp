#include "webrtc/media/publication.hpp"

#include <algorithm>

namespace tapedeck::webrtc {

namespace {

constexpr std::int64_t work_interval_us = 10'000, arrivals_interval_us = 50'000,
                       receiver_report_interval_us = 1'000'000;
constexpr double noteworthy = 0.97;          // a fall below this share is told at once
constexpr std::uint32_t message_track = 32;  // behind all that an SDP can have: the same when a page comes back
constexpr std::size_t full_rtcp = 800;       // bytes after which a packet goes out

rtp::ReceiverSetup setup_of(const sdp::Chosen& chosen, std::uint32_t track, const MediaSettings& settings) {
    const auto& codec = chosen.codec;
    rtp::ReceiverSetup setup;
    setup.track = track;
    setup.codec = chosen.id;
    setup.clock = codec.clock;
    // The answer gives `stereo` back, which asks the sender for it (RFC 7587 section 6.1).
    const auto says = [&](std::string_view name) { return codec.parameter(name).value_or("0") == "1"; };
    setup.channels = says("sprop-stereo") || says("stereo") ? 2 : 1;
    setup.payload_type = codec.payload_type;
    if (chosen.rtx) setup.rtx = chosen.rtx->payload_type;
    if (chosen.red) setup.red = chosen.red->payload_type;
    if (chosen.red_rtx) setup.red_rtx = chosen.red_rtx->payload_type;
    if (chosen.ulpfec) setup.ulpfec = chosen.ulpfec->payload_type;
    setup.parameter_sets = sdp::parameter_sets(codec);
    setup.has_nack = codec.has_feedback("nack");
    setup.has_pli = codec.has_feedback("nack pli");
    setup.has_fir = codec.has_feedback("ccm fir");
    setup.key_interval_us = settings.key_interval_us;
    setup.jitter = settings.jitter;
    setup.unix_offset_us = unix_offset_us();
    return setup;
}

}  // namespace

Publication::Publication(std::shared_ptr<Core> core, SessionRequest request, std::shared_ptr<SessionEvents> events)
    : Session(std::move(core), std::move(request), std::move(events)), batch_(core_->context) {}

void Publication::ask(const td_stream_info& info) {
    for (std::size_t i = 0; i < choices_.size(); ++i) {
        const auto& choice = choices_[i];
        if (choice.is_data) sctp_port_ = offer_.lines[i].sctp_port;
        if (choice.codecs.empty()) continue;
        const auto& chosen = choice.codecs.front();
        receivers_.emplace_back(core_->context,
                                setup_of(chosen, static_cast<std::uint32_t>(receivers_.size()), core_->settings));
        if (choice.transport_cc) transport_cc_ = choice.transport_cc;
        if (choice.send_time) send_time_ = choice.send_time;
        has_remb_ = has_remb_ || chosen.codec.has_feedback("goog-remb");
        has_reduced_size_ = has_reduced_size_ && offer_.lines[i].has_reduced_size;
    }
    if (has_remb_ && !transport_cc_) {
        rtp::Bandwidth::Limits limits;
        limits.most = static_cast<double>(core_->settings.largest_bitrate);
        limits.start = std::min(limits.start, limits.most);
        limits.least = std::min(limits.least, limits.most);
        bandwidth_.emplace(limits);
    }
    own_ssrc_ = static_cast<std::uint32_t>(id_) | 1;
    publish(core_->context, info, std::static_pointer_cast<Publication>(shared_from_this()));
}

void Publication::opened(Sink sink) {
    sink_ = sink;
    if (!join()) sink_.close(reason());
}

void Publication::refused(const Error& reason) {
    if (reason.status() == TD_EXISTS)
        stop(true, "Stream name is already in use");
    else
        stop(true, reason.status() == TD_DENIED ? "Restricted access" : "Failed by error");
}

void Publication::request_key(std::uint32_t track) {
    with_peer([self = std::static_pointer_cast<Publication>(shared_from_this()), track](Peer&) {
        if (track < self->receivers_.size()) self->receivers_[track].want_key();
        self->work(monotonic_us());
    });
}

void Publication::released(const td_recording* recording) {
    over(recording == nullptr ? std::string() : std::string(view(recording->name)));
}

void Publication::connected(Peer& peer) {
    Session::connected(peer);
    if (!sctp_port_) return;
    try {
        channels_ = std::make_unique<DataChannels>(
            *sctp_port_, [this](ByteSpan datagram) { peer_->send_data(datagram); },
            [this](const ChannelMessage& message) { take(message); });
    } catch (const Error& e) {
        return core_->context.error(std::string("there are no data channels: ") + e.what());
    }
    channels_->begin(Time(monotonic_us()));
}

void Publication::leave(const std::string& reason) {
    channels_.reset();
    try {
        for (auto& receiver : receivers_) receiver.finish(monotonic_us(), batch_);
        give();
    } catch (const std::exception& e) {  // the stream is given back all the same
        core_->context.error(std::string("the last packets of a stream are lost: ") + e.what());
    }
    sink_.close(reason);
}

/// By payload type, and by SSRC where that was not agreed upon.
rtp::Receiver* Publication::receiver_of(const rtp::Packet& packet) {
    const auto found = std::find_if(receivers_.begin(), receivers_.end(),
                                    [&](const rtp::Receiver& one) { return one.takes(packet.payload_type); });
    if (found != receivers_.end()) return &*found;
    const auto known = std::find_if(receivers_.begin(), receivers_.end(),
                                    [&](const rtp::Receiver& one) { return one.knows(packet.ssrc); });
    return known == receivers_.end() ? nullptr : &*known;
}

void Publication::rtp(const Arrival& arrival) {
    const auto now_us = arrival.at.count();
    rtp::Packet packet;
    try {
        packet = rtp::parse_packet(arrival.packet);
    } catch (const Malformed&) {
        return;
    }
    last_rtp_us_ = now_us;
    if (transport_cc_) {
        const auto number = rtp::extension(packet, *transport_cc_);
        if (number && number->size() == 2)
            arrivals_.arrived(static_cast<std::uint16_t>((*number)[0] << 8 | (*number)[1]), now_us);
    }
    auto* receiver = receiver_of(packet);
    if (receiver == nullptr) return;
    if (bandwidth_) measure(packet, *receiver, now_us);
    receiver->rtp(packet, arrival.keep(), now_us, batch_);
    if (packet.marker || now_us - last_work_us_ >= work_interval_us)
        work(now_us);
    else
        come_back();
}

/// By abs-send-time (6.18 fixed point seconds), else by the timestamps of pictures.
void Publication::measure(const rtp::Packet& packet, const rtp::Receiver& receiver, std::int64_t now_us) {
    std::int64_t sent_us = 0;
    if (send_time_) {
        const auto sent = rtp::extension(packet, *send_time_);
        if (!sent || sent->size() != 3) return;
        sent_us =
            send_times_(std::uint32_t{(*sent)[0]} << 16 | std::uint32_t{(*sent)[1]} << 8 | (*sent)[2]) * 1'000'000 >>
            18;
    } else {
        if (receiver.clock() != 90'000) return;
        sent_us = timestamps_(packet.timestamp) * 100 / 9;
    }
    bandwidth_->packet(sent_us, now_us, packet.whole.size());
}

void Publication::rtcp(const Arrival& arrival) {
    std::vector<rtp::Message> messages;
    try {
        messages = rtp::parse_rtcp(arrival.packet);
    } catch (const Malformed&) {
        return;
    }
    for (const auto& message : messages) {
        const auto* report = std::get_if<rtp::Report>(&message);
        if (report == nullptr || !report->sender) continue;
        for (auto& receiver : receivers_)
            if (receiver.ssrc() == report->ssrc) receiver.sender_report(*report->sender, arrival.at.count());
    }
}

void Publication::data(ByteSpan bytes, Time at) {
    if (!channels_) return;
    channels_->receive(bytes, at);
    give();
}

void Publication::take(const ChannelMessage& message) {
    if (!messages_) {
        messages_.emplace(core_->context, message_track, message.channel);
        batch_.track(messages_->track());
    }
    batch_.packet(messages_->packet(message, monotonic_us()).packet);
}

void Publication::ticked(Time now) {
    const auto now_us = now.count();
    if (channels_) channels_->tick(now);
    if (last_rtp_us_ == 0) last_rtp_us_ = now_us;
    const auto most = core_->settings.activity_us;
    if (most != 0 && now_us - last_rtp_us_ >= most) return stop(true, "Failed by RTP activity");
    work(now_us);
}

void Publication::work(std::int64_t now_us) {
    last_work_us_ = now_us;
    for (auto& receiver : receivers_) receiver.drain(now_us, batch_);
    give();
    send_feedback(now_us);
    come_back();
}

/// Where packets wait, for others or for their time to be given up, this is looked at again before the next tick.
void Publication::come_back() {
    const bool holds =
        std::any_of(receivers_.begin(), receivers_.end(), [](const rtp::Receiver& one) { return one.holds(); });
    if (holds && peer_ != nullptr) peer_->tick_soon();
}

void Publication::give() {
    try {
        batch_.give(sink_);
    } catch (const Error& e) {
        if (e.status() == TD_CANCELLED) return;  // `kick` tells why
        core_->context.error(std::string("a stream takes no more: ") + e.what());
        stop(true, "Failed by error");
    }
}

void Publication::send_feedback(std::int64_t now_us) {
    if (now_us - last_report_us_ >= receiver_report_interval_us)
        append_report(now_us);
    else if (bandwidth_ && bandwidth_->rate() < told_rate_ * noteworthy)
        append_limit();
    for (auto& receiver : receivers_) {
        receiver.feedback(rtcp_, own_ssrc_, now_us);
        if (rtcp_.size() >= full_rtcp) send();
    }
    if (now_us - last_arrivals_us_ >= arrivals_interval_us && !arrivals_.empty()) {
        last_arrivals_us_ = now_us;
        const auto media = receivers_.back().ssrc().value_or(receivers_.front().ssrc().value_or(0));
        if (rtcp_.size() >= full_rtcp / 2) send();
        arrivals_.append(rtcp_, own_ssrc_, media);
    }
    send();
}

void Publication::append_report(std::int64_t now_us) {
    last_report_us_ = now_us;
    rtp::Report report;
    report.ssrc = own_ssrc_;
    for (auto& receiver : receivers_)
        if (const auto block = receiver.report(now_us)) report.blocks.push_back(*block);
    rtp::append(rtcp_, report);
    rtp::append(rtcp_, rtp::SourceName{own_ssrc_, stream_name_});
    if (!bandwidth_) return;
    std::uint8_t worst = 0;
    for (const auto& block : report.blocks) worst = std::max(worst, block.fraction_lost);
    bandwidth_->loss(worst);
    append_limit();
}

void Publication::append_limit() {
    std::vector<std::uint32_t> ssrcs;
    for (const auto& receiver : receivers_)
        if (receiver.ssrc()) ssrcs.push_back(*receiver.ssrc());
    told_rate_ = bandwidth_->rate();
    if (!ssrcs.empty()) rtp::append(rtcp_, rtp::BitrateLimit{own_ssrc_, static_cast<std::uint64_t>(told_rate_), ssrcs});
}

/// A compound begins with a report unless the client takes less (RFC 5506).
void Publication::send() {
    if (rtcp_.empty()) return;
    if (!has_reduced_size_ && rtcp_[1] != 201) {
        Bytes compound;
        rtp::append(compound, rtp::Report{own_ssrc_, std::nullopt, {}});
        rtp::append(compound, rtp::SourceName{own_ssrc_, stream_name_});
        rtcp_.insert(rtcp_.begin(), compound.begin(), compound.end());
    }
    if (peer_ != nullptr) peer_->send_rtcp(rtcp_);
    rtcp_.clear();
}

}  // namespace tapedeck::webrtc
