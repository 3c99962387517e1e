#include "base/log.hpp"

#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace tapedeck::host::log {
namespace {

constexpr std::size_t queued_lines = 1024;  // when the disk hangs the oldest lines are dropped, nobody waits

std::mutex mutex;
std::shared_ptr<spdlog::details::thread_pool> pool;
std::shared_ptr<spdlog::logger> logger;
std::atomic<Level> least = Level::Info;

spdlog::level::level_enum level_of(Level level) {
    switch (level) {
        case Level::Debug:
            return spdlog::level::debug;
        case Level::Info:
            return spdlog::level::info;
        case Level::Warning:
            return spdlog::level::warn;
        case Level::Error:
            break;
    }
    return spdlog::level::err;
}

std::shared_ptr<spdlog::logger> current() {
    const std::lock_guard lock(mutex);
    if (logger == nullptr) {
        logger = std::make_shared<spdlog::logger>("tapedeck", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %-7l %v");
    }
    return logger;
}

/// The message as a JSON string's inside.
class JsonMessage : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
        for (const char c : message.payload) {
            if (c == '"' || c == '\\') {
                out.push_back('\\');
                out.push_back(c);
            } else if (static_cast<unsigned char>(c) < 0x20) {
                fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<int>(c));
            } else {
                out.push_back(c);
            }
        }
    }
    std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonMessage>(); }
};

}  // namespace

void open(const Options& options) {
    std::vector<spdlog::sink_ptr> sinks;
    if (options.terminal) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    if (!options.folder.empty()) {
        std::filesystem::create_directories(options.folder);
        sinks.push_back(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
            (options.folder / "tapedeck.log").string(), options.file_bytes, options.files));
    }
    const std::lock_guard lock(mutex);
    if (pool == nullptr) pool = std::make_shared<spdlog::details::thread_pool>(queued_lines, 1);
    auto fresh = std::make_shared<spdlog::async_logger>("tapedeck", sinks.begin(), sinks.end(), pool,
                                                        spdlog::async_overflow_policy::overrun_oldest);
    fresh->set_level(level_of(options.level));
    fresh->flush_on(spdlog::level::info);
    if (options.json) {
        auto formatter = std::make_unique<spdlog::pattern_formatter>();
        formatter->add_flag<JsonMessage>('*').set_pattern(
            R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":"%*"})");
        fresh->set_formatter(std::move(formatter));
    } else {
        fresh->set_pattern("%Y-%m-%d %H:%M:%S.%e %-7l %v");
    }
    logger = std::move(fresh);
    least = options.level;
}

bool wants(Level level) noexcept {
    return level >= least;
}

void flush() {
    const std::lock_guard lock(mutex);
    if (pool == nullptr) return;
    logger.reset();
    pool.reset();  // joins the writing thread after its last line
}

void write(Level level, std::string_view line) noexcept {
    try {
        current()->log(level_of(level), line);
    } catch (...) {  // a log that cannot be written must not end what it speaks of
    }
}

}  // namespace tapedeck::host::log
