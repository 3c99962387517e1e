#include "publish_session.hpp"

#include <sys/epoll.h>

#include <algorithm>

#include "authentication.hpp"
#include "tapedeck/uuid.hpp"
#include "transport_header.hpp"
#include "url.hpp"

namespace tapedeck::rtsp {

Announced Announced::parse(std::string_view uri) {
    const auto scheme = uri.find("://");
    const auto slash = scheme == std::string_view::npos ? 0 : uri.find('/', scheme + 3);
    auto named = split_query(slash == std::string_view::npos ? std::string_view() : uri.substr(slash));
    auto path = percent_decode(named.name);
    while (!path.empty() && path.back() == '/') path.pop_back();
    while (!path.empty() && path.front() == '/') path.erase(0, 1);
    if (path.empty()) throw Error(TD_MALFORMED, "the address names no stream: rtsp://server/<application>/<stream>");
    Announced announced;
    const auto last = path.rfind('/');
    announced.stream = last == std::string::npos ? path : path.substr(last + 1);
    announced.application = last == std::string::npos ? "" : path.substr(0, last);
    announced.who = credentials(named.parameters);
    return announced;
}

PublishSession::PublishSession(Context context, Loop& loop, std::weak_ptr<Loop> self_loop, Settings settings,
                               Descriptor socket, std::shared_ptr<std::atomic<std::int64_t>> count)
    : context_(context),
      loop_(loop),
      self_loop_(std::move(self_loop)),
      settings_(settings),
      count_(std::move(count)),
      connection_(context, std::move(socket), nullptr),
      remote_(remote_address(connection_.descriptor()).text()),
      heard_us_(monotonic_us()) {}

PublishSession::~PublishSession() {
    --*count_;
}

void PublishSession::begin() {
    loop_.add(shared_from_this());
    watch();
}

void PublishSession::watch() {
    const auto events = connection_.flush() ? EPOLLIN : EPOLLIN | EPOLLOUT;
    loop_.watch(connection_.descriptor(), static_cast<std::uint32_t>(events), shared_from_this());
}

/// What goes wrong ends this connection and no other.
template <class Work>
void PublishSession::guarded(Work work) {
    try {
        work();
    } catch (const std::exception& e) {
        if (sink_)
            context_.info(printable(name_) + " from " + remote_ + ": " + printable(e.what()));
        else
            context_.debug(remote_ + ": " + printable(e.what()));  // port scanners and other strangers
        end(e.what());
    }
}

void PublishSession::ready(int descriptor, std::uint32_t events, std::int64_t now_us) {
    guarded([&] {
        looked_us_ = now_us;
        if (descriptor != connection_.descriptor()) {
            udp_->read(descriptor, [&](std::size_t track, bool is_rtcp, ByteSpan bytes, const Buffer& buffer) {
                is_rtcp ? reception_->rtcp(track, bytes, now_us) : reception_->rtp(track, bytes, buffer, now_us);
            });
            return give(now_us);
        }
        if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) {
            connection_.read(*this);
            give(now_us);
        }
        if (!is_over_) watch();
    });
}

bool PublishSession::message(const Message& request) {
    if (!request.is_request()) return true;
    const auto& method = request.method;
    if (waiting_) throw Error("another request before ANNOUNCE was answered");
    if (method == "OPTIONS")
        respond(request, 200, "OK",
                {{"Public", "OPTIONS, ANNOUNCE, SETUP, RECORD, TEARDOWN, GET_PARAMETER, SET_PARAMETER"}});
    else if (method == "GET_PARAMETER" || method == "SET_PARAMETER")
        respond(request, 200, "OK");
    else if (method == "ANNOUNCE")
        announce(request);
    else if (method == "SETUP")
        setup(request);
    else if (method == "RECORD")
        record(request);
    else if (method == "TEARDOWN") {
        respond(request, 200, "OK");
        give(looked_us_);
        end("the client ended it");
        return false;
    } else
        respond(request, 501, "Not Implemented: streams are published here, not played");
    return true;
}

void PublishSession::respond(const Message& request, int status, const std::string& reason,
                             const std::vector<std::pair<std::string, std::string>>& headers) {
    Message response;
    response.status = status;
    response.reason = reason;
    response.set("CSeq", printable(request.header("CSeq")));
    response.set("Server", "Tapedeck/" TAPEDECK_VERSION);
    if (!session_.empty()) response.set("Session", session_ + ";timeout=60");
    for (const auto& [name, value] : headers) response.set(name, value);
    connection_.send(write(response));
}

// ---- requests

