// protocol.file: publishes media files as live streams, asked for by REST as Flashphoner's /vod.
#include "tapedeck/plugin.hpp"

#include <array>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "play.hpp"
#include "request.hpp"
#include "sources/members.hpp"
#include "sources/rest.hpp"

namespace tapedeck::file_source {

class FileSource final : public Protocol {
public:
    static constexpr const char* id = "file";
    static constexpr const char* doc = "Publishes media files as live streams: /rest-api/vod";
    static constexpr auto folder =
        Key::path("folder", "media").about("Where the files of vod:// are; nothing outside of it is read").reload();
    static constexpr auto most = Key::integer("most", "100").within(1, 10'000).reload().about("Files at a time");
    static constexpr std::array keys{folder, most};

    explicit FileSource(Context context) : context_(context) {}

    void start() override {
        http_ = std::make_unique<Http>(context_);
        sources::post_route(*http_, "/rest-api/vod/startup",
                            [this](auto body, auto& exchange) { startup(body, exchange); });
        sources::post_route(*http_, "/rest-api/vod/find",
                            [this](auto body, auto& exchange) { show(filter(body), exchange); });
        sources::list_route(*http_, "/rest-api/vod/find_all", [this](auto& exchange) { show({}, exchange); });
        sources::post_route(*http_, "/rest-api/vod/terminate",
                            [this](auto body, auto& exchange) { terminate(filter(body), exchange); });
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
    static sources::Filter filter(std::string_view body) { return sources::Filter::read(sources::Members(body)); }

    void startup(std::string_view body, HttpExchange& exchange) {
        PlayRequest request = parse_startup(body, std::string(context_.text(folder)));
        const std::lock_guard lock(mutex_);
        std::erase_if(plays_, [](const auto& play) { return play->is_over(); });
        if (is_stopping_) throw Error(TD_CANCELLED, "the server stops");
        if (plays_.size() >= static_cast<std::size_t>(context_.integer(most)))
            throw Error(TD_DENIED, "so many files are published already; setting 'protocol.file.most' allows more");
        plays_.push_back(std::make_shared<Play>(context_, std::move(request)));
        plays_.back()->start([later = std::make_shared<HttpExchange>(std::move(exchange))](const Error* refused) {
            refused == nullptr ? sources::answer_json(*later, "") : sources::refuse(*later, *refused);
        });
    }

    std::vector<std::shared_ptr<Play>> running(const sources::Filter& wanted) {
        const std::lock_guard lock(mutex_);
        std::vector<std::shared_ptr<Play>> found;
        for (const auto& play : plays_)
            if (!play->is_over() && wanted.matches(play->request().uri, play->request().stream, play->media_session()))
                found.push_back(play);
        if (found.empty()) throw Error(TD_NOT_FOUND, "no such file is published");
        return found;
    }

    void show(const sources::Filter& wanted, HttpExchange& exchange) {
        std::string list;
        for (const auto& play : running(wanted)) list += (list.empty() ? "" : ",") + describe(*play);
        sources::answer_json(exchange, "[" + list + "]");
    }

    void terminate(const sources::Filter& wanted, HttpExchange& exchange) {
        for (const auto& play : running(wanted)) play->stop("Stopped by rest /terminate");
        sources::answer_json(exchange, "");
    }

    Context context_;
    std::unique_ptr<Http> http_;
    std::mutex mutex_;
    std::list<std::shared_ptr<Play>> plays_;
    bool is_stopping_ = false;
};

}  // namespace tapedeck::file_source

TAPEDECK_PLUGIN("file", TAPEDECK_VERSION, "Tapedeck", "MIT", "Media files as live streams",
                tapedeck::file_source::FileSource);
