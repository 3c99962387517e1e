#include "app/app.hpp"

#include <algorithm>
#include <array>
#include <thread>

#include "access/keys.hpp"
#include "api/keys.hpp"
#include "api/options.hpp"
#include "api/routes.hpp"
#include "app/keys.hpp"
#include "base/log.hpp"
#include "record/keys.hpp"
#include "store/keys.hpp"

namespace tapedeck::host {
namespace {

std::size_t media_threads(const Scope& settings) {
    const auto wanted = static_cast<std::size_t>(settings.integer(record_threads));
    return wanted != 0 ? wanted : std::max(2u, std::thread::hardware_concurrency());
}

std::chrono::milliseconds milliseconds(std::chrono::microseconds time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time);
}

}  // namespace

App::App(Setup& setup)
    : setup_(setup),
      settings_(setup.settings),
      home_lock_(setup.home),
      state_lock_(settings_.path(state_dir)),
      access_(settings_.path(access_file), settings_.text(rest_allowed_clients), settings_.is_set(access_file)),
      callbacks_("callbacks"),
      hooks_(make_hooks(setup.registry.all("hook"))),
      admission_(setup.source, hooks_),
      catalog_(settings_),
      dispatcher_(setup.source, hooks_),
      flusher_(settings_),
      retention_(
          {.settings = settings_,
           .catalog = catalog_,
           .folder = [this] { return delivery_.home_folder(nullptr); },
           .remove = [this](const std::string& key, const std::stop_token& stop) { delivery_.remove(key, stop); },
           .free_bytes =
               [this](const std::filesystem::path& folder) {
                   return Retention::free_bytes_of(folder, 2 * settings_.bytes(file_recorder_min_space));
               }}),
      disk_(settings_),
      delivery_({.settings = setup.source,
                 .extensions = [this](std::string_view kind) { return setup_.registry.all(kind); },
                 .catalog = catalog_,
                 .dispatcher = dispatcher_,
                 .flusher = flusher_,
                 .disk = disk_}),
      rules_(setup.source),
      policy_(
          setup.source, [this](std::string_view kind) { return setup_.registry.all(kind); }, rules_),
      sounds_(policy_, media_),
      hub_(setup.source, callbacks_,
           [this](int action, StreamInfo info, std::function<void(const Error*)> done) {
               admit(action, std::move(info), std::move(done));
           }),
      recorders_(
          {.recorder =
               {.settings = setup.source, .policy = policy_, .delivery = delivery_, .disk = disk_, .pool = media_},
           .hub = hub_,
           .catalog = catalog_}),
      media_(media_threads(settings_)),
      cutter_({.settings = settings_,
               .extensions = [this](std::string_view kind) { return setup_.registry.all(kind); },
               .disk = disk_}),
      router_(access_),
      plugin_routes_(router_),
      server_(api::server_options(settings_, setup.home), router_, workers_) {
    hub_.listen(recorders_);
    hub_.convert(sounds_);
    disk_.on_change([this](const std::filesystem::path&, bool enough) {
        if (!enough) retention_.wake();
    });
    setup.services.add(TD_STREAMS, Hub::table());
    setup.services.add(TD_HTTP, api::PluginRoutes::table());
    const api::CurrentRestOptions options = [this] { return api::rest_options(settings_); };
    api::add_recorder_routes(router_, recorders_, options);
    api::add_stream_routes(router_, recorders_, options);
    api::add_file_routes(router_, recorders_, cutter_, workers_, options);
    api::add_page_routes(router_, settings_.path(api::client_dir), workers_);
    api::add_health_routes(router_, *this);
    api::add_metrics_routes(router_, recorders_, recorders_, *this);
}

App::~App() {
    stop();
}

void App::admit(int action, StreamInfo info, std::function<void(const Error*)> done) {
    auto shared = std::make_shared<std::function<void(const Error*)>>(std::move(done));
    const bool posted = gate_.post([this, action, info = std::move(info), shared] {
        std::vector<td_attribute> attributes;
        const td_stream_info view_of_it = info.abi(attributes);
        if (action == TD_PUBLISH) {
            if (const auto reason = access_.may_publish(view_of_it)) {
                const Error denied(*reason, TD_DENIED);
                return (*shared)(&denied);
            }
        }
        admission_.ask(action, view_of_it, *shared);
    });
    if (!posted) {
        const Error busy("too many clients ask at once; try again", TD_DENIED, true);
        (*shared)(&busy);
    }
}

void App::start() {
    delivery_.sweep();
    retention_.start();
    server_.start();
    if (server_.http_port() != 0) log::info("HTTP listens on port {}", server_.http_port());
    if (server_.https_port() != 0) log::info("HTTPS listens on port {}", server_.https_port());
    start_protocols();
    open_websocket_ports();
    ready_ = true;
    log::info("tapedeck {} is ready, home {}", TAPEDECK_VERSION, setup_.home.string());
}

