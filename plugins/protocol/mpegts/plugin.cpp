// The plugin's face: encoders that push MPEG transport streams; /rest-api/mpegts as Flashphoner's.
#include "tapedeck/plugin.hpp"

#include <memory>
#include <optional>

#include "mpegts/sources.hpp"
#include "sources/rest.hpp"
#include "tapedeck/http.hpp"

namespace tapedeck::mpegts {
namespace {

constexpr const char* nobody = "no such stream is taken";

class MpegTs final : public Protocol {
public:
    static constexpr const char* id = "mpegts";
    static constexpr const char* doc = "Takes MPEG transport streams over UDP, RTP and SRT: /rest-api/mpegts";
    static constexpr auto keys = all_keys;

    explicit MpegTs(Context context) : context_(context), sources_(context) {}

    void start() override {
        sources_.start();
        http_.emplace(context_);
        const std::string root = "/rest-api/mpegts/";
        sources::route(*http_, "POST", root + "startup",
                       [this](const HttpRequest& request, HttpExchange& exchange) { startup(request, exchange); });
        sources::list_route(*http_, root + "find_all", [this](HttpExchange& exchange) { list({}, exchange); });
        sources::post_route(*http_, root + "find", [this](std::string_view body, HttpExchange& exchange) {
            list(parse_filter(body), exchange);
        });
        sources::post_route(*http_, root + "terminate", [this](std::string_view body, HttpExchange& exchange) {
            terminate(parse_filter(body), exchange);
        });
    }
    void reload() { sources_.reload(); }
    void stop() override { sources_.stop(); }

private:
    void startup(const HttpRequest& request, HttpExchange& exchange) {
        auto wanted = parse_startup(request.body(), sources_.settings());
        const auto shared = std::make_shared<HttpExchange>(std::move(exchange));
        sources_.add(std::move(wanted), host_of(request.header("host")),
                     [shared](const Source* source, const Error* error) {
                         if (source != nullptr)
                             sources::answer_json(*shared, describe(source->request(), source->shown()));
                         else
                             sources::refuse(*shared, *error);
                     });
    }

    void list(const Filter& filter, HttpExchange& exchange) const {
        std::string list;
        for (const auto& source : sources_.find(filter))
            list += (list.empty() ? "" : ",") + describe(source->request(), source->shown());
        if (list.empty()) throw Error(TD_NOT_FOUND, nobody);
        sources::answer_json(exchange, "[" + list + "]");
    }

    void terminate(const Filter& filter, HttpExchange& exchange) {
        if (filter.is_empty())
            throw Error(TD_MALFORMED, "none of uri, localStreamName, localMediaSessionId and status is given");
        const auto found = sources_.find(filter);
        if (found.empty()) throw Error(TD_NOT_FOUND, nobody);
        sources_.remove(found, "Stopped by rest /terminate");
        exchange.respond(200, {}, {});
    }

    Context context_;
    std::optional<Http> http_;
    Sources sources_;
};

}  // namespace
}  // namespace tapedeck::mpegts

TAPEDECK_PLUGIN("mpegts", TAPEDECK_VERSION, "tapedeck", "MIT", "MPEG-TS ingest over UDP, RTP and SRT",
                tapedeck::mpegts::MpegTs);
