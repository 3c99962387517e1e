// Plugins in the test's own process: a writer of text lines, a naming, storages in folders, a hook that remembers.
#pragma once

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "event/dispatcher.hpp"
#include "event/hooks.hpp"
#include "event/keys.hpp"
#include "plugin/context.hpp"
#include "plugin/extension.hpp"
#include "plugin/services.hpp"
#include "plugin/writer.hpp"
#include "store/catalog.hpp"
#include "store/delivery.hpp"
#include "store/disk.hpp"
#include "store/flusher.hpp"
#include "store/keys.hpp"
#include "tapedeck/plugin.hpp"

namespace tapedeck::doubles {

namespace fs = std::filesystem;

/// What the doubles do and saw; one test at a time.
struct Stage {
    std::mutex mutex;
    std::condition_variable changed;
    std::string stem = "{stream}";
    bool rewrites = false;                             ///< the writer ends its files in a rewrite
    std::function<void()> on_finish, on_put, on_more;  ///< may throw
    std::function<void(const td_event&)> on_event;     ///< may throw
    fs::path home, more;                               ///< folders of the storages
    std::vector<std::string> events;                   ///< `stored cam.txt`, in the order of the calls that succeeded
    std::vector<std::string> ids;

    static Stage& get() {
        static Stage stage;
        return stage;
    }
    void clear() {
        const std::lock_guard lock(mutex);
        stem = "{stream}";
        rewrites = false;
        on_finish = on_put = on_more = nullptr;
        on_event = nullptr;
        events.clear();
        ids.clear();
    }
    std::vector<std::string> seen() {
        const std::lock_guard lock(mutex);
        return events;
    }
};

/// Lines: `memo <json>`, then one `packet <n>` each, `end` when it is finished.
class TextWriter : public Writer {
public:
    static constexpr const char *id = "txt", *doc = "Lines", *extension = "txt", *mime = "text/plain";
    static constexpr std::array codecs{TD_CODEC_ANY};
    explicit TextWriter(Context) {}
    void open(File file, const td_recording& recording, std::span<const td_track* const>) override {
        (file_ = file).append("memo " + std::string(view(recording.memo)) + '\n');
    }
    void write(const td_packet& packet) override { file_.append("packet " + std::to_string(packet.pts) + '\n'); }
    void flush() override {}
    void finish() override {
        if (Stage::get().on_finish) Stage::get().on_finish();
        const std::string text = file_.text();
        if (Stage::get().rewrites) {
            const File fresh = file_.rewrite();
            fresh.append(text + (text.ends_with("end\n") ? "" : "end\n"));
        } else if (!text.ends_with("end\n")) {
            file_.append("end\n");
        }
        file_.sync();
    }
    void recover(File file, const td_recording&, Recovered& found) {
        file_ = file;
        const std::string text = file.text();
        std::size_t kept = 0;
        for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', kept)) {
            const std::string line = text.substr(kept, end - kept);
            if (line.starts_with("memo ")) found.memo = line.substr(5);
            if (line.starts_with("packet ")) ++found.packets;
            kept = end + 1;
        }
        file.truncate(kept);
        found.duration_us = static_cast<std::int64_t>(found.packets) * 1'000'000;
    }

private:
    File file_;
};

/// Another one of the same extension, which has begun none of the files.
class OtherWriter : public Writer {
public:
    static constexpr const char *id = "other", *doc = "Nothing", *extension = "txt", *mime = "text/plain";
    static constexpr std::array codecs{TD_CODEC_ANY};
    explicit OtherWriter(Context) {}
    void open(File, const td_recording&, std::span<const td_track* const>) override {}
    void write(const td_packet&) override {}
    void flush() override {}
    void finish() override {}
    void recover(File, const td_recording&, Recovered&) {}
};

