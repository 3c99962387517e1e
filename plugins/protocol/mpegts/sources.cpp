#include "mpegts/sources.hpp"

#include <algorithm>
#include <utility>

namespace tapedeck::mpegts {
namespace {

constexpr Time warn_interval{1'000'000};

Time clock_now() {
    return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now().time_since_epoch());
}

std::string uri_of(Transport transport, const std::string& host, std::uint16_t port) {
    return std::string(name_of(transport)) + "://" + host + ":" + std::to_string(port);
}

}  // namespace

Sources::Sources(Context context) : context_(context), settings_(Settings::read(context)), reader_(context) {}

void Sources::start() {
    const auto now = settings();
    if (now.srt_port != 0) {
        need_srt();
        Address local = now.address;
        local.port = now.srt_port;
        door_ = std::make_unique<SrtListener>(local, SrtOptions{now.srt_passphrase, now.srt_latency, {}});
        const std::string host = now.public_address.empty() ? host_of(local.text()) : now.public_address;
        door_uri_ = uri_of(Transport::srt, host, door_->port());
        context_.listening("srt", door_->port());
    }
    thread_ = Thread(context_, "mpegts", [this](const std::stop_token&) { run(); });
}

void Sources::stop() {
    work_->close();
    thread_ = {};
    srt_.reset();
}

void Sources::reload() {
    auto fresh = Settings::read(context_);
    const std::lock_guard lock(mutex_);
    settings_ = std::move(fresh);
}

Settings Sources::settings() const {
    const std::lock_guard lock(mutex_);
    return settings_;
}

void Sources::run() {
    const auto interval = settings().read_interval;
    std::vector<Work::Piece> pieces;
    bool is_awake = door_ != nullptr, goes_on = true;
    for (auto next = clock_now(); goes_on;) {
        goes_on = work_->wait(pieces, std::max(next - clock_now(), Time{}), is_awake);
        is_stopping_ = !goes_on;
        for (const auto& piece : pieces) piece();
        const auto now = clock_now();
        if (now >= next) {
            turn(now);
            next = now + interval;
        }
        const std::lock_guard lock(mutex_);
        is_awake = door_ != nullptr || !sources_.empty();
    }
    for (const auto& source : find({})) source->end("the server stops", false);
    const std::lock_guard lock(mutex_);
    sources_.clear();
    door_.reset();
}

/// What fails in an unforeseen way is one stream's, and hurts no other.
void Sources::turn(Time now) {
    for (const auto& source : find({})) {
        try {
            source->turn(now);
        } catch (const std::exception& e) {
            source->end(e.what(), true);
        }
    }
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(sources_, [&](const auto& source) { return source->is_gone(now); });
    }
    if (door_ != nullptr) take_callers(now);
}

void Sources::add(Request request, std::string host, const Started& started) {
    const auto shared = std::make_shared<Request>(std::move(request));
    const bool is_taken = work_->post([this, shared, host = std::move(host), started]() mutable {
        open(std::move(*shared), std::move(host), started);
    });
    const Error stopped(TD_CANCELLED, "the server stops");
    if (!is_taken) started(nullptr, &stopped);
}

void Sources::open(Request request, std::string host, const Started& started) {
    try {
        const auto now = settings();
        if (is_stopping_) throw Error(TD_CANCELLED, "the server stops");
        if (!now.public_address.empty()) host = now.public_address;
        std::uint16_t port = 0;
        auto input = bind(request, now, port);
        auto uri = uri_of(request.transport, host, port);
        const auto source = std::make_shared<Source>(context_, std::move(request), std::move(input), std::move(uri));
        publish(source, [source = source.get(), started](const Error* error) {
            started(error == nullptr ? source : nullptr, error);
        });
    } catch (const Error& error) {
        started(nullptr, &error);
    } catch (const std::exception& failure) {
        const Error error(failure.what());
        started(nullptr, &error);
    }
}