void App::start_protocols() {
    const auto wanted = setup_.registry.all("protocol");
    for (auto running = protocols_.begin(); running != protocols_.end();) {
        const bool still = std::ranges::any_of(wanted, [&](auto* e) { return e->name() == running->first; });
        if (still) {
            ++running;
            continue;
        }
        log::info("{} is no longer enabled and stops", running->first);
        plugin_routes_.remove(running->second->extension().context);
        running = protocols_.erase(running);
    }
    for (const Extension* extension : wanted) {
        if (protocols_.contains(extension->name())) continue;
        auto protocol = std::make_unique<Protocol>(*extension);
        protocol->start();
        protocols_.emplace(extension->name(), std::move(protocol));
    }
}

/// Once a plugin that runs has WebSockets.
void App::open_websocket_ports() {
    if (server_.ws_port() != 0 || server_.wss_port() != 0 || !router_.has_websockets()) return;
    server_.open_websocket_ports();
    if (server_.ws_port() != 0) log::info("WebSockets listen on port {}", server_.ws_port());
    if (server_.wss_port() != 0) log::info("WebSockets over TLS listen on port {}", server_.wss_port());
}

void App::reload() {
    log::info("reading the settings again");
    try {
        setup_.reload();
        start_hooks();
        access_.reload(settings_.text(rest_allowed_clients));
        server_.reload(api::server_options(settings_, setup_.home));
    } catch (const std::exception& e) {
        log::error("reload: {}; what was set before stays in force", e.what());
        return;
    }
    retention_.wake();
    try {
        rules_.reload();
    } catch (const std::exception& e) {
        log::error("reload: {}; the rules of before stay in force", e.what());
    }
    try {
        for (const auto& [name, protocol] : protocols_) protocol->reload();
        start_protocols();
        open_websocket_ports();
    } catch (const std::exception& e) {
        log::error("reload: {}", e.what());
    }
}

/// Those that are enabled and have no instance yet.
void App::start_hooks() {
    for (const Extension* extension : setup_.registry.all("hook")) {
        if (std::ranges::any_of(hooks_, [&](const auto& hook) { return &hook->extension() == extension; })) continue;
        const Hooks made = make_hooks(std::array{extension});
        admission_.add(made);
        dispatcher_.add(made);
        hooks_.insert(hooks_.end(), made.begin(), made.end());
    }
}

bool App::stop() {
    if (std::exchange(stopped_, true)) return !hangs_;
    ready_ = false;
    log::info("stopping: recordings are finished");
    hub_.shut("the server is stopping");
    recorders_.hurry();
    const auto limit = milliseconds(settings_.duration(record_stop_timeout));
    if (!recorders_.wait(limit)) log::warning("some recordings did not end within {} s", limit.count() / 1000);
    for (auto& [name, protocol] : protocols_) plugin_routes_.remove(protocol->extension().context);
    protocols_.clear();
    server_.stop();
    const auto rest = milliseconds(settings_.duration(shutdown_timeout));
    if (!delivery_.wait(rest)) log::warning("some files are stored or announced at the next start");
    delivery_.stop(std::chrono::seconds(2));
    dispatcher_.stop(std::chrono::seconds(2));
    admission_.stop(std::chrono::seconds(2));
    callbacks_.stop();
    hangs_ = !cutter_.stop(std::chrono::seconds(2));
    hangs_ = !retention_.stop(std::chrono::seconds(6)) || hangs_;
    hangs_ = !media_.stop(std::chrono::seconds(2)) || hangs_;
    if (hangs_) log::warning("a disk hangs; the recordings on it are made whole at the next start");
    log::info("stopped");
    return !hangs_;
}

boost::json::object App::report() {
    boost::json::object ports;
    if (server_.http_port() != 0) ports["http"] = server_.http_port();
    if (server_.https_port() != 0) ports["https"] = server_.https_port();
    if (server_.ws_port() != 0) ports["ws"] = server_.ws_port();
    if (server_.wss_port() != 0) ports["wss"] = server_.wss_port();
    for (const auto& [name, port] : setup_.services.ports()) ports[name] = port;
    boost::json::array plugins;
    for (const Extension* extension : setup_.registry.all()) {
        plugins.push_back({{"name", extension->name()}, {"version", extension->plugin->version}});
    }
    return {{"ports", std::move(ports)},
            {"plugins", std::move(plugins)},
            {"recordings", recorders_.running().size()},
            {"pending", delivery_.pending()},
            {"catalog", catalog_.is_reachable() ? "ok" : "unreachable"}};
}

}  // namespace tapedeck::host