class StreamNaming : public Naming {
public:
    static constexpr const char *id = "template", *doc = "The stage's stem";
    explicit StreamNaming(Context) {}
    std::string name(const td_recording& recording) override {
        std::string stem = Stage::get().stem;
        const auto put = [&](const std::string& gap, const std::string& value) {
            if (const auto at = stem.find(gap); at != std::string::npos) stem.replace(at, gap.size(), value);
        };
        put("{stream}", std::string(view(recording.stream)));
        if (recording.flags & TD_RECORDING_FINAL) put("{end}", std::to_string(recording.end_us / 1000));
        return stem;
    }
};

/// Moves files into its folder.
class HomeStorage : public Storage {
public:
    static constexpr const char *id = "local", *doc = "The stage's home";
    explicit HomeStorage(Context) {}
    std::string folder(const td_recording*) const { return Stage::get().home.string(); }
    std::string put(const td_recording& recording, std::string_view key, bool replace) override {
        if (Stage::get().on_put) Stage::get().on_put();
        const fs::path to = Stage::get().home / key, from = view(recording.path);
        if (!fs::exists(from)) {
            if (!fs::exists(to)) throw Error(TD_NOT_FOUND, "neither file nor key is there");
            return "file://" + to.string();
        }
        if (!replace && fs::exists(to)) throw Error(TD_EXISTS, "the key is taken");
        fs::create_directories(to.parent_path());
        std::error_code crosses;
        fs::rename(from, to, crosses);
        if (crosses) {
            fs::copy_file(from, to, fs::copy_options::overwrite_existing);
            fs::remove(from);
        }
        return "file://" + to.string();
    }
    void remove(std::string_view) override {}
};

/// Copies files, as an object storage does.
class MoreStorage : public Storage {
public:
    static constexpr const char *id = "more", *doc = "A second place";
    explicit MoreStorage(Context) {}
    std::string put(const td_recording& recording, std::string_view key, bool) override {
        if (Stage::get().on_more) Stage::get().on_more();
        fs::create_directories((Stage::get().more / key).parent_path());
        fs::copy_file(view(recording.path), Stage::get().more / key, fs::copy_options::overwrite_existing);
        return "more://" + std::string(key);
    }
    void remove(std::string_view) override {}
};

class MemoryHook : public Hook {
public:
    static constexpr const char *id = "memory", *doc = "Remembers";
    explicit MemoryHook(Context) {}
    void event(const td_event& event) {
        if (Stage::get().on_event) Stage::get().on_event(event);
        const char* kind = event.kind == TD_RECORD_STORED   ? "stored "
                           : event.kind == TD_RECORD_FAILED ? "failed "
                                                            : "started ";
        const std::lock_guard lock(Stage::get().mutex);
        Stage::get().events.push_back(kind + std::string(view(event.recording->name)));
        Stage::get().ids.emplace_back(view(event.id));
        Stage::get().changed.notify_all();
    }
};

}  // namespace tapedeck::doubles