/// Throws Error where there are too many.
void Sources::publish(const std::shared_ptr<Source>& source, Source::Opened opened) {
    {
        const std::lock_guard lock(mutex_);
        if (sources_.size() >= settings_.most)
            throw Error(TD_DENIED, "so many streams are taken already; setting 'protocol.mpegts.most' allows more");
        std::erase_if(sources_, [&](const auto& other) {
            return other->is_ended() && other->request().stream == source->request().stream;
        });
        sources_.push_back(source);
    }
    const auto post = [work = work_](Work::Piece piece) { return work->post(std::move(piece)); };
    source->open(post, std::move(opened));
}

std::unique_ptr<Input> Sources::bind(const Request& request, const Settings& now, std::uint16_t& port) {
    if (now.port_from == 0) return bind_to(request, now, port);
    const std::uint32_t count = now.port_to - now.port_from + 1u;
    std::string why = "RTP takes even ones";
    for (std::uint32_t tried = 0; tried < count; ++tried) {
        port = static_cast<std::uint16_t>(now.port_from + next_port_++ % count);
        if (request.transport == Transport::rtp && port % 2 != 0) continue;  // RFC 3550 section 11
        try {
            return bind_to(request, now, port);
        } catch (const Error& error) {
            if (error.status() == TD_UNSUPPORTED) throw;
            why = error.what();
        }
    }
    throw Error("no port is free from 'protocol.mpegts.media_port_from' = " + std::to_string(now.port_from) +
                " to 'protocol.mpegts.media_port_to' = " + std::to_string(now.port_to) + ": " + why);
}

std::unique_ptr<Input> Sources::bind_to(const Request& request, const Settings& now, std::uint16_t& port) {
    Address local = now.address;
    local.port = port;
    if (request.transport == Transport::srt) {
        need_srt();
        auto listener =
            std::make_unique<SrtListener>(local, SrtOptions{request.passphrase, now.srt_latency, request.allowed});
        port = listener->port();
        return std::make_unique<SrtInput>(std::move(listener));
    }
    const UdpInput::Options options{request.transport == Transport::rtp, now.reorder.count(), request.allowed};
    auto input = std::make_unique<UdpInput>(reader_, local, options);
    port = input->port();
    return input;
}

void Sources::need_srt() {
    if (!srt_) srt_.emplace();
}

void Sources::take_callers(Time now) {
    while (auto caller = door_->accept(door_refusal_)) take(std::move(*caller));
    if (door_refusal_.empty() || now - door_warned_ < warn_interval) return;
    context_.warning("SRT port " + std::to_string(door_->port()) + ": " + door_refusal_);
    door_refusal_.clear();
    door_warned_ = now;
}

void Sources::take(SrtCaller caller) {
    const auto from = caller.from.text();
    const auto refused = [context = context_, from](const Error& why) {
        context.warning("SRT caller " + from + " is refused: " + why.what());
    };
    try {
        auto request = parse_stream_id(caller.stream_id, settings());
        auto uri = door_uri_ + "?streamid=" + request.stream;
        const auto source = std::make_shared<Source>(context_, std::move(request),
                                                     std::make_unique<SrtInput>(std::move(caller)), std::move(uri));
        publish(source, [refused](const Error* error) {
            if (error != nullptr) refused(*error);
        });
    } catch (const Error& error) {
        refused(error);
    }
}

std::vector<std::shared_ptr<Source>> Sources::find(const Filter& filter) const {
    std::vector<std::shared_ptr<Source>> found;
    {
        const std::lock_guard lock(mutex_);
        found = sources_;
    }
    if (filter.is_empty()) return found;
    std::erase_if(found, [&](const auto& source) {
        return !filter.source.matches(source->uri(), source->request().stream, source->media_session()) ||
               (!filter.status.empty() && filter.status != source->shown().status);
    });
    return found;
}

void Sources::remove(const std::vector<std::shared_ptr<Source>>& gone, const std::string& reason) {
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(sources_, [&](const auto& source) { return std::ranges::find(gone, source) != gone.end(); });
    }
    for (const auto& source : gone) work_->post([source, reason] { source->end(reason, false); });
}

}  // namespace tapedeck::mpegts
