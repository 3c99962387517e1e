#include "api/answers.hpp"
#include "api/routes.hpp"

namespace tapedeck::host::api {

void add_health_routes(Router& router, Health& health) {
    router.add({"GET"}, "/health", [&health](const Request&, const Answer& answer) {
        const bool ready = health.ready();
        boost::json::object report{{"status", ready ? "UP" : "STARTING"}, {"version", TAPEDECK_VERSION}};
        for (auto& [name, value] : health.report()) report[name] = std::move(value);
        auto response = json_answer(std::move(report), ready ? 200 : 503);
        response.headers.emplace_back("Cache-Control", "no-store");
        answer(std::move(response));
    });
}

}  // namespace tapedeck::host::api