void PublishSession::announce(const Message& request) {
    if (reception_ && sink_) return respond(request, 455, "Method Not Valid in This State");
    Announced announced;
    std::vector<std::string> left_out;
    try {
        announced = Announced::parse(request.uri);
        const auto description = sdp::parse(request.body);
        control_ = description.control;
        auto media = media_of(description, left_out);
        for (const auto& one : left_out) context_.info(remote_ + ": left out: " + printable(one));
        if (media.empty())
            return respond(request, 415,
                           "Unsupported Media Type: " + (left_out.empty() ? "no media" : printable(left_out.front())));
        channels_.assign(media.size(), std::nullopt);
        reception_.emplace(context_, std::move(media), settings_.jitter_us, false);
    } catch (const std::exception& e) {
        return respond(request, 400, "Bad Request: " + printable(e.what()));
    }
    base_ = request.uri;
    name_ = announced.stream;
    if (const auto login = basic_login(request.header("Authorization"))) {
        announced.who.login = login->first;
        announced.who.attributes.emplace_back("password", login->second);
    }
    has_login_ = !request.header("Authorization").empty() || !announced.who.login.empty();
    std::vector<td_attribute> attributes;
    if (const auto agent = request.header("User-Agent"); !agent.empty())
        announced.who.attributes.emplace_back("agent", agent);
    for (const auto& [key, value] : announced.who.attributes) attributes.push_back({text_of(key), text_of(value)});
    auto info = stream_info(announced.stream, "rtsp");
    const auto session = "/" + remote_ + "/" + local_address(connection_.descriptor()).text();
    info.session = text_of(session);
    info.remote = text_of(remote_);
    info.login = text_of(announced.who.login);
    info.application = text_of(announced.application);
    info.attributes = attributes.data();
    info.attribute_count = attributes.size();
    for (const auto& one : reception_->media()) info.expects |= 1u << one.kind;
    info.record = TD_RECORD_BY_RULES;
    if (settings_.record) info.record = TD_RECORD_YES;
    waiting_ = request;
    asked_us_ = looked_us_;
    voice_ = std::make_shared<Voice>(self_loop_, std::static_pointer_cast<StreamOwner>(shared_from_this()));
    publish(context_, info, voice_);
}

void PublishSession::opened(const Voice& voice, Sink sink) {
    if (is_over_ || &voice != voice_.get() || !waiting_)
        return sink.close("the client left before its stream was open");
    sink_ = sink;
    heard_us_ += monotonic_us() - asked_us_;
    session_ = make_uuid().substr(0, 8);
    guarded([&] {
        const auto request = *std::exchange(waiting_, std::nullopt);
        respond(request, 200, "OK");
        watch();
    });
}

void PublishSession::refused(const Voice& voice, const Error& why) {
    if (is_over_ || &voice != voice_.get() || !waiting_) return;
    voice_.reset();
    reception_.reset();
    heard_us_ += monotonic_us() - asked_us_;
    guarded([&] {
        const auto request = *std::exchange(waiting_, std::nullopt);
        if (why.status() == TD_DENIED && !has_login_ && !std::exchange(was_asked_for_login_, true)) {
            respond(request, 401, "Unauthorized", {{"WWW-Authenticate", "Basic realm=\"Tapedeck\""}});
            return watch();
        }
        const std::string text = why.status() == TD_EXISTS ? "Stream name is already in use" : why.what();
        context_.info(printable(name_) + " from " + remote_ + " is refused: " + text);
        respond(request, 403, "Forbidden: " + printable(text));
        watch();
    });
}

/// By the control attribute that the request's address ends with.
std::optional<std::size_t> PublishSession::track_of(std::string_view uri) const {
    const auto& media = reception_->media();
    for (std::size_t track = 0; track < media.size(); ++track) {
        const auto& control = media[track].control;
        if (!control.empty() && (uri == resolve(resolve(base_, control_), control) || uri == resolve(base_, control) ||
                                 uri.ends_with("/" + control)))
            return track;
    }
    if (media.size() == 1) return 0;
    return std::nullopt;
}

void PublishSession::setup(const Message& request) {
    if (!reception_ || !sink_) return respond(request, 455, "Method Not Valid in This State: ANNOUNCE comes first");
    if (is_recording_) return respond(request, 455, "Method Not Valid in This State: it records");
    const auto wanted = TransportHeader::parse(request.header("Transport"));
    if (!wanted || wanted->is_multicast || (!wanted->is_tcp && !wanted->client_port))
        return respond(request, 461, "Unsupported Transport");
    if (is_tcp_.value_or(wanted->is_tcp) != wanted->is_tcp)
        return respond(request, 461, "Unsupported Transport: all tracks come over one");
    const auto track = track_of(request.uri);
    if (track && channels_[*track])
        return respond(request, 455, "Method Not Valid in This State: it is set up already");
    auto answer = *wanted;
    answer.is_record = true;
    const auto first = static_cast<std::uint16_t>(track.value_or(63) * 2);  // of what is left out: nobody looks
    if (wanted->is_tcp) {
        if (!answer.interleaved) answer.interleaved = {first, static_cast<std::uint16_t>(first + 1)};
        if (track)
            channels_[*track] = {static_cast<std::uint8_t>(answer.interleaved->first & 0xff),
                                 static_cast<std::uint8_t>(answer.interleaved->second & 0xff)};
    } else {
        answer.server_port = track || !spare_ports_ ? receive_on_udp(track, *wanted->client_port) : *spare_ports_;
        if (track)
            channels_[*track] = {0, 0};
        else
            spare_ports_ = answer.server_port;
    }
    is_tcp_ = wanted->is_tcp;
    respond(request, 200, "OK", {{"Transport", answer.text()}});
}

