#include "connection.hpp"

#include <algorithm>
#include <utility>

#include "publication.hpp"

namespace tapedeck::rtmp {

namespace {

constexpr auto linger = std::chrono::seconds(2);
constexpr int rounds_by_event = 4, rounds_by_clock = 16;
constexpr auto pause = std::chrono::milliseconds(2);
constexpr std::size_t longest_output = 256u << 10;
constexpr std::size_t worth_a_buffer = 4u << 10, most_of_a_read = 1u << 20;

bool is_media(MessageType type) {
    return type == MessageType::video || type == MessageType::audio || type == MessageType::aggregate;
}

}  // namespace

Connection::Connection(Shared& shared, IoThread& thread, std::shared_ptr<const Settings> settings,
                       Transport::Socket socket, std::shared_ptr<TlsContext> tls, const std::string& server)
    : shared_(shared),
      thread_(thread),
      settings_(std::move(settings)),
      transport_(std::move(socket), std::move(tls), server),
      session_id_("/" + transport_.remote() + "/" + transport_.local() + "-" +
                  std::to_string(++shared.connections_ever)),
      last_heard_(Clock::now()),
      begun_(Clock::now()),
      chunks_(settings_->limits),
      pause_(thread.context()) {}

Connection::~Connection() = default;

void Connection::begin() {
    thread_.add(shared_from_this());
    if (!transport_.is_ready()) read(1);  // TLS, where a client says the first word
    wait_for_bytes();
}

// ---- bytes

void Connection::wait_for_bytes() {
    if (is_waiting_ || is_timed_ || is_closed_ || waits()) return;
    is_waiting_ = true;
    if (is_behind_) {
        pause_.expires_after(pause);
        pause_.async_wait([self = shared_from_this()](auto) {
            self->is_waiting_ = false;
            self->ask_to_go_on();
            self->wait_for_bytes();
        });
        return;
    }
    transport_.wait_readable([self = shared_from_this()](bool ready) {
        self->is_waiting_ = false;
        if (ready && !self->is_closed_ && !self->is_timed_) self->read(rounds_by_event);
        self->wait_for_bytes();
    });
}

std::size_t Connection::timed_read() {
    if (is_behind_) ask_to_go_on();
    if (is_behind_) return thread_.read_buffer().size();  // as much as that may wait: come again soon
    return read(rounds_by_clock);
}

/// After the host asked for a pause: whether it is over.
void Connection::ask_to_go_on() {
    last_heard_ = Clock::now();  // the client is not the silent one
    is_behind_ = false;
    if (!is_closed_) guarded([&] { feed([&] { is_behind_ = !feed_->may_go_on(); }); });
}

/// At most `rounds` times, as long as there is something. Returns how many bytes came.
std::size_t Connection::read(int rounds) {
    is_behind_ = false;
    std::size_t total = 0;
    while (rounds-- > 0 && !is_closed_) {
        const auto into = place_to_read();
        const auto result = transport_.read(into);
        if (result.size > 0) {
            total += result.size;
            last_heard_ = Clock::now();
            was_pinged_ = false;
            work(into.first(result.size));
        } else {
            thread_.packets().clear();
        }
        if (result.ended) abort(result.why);
        if (result.is_drained || waits() || is_behind_) break;
    }
    flush_output();
    return total;
}

/// A buffer of its own for what is worth it, so that payloads need not be copied out of it; else the thread's.
std::span<std::uint8_t> Connection::place_to_read() {
    auto& common = thread_.read_buffer();
    const auto coming = feed_ ? transport_.available() : 0;
    if (coming < worth_a_buffer) return common;
    Buffer own = shared_.host.buffer(std::min(coming, most_of_a_read));
    const std::span<std::uint8_t> place(own.data(), own.capacity());
    thread_.packets().adopt(std::move(own));
    return place;
}

void Connection::work(ByteSpan bytes) {
    if (is_finishing_) return;
    guarded([&] {
        if (shake_hands(bytes) && !bytes.empty()) take_messages(bytes);
    });
    flush_output();
}

/// Whatever goes wrong in `action` ends this connection and no other.
template <class Action>
void Connection::guarded(Action action) {
    try {
        action();
    } catch (const std::exception& e) {
        fail(e.what());
    }
    thread_.packets().clear();
    worked();
}

void Connection::take_messages(ByteSpan bytes) {
    received_ += bytes.size();
    auto& batch = thread_.batch();
    batch.clear();
    std::optional<Malformed> fault;
    try {
        chunks_.read(bytes, batch);
    } catch (const Malformed& e) {
        fault = e;  // what came before it is whole
    }
    std::size_t coming = 0;
    for (const auto& message : batch.messages)
        if (is_media(message.type)) coming += message.size;
    const bool has_media = coming > 0;
    thread_.packets().keep_adopted(coming);
    for (const auto& message : batch.messages) {
        if (is_finishing_ || is_closed_) break;
        if (is_media(message.type) && !publication_) media_comes();
        if (waits())
            kept_.push_back({message, batch.gather(message)});
        else
            take(batch, message, coming);
    }
    feed([&] { is_behind_ = !feed_->flush(thread_.packets()) || is_behind_; });
    dialogue().received(received_);
    if (has_media) media_came();
    if (fault) throw *fault;
}

void Connection::take(const Batch& batch, const Message& message, std::size_t& coming) {
    if (is_media(message.type)) {
        feed([&] { feed_->message(batch, message, coming, thread_.packets()); });
        coming -= message.size;
        return;
    }
    feed([&] { is_behind_ = !feed_->flush(thread_.packets()) || is_behind_; });
    const bool is_data = message.type == MessageType::data_amf0 || message.type == MessageType::data_amf3;
    if (is_data && message.size > Dialogue::longest_command) return;
    if (message.size > Dialogue::longest_command)
        throw Malformed("a command or metadata of " + std::to_string(message.size) + " bytes; " +
                        std::to_string(Dialogue::longest_command) + " are allowed");
    dialogue().message(message.type, message.stream, batch.gather(message));
}

/// Gives to the stream, unless there is none or it was kicked and the reason is still on its way.
template <class Action>
void Connection::feed(Action action) {
    if (!feed_ || is_cancelled_) return;
    try {
        action();
    } catch (const Error& e) {
        if (e.status() != TD_CANCELLED) throw;
        is_cancelled_ = true;
    }
}

/// After a decision: what was kept back, then what waits in the socket.
void Connection::go_on() {
    guarded([&] {
        while (!kept_.empty() && !waits() && !is_finishing_ && !is_closed_) {
            const auto kept = std::move(kept_.front());
            kept_.pop_front();
            Batch batch;
            batch.pieces.push_back({kept.payload, Piece::none});
            auto message = kept.message;
            message.first_piece = 0;
            std::size_t coming = message.size;
            take(batch, message, coming);
        }
        feed([&] { is_behind_ = !feed_->flush(thread_.packets()) || is_behind_; });
        media_came();
    });
    flush_output();
    choose_reading();
    wait_for_bytes();
}

void Connection::flush_output() {
    auto& output = dialogue().output();
    if (output.empty() || is_closed_ || is_writing_ || !transport_.is_ready()) return;
    const auto sent = transport_.write(output);
    output.erase(output.begin(), output.begin() + static_cast<std::ptrdiff_t>(sent));
    if (output.size() > longest_output) return abort("the peer does not read what it is told");
    if (output.empty())
        output.shrink_to_fit();
    else if (!is_timed_)
        wait_to_write();
}

void Connection::wait_to_write() {
    is_writing_ = true;
    transport_.wait_writable([self = shared_from_this()](bool) {
        self->is_writing_ = false;
        self->flush_output();
    });
}

/// By the clock while the stream is only recorded, else as bytes come.
void Connection::choose_reading() {
    const auto interval = settings_->read_interval;
    const bool by_clock = sink_ && !is_finishing_ && !is_closed_ && interval.count() > 0 &&
                          demand_ >= std::chrono::microseconds(TD_RECORD_DELAY_US);
    if (by_clock == is_timed_) return;
    is_timed_ = by_clock;
    if (by_clock) {
        transport_.detach();
        thread_.timed_reads().add(shared_from_this(), interval);
    } else {
        thread_.timed_reads().remove(*this);
        transport_.attach();
        wait_for_bytes();
    }
}

// ---- the stream, and ends

void Connection::ask_for_stream(td_stream_info& info) {
    info.session = text_of(session_id_);
    info.remote = text_of(transport_.remote());
    info.expects = settings_->sdp->expected();
    publication_ = std::make_shared<Publication>(thread_.shared_context(), shared_from_this());
    tapedeck::publish(shared_.host, info, publication_);
}

void Connection::take_sink(Sink sink, const std::string& name) {
    sink_ = sink;
    feed_.emplace(shared_.host, sink_, settings_->sdp, name);
}

void Connection::demanded(const Publication& publication, std::chrono::microseconds delay) {
    if (publication_.get() != &publication) return;
    demand_ = delay;
    choose_reading();
}

void Connection::end_stream(std::string_view why) {
    if (!publication_) return;
    feed_.reset();
    if (sink_) std::exchange(sink_, Sink()).close(why);
    publication_.reset();
    demand_ = std::chrono::microseconds(TD_RECORD_DELAY_US);
    is_cancelled_ = false;
}

/// Sends what is left to say, lets the peer read it and closes when it did, or after a while.
void Connection::finish(const std::string& why) {
    if (is_finishing_ || is_closed_) return;
    is_finishing_ = true;
    pause_.cancel();
    end_stream(why);
    kept_.clear();
    choose_reading();
    flush_output();
    transport_.finish_sending();
    close_at_ = Clock::now() + linger;
    wait_for_bytes();
}

void Connection::abort(const std::string& why) {
    end_stream(why);
    close();
}

void Connection::close() {
    if (is_closed_) return;
    const auto self = shared_from_this();
    is_closed_ = true;
    if (std::exchange(is_timed_, false)) thread_.timed_reads().remove(*this);
    transport_.close();
    thread_.remove(self);
    closed();
}

}  // namespace tapedeck::rtmp
