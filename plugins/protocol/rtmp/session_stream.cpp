// The part of a session that asks the host and hears its answers.
#include <boost/asio/post.hpp>
#include <utility>

#include "publication.hpp"
#include "session.hpp"

namespace tapedeck::rtmp {

namespace {

constexpr auto retry_step = std::chrono::milliseconds(100);
constexpr auto retry_limit = std::chrono::seconds(20);

/// A td_stream_info with the texts that it points to.
struct StreamInfo {
    StreamInfo(std::string_view name, const ConnectRequest& connection, const Parameters& more) {
        auto parameters = connection.parameters;
        parameters.insert(parameters.end(), more.begin(), more.end());
        who = credentials(parameters);
        if (!connection.agent.empty()) who.attributes.emplace_back("agent", connection.agent);
        for (const auto& [key, value] : who.attributes) attributes.push_back({text_of(key), text_of(value)});
        info = stream_info(name, "rtmp");
        info.login = text_of(who.login);
        info.application = text_of(connection.application);
        info.attributes = attributes.data();
        info.attribute_count = attributes.size();
    }
    StreamInfo(const StreamInfo&) = delete;
    StreamInfo& operator=(const StreamInfo&) = delete;

    Credentials who;
    std::vector<td_attribute> attributes;
    td_stream_info info{};
};

/// What `admit` answers to.
struct Asker {
    std::shared_ptr<boost::asio::io_context> thread;
    std::shared_ptr<Session> session;

    static void done(void* self, const td_error* error) {
        const std::unique_ptr<Asker> asker(static_cast<Asker*>(self));
        std::optional<std::string> refusal;
        if (error != nullptr) refusal = error->text;
        boost::asio::post(*asker->thread,
                          [session = std::move(asker->session), refusal] { session->admitted(refusal); });
    }
};

}  // namespace

Shared::Shared(Context host_context) : host(host_context), metrics_(host.service<td_metrics>(TD_METRICS)) {
    if (metrics_ != nullptr)
        gauge_ = metrics_->gauge(text_of("tapedeck_rtmp_connections"), {}, text_of("Open RTMP connections"));
}

void Shared::count(int change) {
    const auto now = connections += change;
    if (gauge_ != nullptr) metrics_->set(gauge_, now);
}

void Session::connect(const ConnectRequest& request) {
    connection_ = request;
    StreamInfo stream("", connection_, {});
    stream.info.session = text_of(session_id_);
    stream.info.remote = text_of(transport_.remote());
    const auto* streams = shared_.host.service<td_streams>(TD_STREAMS);
    if (streams == nullptr) throw Error(TD_UNSUPPORTED, "this host has no streams");
    auto* asker = new Asker{thread_.shared_context(), self()};
    streams->admit(shared_.host.get(), TD_CONNECT, &stream.info, &Asker::done, asker);
}

void Session::admitted(const std::optional<std::string>& refusal) {
    if (is_closed_ || is_finishing_) return;
    if (!refusal) {
        conversation_.accept();
        return go_on();
    }
    shared_.host.info(transport_.remote() + " may not connect to " + printable(connection_.application) + ": " +
                      *refusal);
    conversation_.reject(*refusal);
    finish(*refusal);
}

void Session::publish(const PublishRequest& request) {
    request_ = request;
    retry_until_ = {};
    ask_to_publish();
}

void Session::ask_to_publish() {
    StreamInfo stream(request_.name, connection_, request_.parameters);
    stream.info.record = settings_->record ? TD_RECORD_YES : TD_RECORD_BY_RULES;
    ask_for_stream(stream.info);
}

void Session::opened(const Publication& publication, Sink sink) {
    if (publication_.get() != &publication || is_closed_ || is_finishing_)
        return sink.close("the client left before its stream was open");
    take_sink(sink, request_.name);
    shared_.names.add(request_.name, self());
    if (!connection_.agent.empty())  // the host logs the rest
        shared_.host.info(printable(request_.name) + " is sent by " + printable(connection_.agent));
    conversation_.start();
    go_on();
}

void Session::refused(const Publication& publication, const Error& why) {
    if (publication_.get() != &publication || is_closed_ || is_finishing_) return;
    publication_.reset();
    if (why.status() == TD_EXISTS && wait_for_name()) return;
    shared_.host.info(printable(request_.name) + " from " + transport_.remote() + " is refused: " + why.what());
    conversation_.refuse(why.what());
    finish(why.what());
}

/// The name is taken. Makes a silent publisher go; whether it is worth to ask again soon.
bool Session::wait_for_name() {
    const auto limit = settings_->replace_after;
    if (limit.count() == 0) return false;
    if (shared_.names.replace_silent(request_.name, limit, transport_.remote()))
        retry_until_ = Clock::now() + retry_limit;
    if (Clock::now() >= retry_until_) return false;
    retry_.expires_after(retry_step);
    retry_.async_wait([self = self()](auto error) {
        if (!error && !self->is_closed_ && !self->is_finishing_) self->ask_to_publish();
    });
    return true;
}

void Session::kicked(const Publication& publication, const std::string& why) {
    if (publication_.get() != &publication || is_closed_ || is_finishing_) return;
    conversation_.kick(why);
    finish(why);
}

void Session::unpublish(std::string_view how) {
    end_stream(how == "FCUnpublish" ? "the client unpublished it" : "the client ended it");
    choose_reading();
}

void Session::metadata(const amf::Object& values) {
    if (!sink_) return;
    for (const auto* key : {"title", "description", "author", "encoder"}) {
        const auto* value = values.find(key);
        if (value && !value->text().empty()) sink_.set(key, value->text());
    }
}

}  // namespace tapedeck::rtmp