/// The two ports. All tracks that are left out share a pair, which nobody listens to.
TransportHeader::Pair PublishSession::receive_on_udp(std::optional<std::size_t> track, TransportHeader::Pair theirs) {
    auto pair = UdpPair::bind(local_address(connection_.descriptor()), settings_.udp_port_from, settings_.udp_port_to);
    const TransportHeader::Pair ports(pair.port, static_cast<std::uint16_t>(pair.port + 1));
    if (!udp_) udp_ = std::make_unique<UdpTracks>(context_, loop_, weak_from_this());
    const auto number = track.value_or(channels_.size());
    udp_->add(number, std::move(pair));
    auto rtp = remote_address(connection_.descriptor()), rtcp = rtp;
    rtp.port(theirs.first);
    rtcp.port(theirs.second);
    udp_->peer(number, rtp, rtcp);
    return ports;
}

void PublishSession::record(const Message& request) {
    const bool is_set_up =
        std::any_of(channels_.begin(), channels_.end(), [](const auto& one) { return one.has_value(); });
    if (!sink_ || !is_set_up) return respond(request, 455, "Method Not Valid in This State: SETUP comes first");
    is_recording_ = true;
    heard_us_ = looked_us_;
    std::string codecs;
    for (const auto& one : reception_->media()) codecs += (codecs.empty() ? "" : " and ") + printable(one.codec);
    context_.info(printable(name_) + " from " + remote_ + " is " + codecs + " over " + (udp_ ? "UDP" : "TCP"));
    respond(request, 200, "OK");
}

// ---- media

void PublishSession::packet(std::uint8_t channel, ByteSpan packet, const Buffer& buffer) {
    if (!reception_ || udp_) return;
    for (std::size_t track = 0; track < channels_.size(); ++track) {
        if (!channels_[track]) continue;
        if (channels_[track]->first == channel) return reception_->rtp(track, packet, buffer, looked_us_);
        if (channels_[track]->second == channel) return reception_->rtcp(track, packet, looked_us_);
    }
}

void PublishSession::give(std::int64_t now_us) {
    if (!reception_ || !sink_ || is_cancelled_ || is_over_) return;
    heard_us_ = std::max(heard_us_, reception_->facts().last_packet_us);
    try {
        reception_->give(sink_, now_us);
    } catch (const Error& e) {
        if (e.status() != TD_CANCELLED) throw;
        is_cancelled_ = true;  // `kicked` tells why
    }
}

void PublishSession::report(std::int64_t now_us) {
    for (std::size_t track = 0; track < channels_.size(); ++track) {
        if (!channels_[track]) continue;
        const auto bytes = reception_->report(track, now_us);
        if (bytes.empty()) continue;
        if (udp_) {
            udp_->send_rtcp(track, bytes);
            continue;
        }
        std::string framed{'$', static_cast<char>(channels_[track]->second), static_cast<char>(bytes.size() >> 8),
                           static_cast<char>(bytes.size() & 0xff)};
        framed.append(bytes.begin(), bytes.end());
        connection_.send(framed);
        watch();
    }
}

void PublishSession::tick(std::int64_t now_us) {
    if (is_over_) return;
    guarded([&] {
        if (is_recording_) {
            give(now_us);
            if (!is_over_) report(now_us);
        }
        if (is_recording_ && now_us - heard_us_ > settings_.timeout_us) throw Error("Failed by RTP activity");
        if (!is_recording_ && !waiting_ && now_us - heard_us_ > settings_.connect_timeout_us)
            throw Error("it did not begin to publish in time; setting 'protocol.rtsp.connect_timeout'");
    });
}

void PublishSession::key_wanted(const Voice& voice) {
    if (&voice == voice_.get() && reception_) reception_->want_key();
}

void PublishSession::kicked(const Voice& voice, const std::string& why) {
    if (&voice == voice_.get()) end(why);
}

void PublishSession::end(const std::string& reason) {
    if (is_over_) return;
    const auto self = shared_from_this();
    is_over_ = true;
    try {
        if (reception_ && sink_ && !is_cancelled_) reception_->finish(sink_, monotonic_us());
    } catch (const std::exception& e) {
        context_.debug(remote_ + ": " + e.what());
    }
    udp_.reset();
    if (sink_) std::exchange(sink_, Sink()).close(reason);
    voice_.reset();
    loop_.remove(*this);
}

}  // namespace tapedeck::rtsp
