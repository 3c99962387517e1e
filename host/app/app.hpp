// The running server: every part, made and ended in the right order.
#pragma once

#include <atomic>
#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <string>

#include "access/access.hpp"
#include "api/controls.hpp"
#include "api/plugin_routes.hpp"
#include "api/router.hpp"
#include "api/server.hpp"
#include "api/workers.hpp"
#include "app/setup.hpp"
#include "base/loop.hpp"
#include "event/admission.hpp"
#include "event/dispatcher.hpp"
#include "plugin/protocol.hpp"
#include "record/live_sound.hpp"
#include "record/media_pool.hpp"
#include "record/policy.hpp"
#include "record/recorders.hpp"
#include "store/catalog.hpp"
#include "store/cutter.hpp"
#include "store/delivery.hpp"
#include "store/disk.hpp"
#include "store/flusher.hpp"
#include "store/locks.hpp"
#include "store/retention.hpp"
#include "stream/hub.hpp"

namespace tapedeck::host {

/// One per process. All calls from the control thread.
class App : public api::Health {
public:
    /// Takes the locks, makes all parts and binds the HTTP ports. Throws Error.
    explicit App(Setup& setup);
    /// Ends what still runs.
    ~App() override;

    /// Starts the protocols, then answers /health with 200. Throws Error when a configured port is taken.
    void start();
    /// SIGHUP: reads settings, access rules and certificates again and starts newly enabled plugins. Logs what is wrong
    /// and keeps what was.
    void reload();
    /// SIGTERM: finishes every recording and its hooks; bounded by `record_stop_timeout` and `shutdown_timeout`. False
    /// when a disk hangs: then no part may be destroyed, and the process ends as it is.
    bool stop();

    bool ready() override { return ready_.load(); }
    boost::json::object report() override;

private:
    void admit(int action, StreamInfo info, std::function<void(const Error*)> done);
    void start_protocols();
    void open_websocket_ports();
    void start_hooks();

    Setup& setup_;
    const Scope& settings_;
    std::atomic<bool> ready_ = false;
    bool stopped_ = false;
    bool hangs_ = false;

    FolderLock home_lock_;
    FolderLock state_lock_;
    Access access_;
    Loop callbacks_;
    Hooks hooks_;
    Admission admission_;
    Catalog catalog_;
    Dispatcher dispatcher_;
    Flusher flusher_;
    Retention retention_;  // before the disk watch, which wakes it
    Disk disk_;
    Delivery delivery_;
    RecordRules rules_;
    Policy policy_;
    LiveSounds sounds_;
    Hub hub_;
    struct StopCallbacks {  // before the hub goes, also when a later part cannot be made
        Loop& loop;
        ~StopCallbacks() { loop.stop(); }
    } stop_callbacks_{callbacks_};
    Recorders recorders_;
    MediaPool media_;  // its threads use all of the above
    Cutter cutter_;
    api::Workers workers_;
    api::Workers gate_;  // who may come in is asked apart from downloads, whose disk may hang
    api::Router router_;
    api::PluginRoutes plugin_routes_;
    api::Server server_;
    std::map<std::string, std::unique_ptr<Protocol>> protocols_;  // by name; the last to be made, the first to go
};

}  // namespace tapedeck::host
