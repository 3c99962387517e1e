// The plugin's face: encoders that push MPEG transport streams; /rest-api/mpegts as Flashphoner's.
#include "tapedeck/plugin.hpp"

#include <memory>
#include <optional>

#include "mpegts/sources.hpp"
#include "tapedeck/http.hpp"

namespace tapedeck::mpegts {
namespace {

constexpr const char* json_type = "application/json";
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
        route("POST", "startup",
              [this](const HttpRequest& request, HttpExchange& exchange) { startup(request, exchange); });
        for (const char* method : {"GET", "POST"})
            route(method, "find_all", [this](const HttpRequest&, HttpExchange& exchange) { list({}, exchange); });
        route("POST", "find", [this](const HttpRequest& request, HttpExchange& exchange) {
            list(parse_filter(request.body()), exchange);
        });
        route("POST", "terminate", [this](const HttpRequest& request, HttpExchange& exchange) {
            terminate(parse_filter(request.body()), exchange);
        });
    }
    void reload() { sources_.reload(); }
    void stop() override { sources_.stop(); }

private:
    template <class Handler>
    void route(const char* method, const char* name, Handler handler) {
        http_->route(method, std::string("/rest-api/mpegts/") + name,
                     [handler](const HttpRequest& request, HttpExchange exchange) {
                         try {
                             handler(request, exchange);
                         } catch (const Error& error) {
                             refuse(exchange, error);
                         }
                     });
    }

    static void refuse(HttpExchange& exchange, const Error& error) {
        const std::int32_t status = error.status() == TD_NOT_FOUND   ? 404
                                    : error.status() == TD_EXISTS    ? 409
                                    : error.status() == TD_DENIED    ? 403
                                    : error.status() == TD_MALFORMED ? 400
                                                                     : 500;
        exchange.respond(status, {}, error.what());
    }

    void startup(const HttpRequest& request, HttpExchange& exchange) {
        auto wanted = parse_startup(request.body(), sources_.settings());
        const auto shared = std::make_shared<HttpExchange>(std::move(exchange));
        sources_.add(std::move(wanted), host_of(request.header("host")),
                     [shared](const Source* source, const Error* error) {
                         if (source != nullptr)
                             shared->respond(200, json_type, describe(source->request(), source->shown()));
                         else
                             refuse(*shared, *error);
                     });
    }

    void list(const Filter& filter, HttpExchange& exchange) const {
        std::string list;
        for (const auto& source : sources_.find(filter))
            list += (list.empty() ? "" : ",") + describe(source->request(), source->shown());
        if (list.empty()) throw Error(TD_NOT_FOUND, nobody);
        exchange.respond(200, json_type, "[" + list + "]");
    }

    void terminate(const Filter& filter, HttpExchange& exchange) {
        if (filter.is_empty())
            throw Error(TD_MALFORMED, "none of localStreamName, localMediaSessionId, uri and status is given");
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
