// protocol.file: publishes media files as live streams, asked for by REST as Flashphoner's /vod.
#include "tapedeck/plugin.hpp"

#include <array>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "play.hpp"
#include "request.hpp"

namespace tapedeck::file_source {

class FileSource final : public Protocol {
public:
    static constexpr const char* id = "file";
    static constexpr const char* doc = "Publishes media files as live streams: /rest-api/vod";
    static constexpr auto folder =
        Key::path("folder", "media").about("Where the files of vod:// are; nothing outside of it is read").reload();
    static constexpr auto most = Key::integer("most", "100").within(1, 10'000).reload().about("Files at a time");
    static constexpr std::array keys{folder, most};

    explicit FileSource(Context context) : context_(context), http_(context.service<td_http>(TD_HTTP)) {}

    void start() override {
        route("/rest-api/vod/startup",
              [](FileSource& self, auto body, auto* exchange) { self.startup(body, exchange); });
        route("/rest-api/vod/find", [](FileSource& self, auto body, auto* exchange) { self.find(body, exchange); });
        route("/rest-api/vod/find_all", [](FileSource& self, auto, auto* exchange) { self.show({}, exchange); });
        route("/rest-api/vod/terminate",
              [](FileSource& self, auto body, auto* exchange) { self.terminate(body, exchange); });
    }

    void stop() override {
        std::list<std::shared_ptr<Play>> plays;
        {
            const std::lock_guard lock(mutex_);
            is_stopping_ = true;
            plays.swap(plays_);
        }
        for (const auto& play : plays) play->stop("the server stops");
        plays.clear();  // joins
    }

private:
    using Handler = void (*)(FileSource&, std::string_view body, td_http_exchange*);

    struct Route {
        FileSource* self;
        Handler handler;
    };

    void route(std::string_view path, Handler handler) {
        if (http_ == nullptr) throw Error(TD_UNSUPPORTED, "this host has no HTTP");
        auto& kept = routes_.emplace_back(Route{this, handler});
        const auto call = [](void* self, const td_http_request* request, td_http_exchange* exchange) {
            const auto& route = *static_cast<const Route*>(self);
            route.self->guarded(exchange, [&] { route.handler(*route.self, view(request->body), exchange); });
        };
        td_error error = empty_error();
        if (http_->route(context_.get(), text_of("POST"), text_of(path), call, &kept, &error) < 0) throw Error(error);
    }

    template <class Body>
    void guarded(td_http_exchange* exchange, Body body) {
        try {
            body();
        } catch (const Error& error) {
            refuse(exchange, error);
        } catch (const std::exception& error) {
            refuse(exchange, Error(TD_FAILED, error.what()));
        }
    }

    void answer(td_http_exchange* exchange, std::int32_t status, const std::string& body) const {
        respond(exchange, status, "application/json", body);
    }

    void refuse(td_http_exchange* exchange, const Error& error) const {
        const std::int32_t status = error.status() == TD_NOT_FOUND ? 404
                                    : error.status() == TD_EXISTS  ? 409
                                    : error.status() == TD_DENIED  ? 403
                                    : error.status() == TD_FAILED  ? 500
                                                                   : 400;
        respond(exchange, status, {}, error.what());
    }

    void respond(td_http_exchange* exchange, std::int32_t status, std::string_view type, std::string_view body) const {
        const td_http_answer answer{sizeof(td_http_answer), status, text_of(type), text_of(body), nullptr, 0};
        http_->respond(exchange, &answer);
    }

    void startup(std::string_view body, td_http_exchange* exchange) {
        PlayRequest request = parse_startup(body, std::string(context_.text(folder)));
        const std::lock_guard lock(mutex_);
        std::erase_if(plays_, [](const auto& play) { return play->is_over(); });
        if (is_stopping_) throw Error(TD_CANCELLED, "the server stops");
        if (plays_.size() >= static_cast<std::size_t>(context_.integer(most)))
            throw Error(TD_DENIED, "so many files are published already; setting 'protocol.file.most' allows more");
        plays_.push_back(std::make_shared<Play>(context_, std::move(request)));
        plays_.back()->start([this, exchange](const Error* refused) {
            refused == nullptr ? answer(exchange, 200, "") : refuse(exchange, *refused);
        });
    }

    std::vector<std::shared_ptr<Play>> running(const Filter& filter) {
        const std::lock_guard lock(mutex_);
        std::vector<std::shared_ptr<Play>> found;
        for (const auto& play : plays_)
            if (!play->is_over() && filter.matches(play->request())) found.push_back(play);
        return found;
    }

    void show(const Filter& filter, td_http_exchange* exchange) {
        std::string list;
        for (const auto& play : running(filter)) list += (list.empty() ? "" : ",") + describe(*play);
        if (list.empty()) throw Error(TD_NOT_FOUND, "no such file is published");
        answer(exchange, 200, "[" + list + "]");
    }

    void find(std::string_view body, td_http_exchange* exchange) { show(parse_filter(body), exchange); }

    void terminate(std::string_view body, td_http_exchange* exchange) {
        const auto found = running(parse_filter(body));
        if (found.empty()) throw Error(TD_NOT_FOUND, "no such file is published");
        for (const auto& play : found) play->stop("Stopped by rest /terminate");
        answer(exchange, 200, "");
    }

    Context context_;
    const td_http* http_;
    std::list<Route> routes_;
    std::mutex mutex_;
    std::list<std::shared_ptr<Play>> plays_;
    bool is_stopping_ = false;
};

}  // namespace tapedeck::file_source

TAPEDECK_PLUGIN("file", TAPEDECK_VERSION, "Tapedeck", "MIT", "Media files as live streams",
                tapedeck::file_source::FileSource);