namespace tapedeck::host::test {

namespace fs = std::filesystem;

/// A folder that goes with the test.
class TemporaryFolder {
public:
    explicit TemporaryFolder(const fs::path& in = fs::temp_directory_path()) {
        std::string pattern = (in / "tapedeck-store-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path = pattern;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    fs::path path;
};

inline std::string text_of_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

/// One server's store over the doubles: made anew it is the next process.
class Server {
public:
    Server(const fs::path& home, const std::string& settings)
        : source_(home, "file_recorder_min_space = 0\nstorage_retry_delay = 1ms\nhook_retry_delay = 1ms\n" + settings) {
        source_.declare("", "", store_keys);
        source_.declare("", "", event_keys);
        add<doubles::TextWriter>("writer");
        add<doubles::OtherWriter>("writer");
        add<doubles::StreamNaming>("naming");
        add<doubles::HomeStorage>("storage");
        add<doubles::MoreStorage>("storage");
        add<doubles::MemoryHook>("hook");
        doubles::Stage::get().home = home / "records";
        doubles::Stage::get().more = home / "more";
        start();
    }
    ~Server() { stop(); }

    void start() {
        catalog_ = std::make_unique<Catalog>(Scope(source_, ""));
        flusher_ = std::make_unique<Flusher>(Scope(source_, ""));
        disk_ = std::make_unique<Disk>(Scope(source_, ""));
        dispatcher_ = std::make_unique<Dispatcher>(source_, make_hooks(all("hook")));
        delivery_ = std::make_unique<Delivery>(
            Delivery::Parts{.settings = source_,
                            .extensions = [this](std::string_view kind) { return all(kind); },
                            .catalog = *catalog_,
                            .dispatcher = *dispatcher_,
                            .flusher = *flusher_,
                            .disk = *disk_});
    }
    /// All that a process does at its end; the rest stays for the next one.
    void stop() {
        if (delivery_) delivery_->stop(std::chrono::seconds(10));
        if (dispatcher_) dispatcher_->stop(std::chrono::seconds(10));
        delivery_.reset();
        dispatcher_.reset();
        disk_.reset();
        flusher_.reset();
        catalog_.reset();
    }

    std::vector<const Extension*> all(std::string_view kind) const {
        std::vector<const Extension*> found;
        for (const auto& one : extensions_) {
            if (one->kind == kind) found.push_back(one.get());
        }
        return found;
    }

    static Recording recording(const std::string& stream, std::uint32_t segment = 0) {
        Recording facts;
        facts.stream = stream;
        facts.media_session = "session-of-" + stream;
        facts.protocol = "test";
        facts.writer = facts.extension = "txt";
        facts.segment = segment;
        facts.start_us = 1'000'000;
        return facts;
    }

    /// A recording that is open, with packets in it.
    struct Open {
        Recording facts;
        OpenFile file;
        std::unique_ptr<Writer> writer;
    };
    Open begin(const std::string& stream, int packets = 3, std::uint32_t segment = 0) {
        return begin(recording(stream, segment), packets);
    }
    Open begin(Recording facts, int packets) {
        Open open{.facts = std::move(facts), .file = {}, .writer = std::make_unique<Writer>(*all("writer").front())};
        open.file = delivery_->open(open.facts);
        open.writer->open(*open.file.file, open.facts.abi(), {});
        for (int n = 0; n < packets; ++n) {
            td_packet packet{};
            packet.size = sizeof packet;
            packet.pts = n;
            open.writer->write(packet);
        }
        return open;
    }
    void end(Open open, Delivery::Released released = {}) {
        open.facts.end_us = 4'000'000;
        open.facts.duration_us = 3'000'000;
        delivery_->finish(open.file.row, open.facts, std::move(open.writer), std::move(open.file.file),
                          std::move(released));
    }

    Delivery& delivery() { return *delivery_; }
    Catalog& catalog() { return *catalog_; }
    Dispatcher& dispatcher() { return *dispatcher_; }
    SettingsSource& settings() { return source_; }

    /// One more plugin; storages and hooks count that are there at `start`.
    template <class Class>
    void add(const char* kind) {
        auto extension = std::make_unique<Extension>();
        extension->kind = kind;
        extension->id = Class::id;
        extension->declared = &detail::Extension<Class>::value;
        source_.declare(extension->name(), Class::doc, {extension->declared->keys, extension->declared->key_count});
        contexts_.push_back(std::make_unique<td_context>(kind, Class::id, extension->declared, source_, services_));
        extension->context = contexts_.back().get();
        extensions_.push_back(std::move(extension));
    }

private:
    SettingsSource source_;
    Services services_;
    std::vector<std::unique_ptr<td_context>> contexts_;
    std::vector<std::unique_ptr<Extension>> extensions_;
    std::unique_ptr<Catalog> catalog_;
    std::unique_ptr<Flusher> flusher_;
    std::unique_ptr<Disk> disk_;
    std::unique_ptr<Dispatcher> dispatcher_;
    std::unique_ptr<Delivery> delivery_;
};

}  // namespace tapedeck::host::test
